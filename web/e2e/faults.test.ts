/** What goes wrong around people who work: nothing is lost, nothing is sent by accident, and it is told as what it is. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectAccessible, launch, logins, PLAIN_NAME, picture, shown, signIn, type Visit, visit } from './browser';
import { makeProject, makeProjectOf } from './shapes_project';

const BOXES = { kind: 'objects', classes: [{ name: 'shape' }] };

/** The browser says of each page over plain http that it passes over one of its headers. */
const OPENER = /Cross-Origin-Opener-Policy header has been ignored/;

describe.skipIf(!logins)('when something goes wrong', () => {
  const { url, requester, contributor } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let made = 0;
  const name = () => {
    made += 1;
    return `Fault ${made} ${Date.now().toString(36)}`;
  };

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    await signIn(owner, url, requester);
  });
  beforeEach(async () => {
    worker = await visit(browser);
    await signIn(worker, url, contributor);
    return () => worker.context.close();
  });
  afterAll(() => browser?.close());

  const startWork = async (page: Page, project: string) => {
    await page.goto(`${url}/work/${project}`);
    await shown(page);
  };

  it('a page over plain http on a name of the network signs people in, and they work, copy and draw', async () => {
    const { project } = await makeProjectOf(owner.page, name(), 1, BOXES);
    const plain = url.replace('127.0.0.1', PLAIN_NAME);
    const here = await visit(browser);
    const { page } = here;
    await signIn(here, plain, contributor);
    expect(await page.evaluate(() => window.isSecureContext)).toBe(false);
    await page.goto(`${plain}/work/${project}`);
    await shown(page);
    await page.keyboard.press('Shift+N');
    await page.getByText('All saved').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Nothing more to do here for now').waitFor();
    expect(here.complaints.filter((one) => !OPENER.test(one))).toEqual([]);
    await here.context.close();

    const giver = await visit(browser);
    await signIn(giver, plain, requester);
    await giver.page.goto(`${plain}/keys`);
    await giver.page.getByLabel('What it is for').fill('plain');
    await giver.page.getByRole('button', { name: 'Make a key' }).click();
    await giver.page.getByRole('button', { name: 'Copy' }).click();
    await giver.page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(giver.complaints.filter((one) => !OPENER.test(one))).toEqual([]);
    await giver.context.close();
  });

  it('a held Enter is one press, and a page on which nothing was said asks once', async () => {
    const { project } = await makeProjectOf(owner.page, name(), 3, BOXES);
    const { page } = worker;
    await startWork(page, project);
    for (let times = 0; times < 40; times += 1) await page.keyboard.down('Enter');
    await page.keyboard.up('Enter');
    await page.locator('.cup-dots button:nth-child(2)[aria-current=true]').waitFor();
    await expect.poll(() => page.locator('.cup-dots button[data-ready=true]').count()).toBe(1);

    await shown(page);
    await page.keyboard.press('Enter');
    await page.locator('.cup-dots button:nth-child(3)[aria-current=true]').waitFor();
    await shown(page);
    for (let times = 0; times < 40; times += 1) await page.keyboard.down('Enter');
    await page.keyboard.up('Enter');
    const dialog = page.getByRole('dialog', { name: 'Is there really nothing?' });
    await dialog.waitFor();
    await expectAccessible(page);
    await picture(page, 'work-empty-page-asks');
    await dialog.getByRole('button', { name: 'Yes, there is nothing' }).click();
    await page.getByText('Nothing more to do here for now').waitFor();
    expect(worker.complaints).toEqual([]);
  });

  it('whoever is signed out while working signs in where they are, and goes on', async () => {
    const { project } = await makeProject(owner.page, name(), 2);
    const { page, context } = worker;
    await startWork(page, project);
    await context.clearCookies();
    await page.keyboard.press('1');
    const dialog = page.getByRole('dialog', { name: 'You are signed out' });
    await dialog.waitFor();
    await expectAccessible(page);
    await picture(page, 'work-signed-out');
    await dialog.locator('input[name=password]').fill(contributor.password);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('All saved').waitFor();
    await expect.poll(() => page.getByRole('radio').first().getAttribute('aria-checked')).toBe('true');

    await page.keyboard.press('Enter');
    await page.locator('.cup-dots button:nth-child(2)[aria-current=true]').waitFor();
    await shown(page);
    await page.keyboard.press('2');
    await page.getByText('All saved').waitFor();
    await context.clearCookies();
    await page.keyboard.press('Enter');
    await dialog.waitFor();
    await dialog.locator('input[name=password]').fill(contributor.password);
    await page.keyboard.press('Enter');
    await page.getByText('Nothing more to do here for now').waitFor();
  });

  it('a picture that does not load is told, loaded again, and never answered unseen', async () => {
    const { project } = await makeProject(owner.page, name(), 1);
    const { page, context } = worker;
    await context.route('**/blobs/**', (route) => route.abort());
    await page.goto(`${url}/work/${project}`);
    await page.getByText('The picture did not load').waitFor();
    await page.keyboard.press('1');
    await page.getByText('All saved').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('The item cannot be shown, so nothing can be said of it.').waitFor();
    await expectAccessible(page);
    await picture(page, 'work-picture-absent');
    await expect.poll(() => page.locator('.cup-dots button[data-ready=true]').count()).toBe(0);
    await context.unroute('**/blobs/**');
    await page.getByRole('main').getByRole('button', { name: 'Try again' }).click();
    await page.locator('img.cup-item-image').waitFor();
    await page.locator('body').press('Enter');
    await page.getByText('Nothing more to do here for now').waitFor();
  });

  it('letters mean the same on a Russian keyboard, and Alt+Left does not leave a text half written', async () => {
    const choice = await makeProject(owner.page, name(), 1);
    const { page } = worker;
    await startWork(page, choice.project);
    await page.keyboard.press('1');
    await page.keyboard.press('2');
    await page.evaluate(() => {
      const event = { key: 'я', code: 'KeyZ', ctrlKey: true, bubbles: true, cancelable: true };
      document.body.dispatchEvent(new KeyboardEvent('keydown', event));
    });
    await page.waitForFunction(() => document.querySelector('[role=radio]')?.getAttribute('aria-checked') === 'true');

    const text = await makeProjectOf(owner.page, name(), 2, { kind: 'text' });
    await startWork(page, text.project);
    const field = page.getByLabel('Your text');
    await field.fill('שלום עולם');
    expect(await field.evaluate((element) => getComputedStyle(element).direction)).toBe('rtl');
    await field.press('Alt+ArrowLeft');
    await field.press('Alt+ArrowLeft');
    expect(page.url()).toBe(`${url}/work/${text.project}`);
    await expect.poll(() => field.inputValue()).toBe('שלום עולם');
    expect(worker.complaints).toEqual([]);
  });

  it('a page that cannot be shown says so, and everything around it stays', async () => {
    const { page, context } = owner;
    await context.route('**/api/tasks/broken', (route) => route.fulfill({ json: { id: 'broken' } }));
    await page.goto(`${url}/tasks/broken`);
    await page.getByRole('heading', { name: 'This page cannot be shown' }).waitFor();
    await picture(page, 'page-fault');
    await page.getByRole('link', { name: 'Datasets' }).click();
    await page.getByRole('heading', { name: 'Datasets' }).waitFor();
  });

  it('a statement downloads what was paid in its days', async () => {
    const { page } = worker;
    await page.goto(`${url}/earnings`);
    const address = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
    const answer = await page.evaluate(async (href) => {
      const response = await fetch(href);
      return { status: response.status, text: await response.text() };
    }, address ?? '');
    expect(answer.status).toBe(200);
    expect(answer.text.split('\n')[0]).toContain('amount_minor');
    expect(answer.text.trim().split('\n').length).toBeGreaterThan(1);
  });
});
