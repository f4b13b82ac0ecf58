// @vitest-environment happy-dom
import { MantineProvider } from '@mantine/core';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, describe, expect, it } from 'vitest';
import { Problem } from '../api/http';
import { activate, LanguageProvider, type Locale } from '../i18n';
import { ProblemNote } from './bits';

async function told(locale: Locale, error: unknown): Promise<string> {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await activate(locale);
  const host = document.createElement('div');
  const root = createRoot(host);
  await act(async () =>
    root.render(
      <MantineProvider>
        <LanguageProvider>
          <ProblemNote error={error} />
        </LanguageProvider>
      </MantineProvider>,
    ),
  );
  const text = host.querySelector('[role=alert]')?.textContent ?? '';
  await act(async () => root.unmount());
  return text;
}

const HOLDS = new Problem(409, {
  code: 'holds-enough',
  detail: 'You hold as many tasks of this project as one person may at a time.',
  remedy: 'Submit or return some of them, then claim again.',
});

describe('what the server refuses', () => {
  afterEach(() => activate('en'));

  it('is said in the server’s words in English', async () => {
    expect(await told('en', HOLDS)).toBe(`${HOLDS.detail}${HOLDS.remedy}`);
  });

  it('is said in Chinese, with the server’s words beneath, for they name the thing itself', async () => {
    const text = await told('zh', HOLDS);
    expect(text).toMatch(/^你在本项目中持有的任务已达每人上限。请先提交或退回一部分，再领取。/);
    expect(text).toContain(HOLDS.detail);
  });

  it('is said in the server’s words where an extension made the code', async () => {
    const foreign = new Problem(400, { code: 'toString', detail: 'No such lake.', remedy: 'Name another.' });
    expect(await told('zh', foreign)).toBe('No such lake.Name another.');
  });

  it('is told as signed out where it is that, and a wrong password as a wrong password', async () => {
    const detail = 'This address needs somebody who is signed in, or a key.';
    expect(await told('en', new Problem(401, { code: 'unauthenticated', detail }))).toMatch(/^You are signed out/);
    expect(await told('en', new Problem(401, {}))).toMatch(/^You are signed out/);
    expect(await told('zh', new Problem(401, { code: 'unauthenticated', detail }))).toMatch(/^你已退出登录/);
    const wrong = new Problem(401, { code: 'sign-in-refused', detail: 'They do not belong together.' });
    expect(await told('en', wrong)).toBe('They do not belong together.');
  });
});
