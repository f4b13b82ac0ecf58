/**
 * The main paths of the three people, one after the other on one project: a requester makes it, a contributor labels
 * it and is paid, an adjudicator decides what is doubtful and audits the release, the requester certifies it.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  expectAccessible,
  inspect,
  launch,
  logins,
  picture,
  settled,
  shown,
  signIn,
  type Visit,
  visit,
} from './browser';
import { shapes, zip } from './files';
import { fundAsOperator } from './operator';

const NAME = `Shapes ${Date.now().toString(36)}`;
const ITEMS = 12;
const PAGE = 4;

/** Asks the server as the page would, until `isDone` likes the answer. */
async function until<T>(page: Page, path: string, isDone: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 120; tries += 1) {
    const answer = await page.evaluate(async (address) => {
      const session = (await (await fetch('/api/session')).json()) as { tenants: { id: string }[] };
      const tenant = localStorage.getItem('cupola.tenant') ?? session.tenants[0]?.id ?? '';
      const response = await fetch(address, { headers: tenant ? { 'Cupola-Tenant': tenant } : {} });
      return response.json() as Promise<unknown>;
    }, path);
    if (isDone(answer as T)) return answer as T;
    await page.waitForTimeout(500);
  }
  throw new Error(`${path} did not come to the state that was waited for`);
}

interface Counts {
  counts: { settled: number; escalated: number; total: number };
}

