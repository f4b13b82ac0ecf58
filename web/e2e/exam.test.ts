/** Exam → skill → offer → work: a project asks for what somebody shows, and says to everybody why it is theirs or not. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, launch, logins, picture, settled, signIn, type Visit, visit } from './browser';
import { anotherContributor } from './operator';
import { isSquare, type Made, makeProject } from './shapes_project';

const STAMP = Date.now().toString(36);
const NAME = `Examined ${STAMP}`;
const SKILL = `shapes ${STAMP}`;
const ITEMS = 8; // fewer right answers show no 80 %

describe.skipIf(!logins)('an exam', () => {
  const { url, requester } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let made: Made;

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    await signIn(owner, url, requester);
    made = await makeProject(owner.page, NAME, 20);
    const { items } = await ask<{ items: { ref: string }[] }>(
      owner.page,
      'GET',
      `/api/projects/${made.project}/tasks?limit=100`,
    );
    const labels = items.slice(0, 2 * ITEMS).map(({ ref }) => ({
      ref,
      label: { kind: 'choice', values: [ref.startsWith('disc') ? 'disc' : 'square'] },
    }));
    await ask(owner.page, 'POST', `/api/projects/${made.project}/gold`, { labels });
    worker = await visit(browser, { width: 390, colorScheme: 'dark', locale: 'en-GB' });
    await signIn(worker, url, await anotherContributor(NAME));
  });
  afterAll(() => browser?.close());

  it('is made of a project’s gold in two clicks, and the project asks for it', async () => {
    const { page } = owner;
    await page.goto(`${url}/projects/${made.project}`);
    await page.getByRole('tab', { name: 'Who may work' }).click();
    await page.getByLabel('A skill that its gold shows').fill(SKILL);
    await page.getByLabel('Items of an attempt').fill(String(ITEMS));
    await page.getByRole('button', { name: 'Make an exam of its gold' }).click();
    const row = page.getByRole('row', { name: new RegExp(SKILL) });
    await row.getByLabel('Budget of the exam').fill('2');
    await row.getByLabel('Budget of the exam').blur();
    await picture(page, 'exam-made');
    await row.getByRole('button', { name: 'Open the exam' }).click();
    await row.getByRole('button', { name: 'Open the exam' }).waitFor({ state: 'detached' });
    await page.getByRole('textbox', { name: 'Whom it is for' }).fill(`exam("${SKILL}") >= 0.6`);
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: 'Whom it is for' }).fill('approval_rate > 0.95');
    await page.getByRole('button', { name: 'How many fit?' }).click();
    await page
      .getByText(/never by volume or an approval rate/)
      .first()
      .waitFor();
    await settled(page);
    await expectAccessible(page);
    await picture(page, 'exam-asked-for');
  });

  it('stands among the offers, and the project beside it says what is missing', async () => {
    const { page } = worker;
    await page.goto(`${url}/work`);
    const missing = page.getByRole('article', { name: NAME, exact: true });
    await missing.getByText(`An exam passed: ${SKILL}`).waitFor();
    await settled(page);
    await expectAccessible(page);
    await picture(page, 'exam-opening-390');
    await missing.getByRole('link', { name: `Take the exam: ${SKILL}` }).click();
    await page.waitForSelector('.cup-desk');
    await page.getByText('Exam', { exact: true }).waitFor();
  });

  it('pays each answer, says what was shown, and opens the project', async () => {
    const { page } = worker;
    for (let at = 0; at < ITEMS; at += 1) {
      await settled(page);
      await page.keyboard.press((await isSquare(page)) ? '2' : '1');
      await page.keyboard.press('Enter');
      await page.waitForTimeout(80);
    }
    await page.waitForURL(/\/exams\//);
    await page.getByRole('heading', { name: `Exam: ${SKILL}` }).waitFor();
    await page.getByText('Passed', { exact: true }).waitFor();
    await settled(page);
    await expectAccessible(page);
    await picture(page, 'exam-result-390');
    await page.goto(`${url}/skills`);
    await page.getByRole('link', { name: SKILL }).waitFor();
    await settled(page);
    await expectAccessible(page);
    await picture(page, 'exam-skills-390');
    await page.goto(`${url}/work`);
    const offer = page.getByRole('article', { name: NAME, exact: true });
    await offer.getByRole('button', { name: 'Why this is yours' }).click();
    await offer.getByText(`An exam passed: ${SKILL}`).waitFor();
    await picture(page, 'exam-offer-390');
    await offer.getByRole('button', { name: 'Start' }).click();
    await page.waitForSelector('.cup-desk');
    expect(worker.complaints).toEqual([]);
  });
});
