import '@mantine/core/styles.css';
import './styles.css';
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Problem } from './api/http';
import { SessionProvider } from './api/session';
import { activate, LanguageProvider, preferredLocale } from './i18n';
import { router } from './router';
import { theme } from './theme';
import { FaultBoundary } from './ui/fault';
import { guardHeldKeys } from './ui/held_keys';

const ATTEMPTS = 3;

const client = new QueryClient({
  defaultOptions: {
    // The server may be on this machine or in the next room: what the browser thinks of the internet says nothing of it.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      staleTime: 10_000,
      retry: (count, error) => count < ATTEMPTS && error instanceof Problem && error.isTransient,
      refetchOnWindowFocus: true,
    },
  },
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

guardHeldKeys(window);
void activate(preferredLocale()).then(() => {
  createRoot(root).render(
    <StrictMode>
      <LanguageProvider>
        <MantineProvider theme={theme} defaultColorScheme="auto">
          <FaultBoundary>
            <QueryClientProvider client={client}>
              <SessionProvider>
                <RouterProvider router={router} />
              </SessionProvider>
            </QueryClientProvider>
          </FaultBoundary>
        </MantineProvider>
      </LanguageProvider>
    </StrictMode>,
  );
});
