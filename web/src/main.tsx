import '@mantine/core/styles.css';
import './styles.css';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Problem } from './api/http';
import { SESSION_KEY, SessionProvider } from './api/session';
import { activate, LanguageProvider, preferredLocale } from './i18n';
import { router } from './router';
import { theme } from './theme';

const ATTEMPTS = 3;

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => count < ATTEMPTS && error instanceof Problem && error.isTransient,
      refetchOnWindowFocus: true,
    },
  },
});
// A session that ended elsewhere shows itself as a 401 on whatever was asked next.
client.getQueryCache().subscribe((event) => {
  if (event.type !== 'updated' || event.query.queryKey[0] === SESSION_KEY[0]) return;
  const { error } = event.query.state;
  if (error instanceof Problem && error.status === 401) client.setQueryData(SESSION_KEY, null);
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

void activate(preferredLocale()).then(() => {
  createRoot(root).render(
    <StrictMode>
      <LanguageProvider>
        <MantineProvider theme={theme} defaultColorScheme="auto">
          <QueryClientProvider client={client}>
            <SessionProvider>
              <RouterProvider router={router} />
            </SessionProvider>
          </QueryClientProvider>
        </MantineProvider>
      </LanguageProvider>
    </StrictMode>,
  );
});
