// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, describe, expect, it } from 'vitest';
import type { Project } from '../api/types';
import { activate, LanguageProvider } from '../i18n';
import { AddingNote } from './project_adding';

async function shown(adding: Project['adding']): Promise<{ text: string; value: string | null; buttons: number }> {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await activate('en');
  const host = document.createElement('div');
  const root = createRoot(host);
  await act(async () =>
    root.render(
      <MantineProvider>
        <QueryClientProvider client={new QueryClient()}>
          <LanguageProvider>
            <AddingNote project={{ id: 'p', adding } as Project} />
          </LanguageProvider>
        </QueryClientProvider>
      </MantineProvider>,
    ),
  );
  const section = host.querySelector('section');
  const found = {
    text: section?.textContent ?? '',
    value: host.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') ?? null,
    buttons: host.querySelectorAll('button').length,
  };
  await act(async () => root.unmount());
  return found;
}

describe('tasks that are being made', () => {
  afterEach(() => activate('en'));

  it('are told with how far it is', async () => {
    const { text, value, buttons } = await shown({ items: 40_000, looked_at: 10_000, made: 9_990, trouble: '' });
    expect(text).toContain('10,000 of 40,000 items looked at, 9,990 tasks made');
    expect(value).toBe('25');
    expect(buttons).toBe(0);
  });

  it('are told with the reason where that ended early, and can be asked for again', async () => {
    const { text, value, buttons } = await shown({ items: 10, looked_at: 5, made: 5, trouble: 'A gold does not fit.' });
    expect(text).toContain('A gold does not fit.');
    expect(value).toBeNull();
    expect(buttons).toBe(1);
  });

  it('are not spoken of where none are', async () => {
    expect((await shown(null)).text).toBe('');
  });
});
