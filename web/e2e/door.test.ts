import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, launch, logins, picture, signIn, visit } from './browser';

describe.skipIf(!logins)('the door', () => {
  const { url, requester } = logins ?? { url: '', requester: { email: '', password: '' } };
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it('lets nobody past without signing in, and brings them where they meant to go', async () => {
    const here = await visit(browser);
    await here.page.goto(`${url}/projects/new`);
    await here.page.waitForURL(/\/signin\?next=/);
    await expectAccessible(here.page);
    await picture(here.page, 'sign-in');
    await here.page.fill('input[name=email]', requester.email);
    await here.page.fill('input[name=password]', requester.password);
    await here.page.keyboard.press('Enter');
    await here.page.waitForURL(/\/projects\/new$/);
    expect(here.complaints).toEqual([]);
    await here.context.close();
  });

  it('says what is wrong with a wrong password, and what to do', async () => {
    const here = await visit(browser);
    await here.page.goto(`${url}/signin`);
    await here.page.fill('input[name=email]', requester.email);
    await here.page.fill('input[name=password]', 'not the password');
    await here.page.keyboard.press('Enter');
    const alert = here.page.getByRole('alert');
    await alert.waitFor();
    expect(((await alert.textContent()) ?? '').length).toBeGreaterThan(10);
    await expectAccessible(here.page);
    await here.context.close();
  });

  it('does not send anybody to another site after signing in', async () => {
    const here = await visit(browser);
    await here.page.goto(`${url}/signin?next=${encodeURIComponent('//example.com/')}`);
    await here.page.fill('input[name=email]', requester.email);
    await here.page.fill('input[name=password]', requester.password);
    await here.page.keyboard.press('Enter');
    await here.page.waitForSelector('.cup-shell');
    expect(new URL(here.page.url()).origin).toBe(new URL(url).origin);
    await here.context.close();
  });

  it('speaks Chinese to a browser that does, and shows the dark scheme where the system asks for it', async () => {
    const here = await visit(browser, { locale: 'zh-CN', colorScheme: 'dark' });
    await here.page.goto(`${url}/signin`);
    await here.page.getByRole('button', { name: '登录' }).waitFor();
    expect(await here.page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
    await expectAccessible(here.page);
    await picture(here.page, 'sign-in-dark-zh');
    await here.context.close();
  });

  it('opens the palette by Ctrl+K and goes by a few letters', async () => {
    const here = await visit(browser);
    await signIn(here, url, requester);
    await here.page.keyboard.press('Control+k');
    await here.page.keyboard.type('datas');
    await here.page.keyboard.press('Enter');
    await here.page.waitForURL(/\/datasets$/);
    await here.context.close();
  });
});
