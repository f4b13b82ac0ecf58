/** Files on a slow line, among entries that come and go; names in the scripts of the world, at phone width. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, launch, logins, picture, shown, signIn, type Visit, visit } from './browser';
import { type Made, makeProjectOf } from './shapes_project';

const NAME = `ملفات 文件 🦄 ${Date.now().toString(36)}`;
const SLIP = 'إيصال 🧾';
const BYTES = Buffer.from('what was paid');

describe.skipIf(!logins)('files that arrive late', () => {
  const { url, requester, contributor } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let made: Made;

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    await signIn(owner, url, requester);
    made = await makeProjectOf(owner.page, NAME, 1, {
      kind: 'form',
      attributes: [
        { name: 'أفضل 🥇', type: 'ranking', options: ['صغير', '大', 'x'.repeat(120)] },
        {
          name: '行',
          type: 'rows',
          columns: [
            { name: 'что', type: 'text' },
            { name: SLIP, type: 'file' },
          ],
        },
      ],
    });
    worker = await visit(browser, { width: 390 });
    await signIn(worker, url, contributor);
  });
  afterAll(() => browser?.close());

  it('find the entry that asked for them, or nobody when it is gone', async () => {
    const { page } = worker;
    const waiting: (() => void)[] = [];
    await page.route('**/files?name=*', async (route) => {
      await new Promise<void>((go) => waiting.push(go));
      await route.continue();
    });
    await page.goto(`${url}/work/${made.project}`);
    await shown(page);
    const add = page.getByRole('button', { name: 'Add an entry to 行' });
    const files = page.locator('[data-entry] input[type=file]');
    const hold = async (at: number, name: string) => {
      await files.nth(at).setInputFiles({ name, mimeType: 'text/plain', buffer: BYTES });
      await page.getByText(`Sending ${name}…`).waitFor();
    };
    await add.click();
    await add.click();
    await page.locator('[data-entry] textarea').nth(1).fill('second');
    await hold(1, 'second.txt');
    await page.getByRole('button', { name: 'Remove entry 1' }).click();
    waiting.shift()?.();
    await page.locator('[data-entry]').getByRole('link', { name: 'second.txt' }).waitFor();
    expect(await page.locator('[data-entry]').count()).toBe(1);
    expect(await page.locator('[data-entry] textarea').inputValue()).toBe('second');

    await add.click();
    await hold(1, 'gone.txt');
    const told = page.waitForResponse((answer) => answer.url().includes('gone.txt'));
    await page.getByRole('button', { name: 'Remove entry 2' }).click();
    waiting.shift()?.();
    await told;
    await expect.poll(() => page.getByText('All saved').count()).toBe(1);
    expect(await page.getByText('gone.txt').count()).toBe(0);
    expect(await page.locator('[data-entry]').count()).toBe(1);
    await expectAccessible(page);
    await picture(page, 'late-files-390');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Nothing more to do here for now').waitFor();
    for (const one of [owner, worker]) expect(one.complaints).toEqual([]);
  });
});
