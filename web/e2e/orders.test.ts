/** The log of orders' callbacks: where each stands, what it says, sending it again, the secret, and what orders pay. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, inspect, launch, logins, picture, settled, signIn, type Visit, visit } from './browser';

const RECEIVER = `https://receiver.example/${Date.now().toString(36)}`;

describe.skipIf(!logins)('orders', () => {
  const { url, requester } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let task = '';

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    await signIn(owner, url, requester);
    const { key } = await ask<{ key: string }>(owner.page, 'POST', '/api/keys', { name: `orders ${Date.now()}` });
    // A file that is no picture: the order is refused, and its callback tells so to an address that nobody answers.
    const headers = { Authorization: `Basic ${btoa(`${key}:`)}` };
    const form = new FormData();
    form.append('file', new Blob(['these are words'], { type: 'image/png' }), 'none.png');
    const sent = await fetch(`${url}/v1/files/upload`, { method: 'POST', headers, body: form });
    const { attachment_url: attachment } = (await sent.json()) as { attachment_url: string };
    const response = await fetch(`${url}/v1/task/categorization`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        instruction: 'Which one is it?',
        attachment,
        attachment_type: 'image',
        categories: ['cat', 'dog'],
        callback_url: RECEIVER,
      }),
    });
    task = ((await response.json()) as { task_id: string }).task_id;
  });
  afterAll(() => browser?.close());

  it('show a callback with its tries, its answer and what it says', async () => {
    const { page } = owner;
    await page.goto(`${url}/projects`);
    await page.getByRole('link', { name: 'Orders', exact: true }).click();
    const row = page.getByRole('row').filter({ hasText: RECEIVER }).first();
    await row.getByText('task refused').waitFor({ timeout: 30_000 });
    await row.getByText('next try').waitFor({ timeout: 30_000 });
    await settled(page);
    await expectAccessible(page);
    await picture(page, 'orders-callbacks');
    await row.getByRole('button', { name: 'See what it says' }).click();
    const body = page.getByRole('dialog').locator('pre');
    await body.getByText(task).waitFor();
    await page.waitForTimeout(200);
    await expectAccessible(page);
    await picture(page, 'orders-callback');
    await page.keyboard.press('Escape');
    const answer = page.waitForResponse(/\/resend$/);
    await row.getByRole('button', { name: 'Send again' }).click();
    expect((await answer).status()).toBe(200);
  });

  it('are filtered by state, and the address keeps the filter', async () => {
    const { page } = owner;
    await page.goto(`${url}/orders`);
    await page.getByText('Delivered', { exact: true }).click();
    await page.getByText('No callback in this state').waitFor();
    expect(page.url()).toMatch(/state=delivered/);
    await page.reload();
    await page.getByText('No callback in this state').waitFor();
  });

  it('keep the secret of their callbacks from the page until somebody asks for it', async () => {
    const { page } = owner;
    let asked = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/callback-auth')) asked += 1;
    });
    await page.goto(`${url}/orders`);
    await page.getByRole('heading', { name: 'How a receiver knows us' }).waitFor();
    await settled(page);
    expect(asked).toBe(0);
    await page.getByRole('button', { name: 'Show the secret' }).click();
    await page.getByText(/^cb_/).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Hide the secret' }).click();
    expect(await page.getByText(/^cb_/).count()).toBe(0);
  });

  it('pay what their terms say, and a wrong address is refused with its reason', async () => {
    const { page } = owner;
    await page.getByRole('tab', { name: 'What orders pay' }).click();
    await page.getByLabel('Most judgements').waitFor();
    const most = await page.getByLabel('Most judgements').inputValue();
    await page.getByLabel('Callbacks go to').fill('http://10.0.0.1/hook');
    await page.getByRole('button', { name: 'Set these terms' }).click();
    await page.getByRole('alert').waitFor();
    await expectAccessible(page);
    await page.getByLabel('Callbacks go to').fill('');
    await page.getByLabel('Most judgements').fill(most === '6' ? '7' : '6');
    await page.getByRole('button', { name: 'Set these terms' }).click();
    await page.getByText('Kept', { exact: true }).waitFor();
    const terms = await ask<{ max_judgements: number; callback: string | null }>(page, 'GET', '/api/orders/terms');
    expect(terms).toMatchObject({ max_judgements: most === '6' ? 7 : 6, callback: null });
    await page.getByLabel('Most judgements').fill(most);
    await page.getByRole('button', { name: 'Set these terms' }).click();
    await picture(page, 'orders-terms');
  });

  it('are in Chinese and dark as everything is', async () => {
    const here = await visit(browser, { colorScheme: 'dark', locale: 'zh-CN' });
    await signIn(here, url, requester);
    await inspect(here, `${url}/orders`, 'orders-dark-zh-CN');
    await inspect(here, `${url}/orders?tab=terms`, 'orders-terms-dark-zh-CN');
    expect(here.complaints).toEqual([]);
    await here.context.close();
  });
});