describe.skipIf(!logins)('the main paths', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let judge: Visit;
  let project = '';
  let release = '';

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    worker = await visit(browser);
    judge = await visit(browser, { colorScheme: 'dark' });
    await signIn(owner, url, requester);
    // A budget that others have spent before must not decide whether the paths can be walked.
    await fundAsOperator(owner.page, 2_000);
    await signIn(worker, url, contributor);
    await signIn(judge, url, adjudicator);
  });
  afterAll(() => browser?.close());

  it('a requester makes a project by the wizard, from a zip to the launch', async () => {
    const { page } = owner;
    const next = (step: string) => page.getByRole('button', { name: `Next: ${step}` }).click();
    await page.goto(`${url}/projects/new`);
    await page.getByLabel('Name of the project').fill(NAME);
    await page.getByLabel('Name of the dataset').fill(NAME);
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Choose files' }).waitFor();
    await page.setInputFiles('input[type=file]', {
      name: 'shapes.zip',
      mimeType: 'application/zip',
      buffer: zip({ ...shapes(ITEMS), 'notes/broken.png': Buffer.from('not a picture') }),
    });
    await page.getByText(`${ITEMS} accepted, 0 unchanged, 1 refused`).waitFor({ timeout: 60_000 });
    await expectAccessible(page);
    await picture(page, 'wizard-data');

    await next('Labels');
    await page.getByLabel('Labels, one a line').fill('disc\nsquare');
    await next('Guidelines');
    await page.getByLabel('Guidelines').fill('# Which shape?\n\nA **disc** is round, a **square** has corners.');
    await expectAccessible(page);
    await next('Quality plan');
    await page.getByLabel('Most judgements a task').fill('1');
    await next('Price');
    await page.getByLabel('Tasks on a page').fill(String(PAGE));
    await page.getByText('Cost, fees included').waitFor();
    await expectAccessible(page);
    await picture(page, 'wizard-price');
    await next('Launch');
    await page.getByLabel('Budget for this project').fill('20');
    await page.getByLabel('Budget for this project').blur();
    await expectAccessible(page);
    await picture(page, 'wizard-launch');
    await page.getByRole('button', { name: 'Launch: contributors see it now' }).click();
    await page.waitForURL(/\/projects\/[0-9a-f-]{36}$/, { timeout: 30_000 });
    project = page.url().split('/').at(-1) ?? '';
    await page.getByText('Live', { exact: true }).first().waitFor();
    expect(owner.complaints).toEqual([]);
  });

  it('a contributor sees what it pays before the click', async () => {
    await inspect(worker, `${url}/work`, 'offers');
    const card = worker.page.getByRole('article', { name: NAME });
    await card.getByText('€0.02').waitFor();
    await card.getByText('cannot be taken back').waitFor();
    await card.getByRole('button', { name: 'How the pay comes about' }).click();
    await card.getByText('€0.02 for each judgement, whole').waitFor();
    await expectAccessible(worker.page);
    await card.getByRole('button', { name: 'Start' }).click();
    await worker.page.waitForSelector('.cup-desk');
    await settled(worker.page);
    await expectAccessible(worker.page);
    await picture(worker.page, 'work-choice');
  });

  it('a contributor labels by keys, undoes, and loses nothing in a reload', async () => {
    const { page } = worker;
    await page.keyboard.press('1');
    await page.keyboard.press('2');
    await page.keyboard.press('Control+z');
    const first = page.getByRole('radio').first();
    await expect.poll(() => first.getAttribute('aria-checked')).toBe('true');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Task 1, done' }).waitFor();
    await page.keyboard.press('2');
    await page.getByText('All saved').waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Task 1, done' }).waitFor();
    await expect.poll(() => page.getByRole('radio').nth(1).getAttribute('aria-checked')).toBe('true');
  });

  it('a contributor’s work survives the server’s absence, and is sent when it is back', async () => {
    const { page, context } = worker;
    await context.setOffline(true);
    await page.keyboard.press('1');
    await page.getByText('Kept in this browser; the server does not answer').waitFor();
    await context.setOffline(false);
    await page.getByText('All saved').waitFor({ timeout: 20_000 });
    worker.complaints.length = 0;
  });

  it('a contributor is shown the keys by a question mark', async () => {
    const { page } = worker;
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Choose disc').waitFor();
    await page.waitForTimeout(300);
    await expectAccessible(page);
    await picture(page, 'work-keys');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('a contributor finishes every page and is paid for each judgement', async () => {
    const { page } = worker;
    for (let done = 0; done < ITEMS; done += 1) {
      const empty = page.getByText('Nothing more to do here for now');
      await empty.or(page.locator('.cup-desk')).first().waitFor();
      if (await empty.isVisible()) break;
      await page.locator('.cup-unseen').waitFor({ state: 'detached' });
      await page.keyboard.press('1');
      await page.keyboard.press('Enter');
      await page.waitForTimeout(120);
    }
    await page.getByText('Nothing more to do here for now').waitFor({ timeout: 30_000 });
    await expectAccessible(page);
    await picture(page, 'work-empty');
    await inspect(worker, `${url}/earnings`, 'earnings');
    const row = page.getByRole('row').filter({ hasText: NAME }).first();
    await row.getByText('€0.24').waitFor();
    await row.getByText('12', { exact: true }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'CSV' }).click();
    expect((await download).suggestedFilename()).toMatch(/^cupola-statement.*\.csv$/);
    expect(worker.complaints).toEqual([]);
  });

  it('an adjudicator sees all judgements of a doubtful task side by side and decides', async () => {
    const { page } = judge;
    const { counts } = await until<Counts>(
      page,
      `/api/projects/${project}`,
      (found) => found.counts.settled + found.counts.escalated === ITEMS,
    );
    expect(counts.escalated).toBeGreaterThan(0);
    await inspect(judge, `${url}/adjudication?project=${project}`, 'adjudication');
    await page
      .getByRole('link', { name: /(disc|square)-\d+/ })
      .first()
      .click();
    for (let left = counts.escalated; left > 0; left -= 1) {
      await page.getByRole('heading', { name: 'Judgements (1)' }).waitFor();
      if (left === counts.escalated) {
        await expectAccessible(page);
        await picture(page, 'adjudicate');
      }
      await shown(page);
      const before = page.url();
      const reference = ((await page.locator('.cup-desk-bar .cup-ellipsis').textContent()) ?? '').trim();
      await page.keyboard.press(reference.startsWith('disc') ? '1' : '2');
      await page.keyboard.press('Enter');
      await page.waitForURL((address) => address.href !== before);
    }
    await until<Counts>(page, `/api/projects/${project}`, (found) => found.counts.settled === ITEMS);
    expect(judge.complaints).toEqual([]);
  });

  it('a requester watches the project and freezes a release', async () => {
    const { page } = owner;
    await inspect(owner, `${url}/projects/${project}`, 'project');
    await page.getByRole('tab', { name: 'Contributors' }).click();
    await page.getByText('No skill worked out yet').or(page.getByText('Skill of each contributor')).waitFor();
    await expectAccessible(page);
    await picture(page, 'project-contributors');
    await page.getByRole('tab', { name: 'Releases' }).click();
    await page.getByLabel('Items to audit').fill('3');
    await page.getByRole('button', { name: 'Declare the audit' }).click();
    await page.getByRole('button', { name: 'Freeze and draw' }).click();
    const link = page.getByRole('link', { name: 'v1' });
    await link.waitFor();
    await expectAccessible(page);
    await link.click();
    await page.waitForURL(/\/releases\//);
    release = page.url().split('/').at(-1) ?? '';
    await settled(page);
    await expectAccessible(page);
  });

  it('an adjudicator audits it without seeing the settled labels', async () => {
    const { page } = judge;
    await inspect(judge, `${url}/audits`, 'audits');
    await page.goto(`${url}/audits/${release}`);
    for (let position = 1; position <= 3; position += 1) {
      await page.getByText(`${position} of 3`).waitFor();
      await shown(page);
      if (position === 1) {
        await expectAccessible(page);
        await picture(page, 'audit');
      }
      await page.keyboard.press('1');
      await page.keyboard.press('Enter');
    }
    await page.getByText('The audit is done').waitFor();
    expect(judge.complaints).toEqual([]);
  });

  it('a requester certifies and exports it', async () => {
    const { page } = owner;
    await page.goto(`${url}/releases/${release}`);
    const certify = page.getByRole('button', { name: 'Close the audit and certify' });
    // Three items cannot reach 99 %: the certificate says so, and carries no stamp.
    const certificate = page.getByRole('heading', { name: 'Certificate' });
    await certify.or(certificate).first().waitFor();
    if (await certify.isVisible()) await certify.click();
    await certificate.waitFor();
    await page.getByText('The target of 99 % is not reached.').waitFor();
    await expect.poll(() => page.locator('.cup-hallmark').count()).toBe(0);
    await page.getByRole('button', { name: 'New export' }).click();
    await page.getByRole('menuitem', { name: /JSON Lines/ }).click();
    const file = page.getByRole('link', { name: 'Download' });
    await file.waitFor({ timeout: 60_000 });
    const download = page.waitForEvent('download');
    await file.click();
    expect((await (await download).createReadStream()).readable).toBe(true);
    await expectAccessible(page);
    await picture(page, 'release');
    expect(owner.complaints).toEqual([]);
  });
});
