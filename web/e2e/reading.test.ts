/** A manager who reads the labels of an open audit says so, and judges none of them; others still do. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, launch, logins, picture, shown, signIn, type Visit, visit } from './browser';
import { judgeAll, judgedTasks, type Made, makeProject } from './shapes_project';

describe.skipIf(!logins)('whoever reads the labels of an audit', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let judge: Visit;
  let made: Made;

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    judge = await visit(browser);
    await signIn(owner, url, requester);
    await signIn(judge, url, adjudicator);
    made = await makeProject(owner.page, `Read ${Date.now().toString(36)}`, 4);
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

  it('is told what that costs, may go back by Escape, and audits none of it', async () => {
    const { page } = owner;
    await page.goto(`${url}/projects/${made.project}`);
    await page.getByRole('tab', { name: 'Releases' }).click();
    await page.getByLabel('Items to audit').fill('2');
    await page.getByRole('button', { name: 'Declare the audit' }).click();
    await page.getByRole('button', { name: 'Freeze and draw' }).click();
    await page.getByRole('link', { name: 'v1' }).click();
    const read = page.getByRole('button', { name: 'Read the labels' });
    await read.click();
    await page.getByText('This cannot be taken back.').waitFor();
    await expectAccessible(page);
    await picture(page, 'audit-read');
    await page.keyboard.press('Escape');
    await page.getByText('This cannot be taken back.').waitFor({ state: 'hidden' });
    await expect.poll(() => read.evaluate((button) => button === document.activeElement)).toBe(true);
    await read.press('Enter');
    await page.getByRole('button', { name: 'Read, and audit none of it' }).click();
    await page.getByText('You read the labels of this release, and audit none of them.').waitFor();
    const release = page.url().split('/').at(-1) ?? '';
    await page.goto(`${url}/audits/${release}`);
    await page.getByText('You have read labels of this release since its audit began').waitFor();
    await judge.page.goto(`${url}/audits/${release}`);
    await shown(judge.page);
    // What is refused is told by the browser too.
    expect(owner.complaints.filter((one) => !one.includes(`/api/audits/${release}/next`))).toEqual([]);
  });

  it('is not asked of a reviewer, who may only audit', async () => {
    const { page } = judge;
    const release = page.url().split('/').at(-1) ?? '';
    await page.goto(`${url}/releases/${release}`);
    await page.getByText(/of 2 audited/).waitFor();
    expect(await page.getByRole('button', { name: 'Read the labels' }).count()).toBe(0);
  });
});
