/** An audit by two people unseen by each other: each has their own turn, and is told when it is the other's. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, launch, logins, picture, shown, signIn, type Visit, visit } from './browser';
import { judgeAll, judgedTasks, type Made, makeProject } from './shapes_project';

const NAME = `Twice ${Date.now().toString(36)}`;
const DRAWN = 2;

describe.skipIf(!logins)('an audit by two', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let judge: Visit;
  let made: Made;
  let release = '';

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    judge = await visit(browser);
    await signIn(owner, url, requester);
    await signIn(judge, url, adjudicator);
    made = await makeProject(owner.page, NAME, 4);
    const worker = await visit(browser);
    await signIn(worker, url, contributor);
    await judgeAll(worker.page, made.project);
    await worker.context.close();
    for (const task of await judgedTasks(judge.page, made.project)) {
      const label = { kind: 'choice', values: [task.ref.startsWith('disc') ? 'disc' : 'square'] };
      await ask(judge.page, 'POST', `/api/adjudication/${task.id}`, { label });
    }
  });
  afterAll(() => browser?.close());

  /** Judges every item that waits for the signed-in auditor, the same way each time. */
  async function judgeThose({ page }: Visit): Promise<void> {
    await page.goto(`${url}/audits/${release}`);
    for (let position = 0; position < DRAWN; position += 1) {
      await shown(page);
      const before = await page.locator('img.cup-item-image').getAttribute('src');
      await page.keyboard.press('1');
      await page.keyboard.press('Enter');
      await page.waitForFunction(
        (src) => document.querySelector('img.cup-item-image')?.getAttribute('src') !== src,
        before,
      );
    }
  }

  it('is asked for where a release is frozen', async () => {
    const { page } = owner;
    await page.goto(`${url}/projects/${made.project}`);
    await page.getByRole('tab', { name: 'Releases' }).click();
    await page.getByLabel('Items to audit').fill(String(DRAWN));
    await page.getByLabel('two, unseen by each other').check();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Declare the audit' }).click();
    await page.getByRole('button', { name: 'Freeze and draw' }).click();
    const link = page.getByRole('link', { name: 'v1' });
    await link.waitFor();
    await link.click();
    await page.getByText('Each is judged by two people').waitFor();
    release = page.url().split('/').at(-1) ?? '';
  });

  it('says to the first that the other’s turn has come, and to the second that it is done', async () => {
    await judgeThose(judge);
    await judge.page.getByText('Nothing left for you here').waitFor();
    await judge.page.getByText('2 drawn items wait for another auditor.').waitFor();
    await expectAccessible(judge.page);
    await picture(judge.page, 'audit-other-turn');
    await judge.page.goto(`${url}/audits`);
    const row = judge.page.getByRole('row').filter({ has: judge.page.locator(`a[href="/releases/${release}"]`) });
    expect(await row.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    await judgeThose(owner);
    await owner.page.getByText('The audit is done').waitFor();
    expect(owner.complaints).toEqual([]);
    expect(judge.complaints).toEqual([]);
  });
});
