/** Where experts cannot decide: the queue, a rule written from it, and a project that begins with the new version. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, inspect, launch, logins, picture, settled, signIn, type Visit, visit } from './browser';
import { judgeAll, judgedTasks, type Made, makeProject } from './shapes_project';

const NAME = `Unclear ${Date.now().toString(36)}`;
const chosen = (value: string) => ({ label: { kind: 'choice', values: [value] } });

describe.skipIf(!logins)('the guideline queue', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let made: Made;
  let unsure = '';

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    await signIn(owner, url, requester);
    made = await makeProject(owner.page, NAME, 4);
  });
  afterAll(() => browser?.close());

  it('is empty, and says what would bring a task there, before any expert has looked', async () => {
    await inspect(owner, `${url}/projects/${made.project}/guideline`, 'guideline-empty');
    await owner.page.getByText('The guideline has an answer for everything so far').waitFor();
  });

  it('shows what experts could not decide beside what people said, and counts it on the project’s page', async () => {
    const worker = await visit(browser);
    await signIn(worker, url, contributor);
    await judgeAll(worker.page, made.project);
    await worker.context.close();
    const judge = await visit(browser);
    await signIn(judge, url, adjudicator);
    const [first, second, third] = await judgedTasks(judge.page, made.project);
    if (!first || !second || !third) throw new Error('there are fewer tasks than were made');
    unsure = first.ref;
    const decide = (task: string, body: unknown) => ask(judge.page, 'POST', `/api/adjudication/${task}`, body);
    await decide(first.id, { undecidable: true, note: 'Its corners are round.' });
    await decide(second.id, chosen('disc'));
    await decide(second.id, chosen('square'));
    await decide(third.id, chosen('disc'));
    await judge.context.close();

    const { page } = owner;
    await page.goto(`${url}/projects/${made.project}`);
    await page.getByRole('link', { name: '2 cases that the guideline leaves open' }).click();
    await page.getByRole('article', { name: first.ref }).getByText('1 of 1 expert could not decide').waitFor();
    await page.getByText('Its corners are round.').waitFor();
    await page.getByRole('article', { name: second.ref }).getByText('experts disagree').waitFor();
    await expect.poll(() => page.getByRole('article').count()).toBe(2);
    await expect.poll(() => page.getByRole('article', { name: third.ref }).count()).toBe(0);
    await settled(page);
    await expectAccessible(page);
    await picture(page, 'guideline-queue');

    const pair = page.getByRole('button', { name: /disc.*square/ });
    await pair.click();
    await expect.poll(() => pair.getAttribute('aria-pressed')).toBe('true');
    await expect.poll(() => page.getByRole('article').count()).toBe(1);
    await pair.click();
  });

  it('is in Chinese and dark as everything is', async () => {
    const here = await visit(browser, { colorScheme: 'dark', locale: 'zh-CN' });
    await signIn(here, url, requester);
    await inspect(here, `${url}/projects/${made.project}/guideline`, 'guideline-queue-dark-zh-CN');
    await here.page.getByText('专家意见不一').waitFor();
    expect(here.complaints).toEqual([]);
    await here.context.close();
  });

  it('lets a rule be written from a case, kept as a version that the next project takes', async () => {
    const { page } = owner;
    await page.goto(`${url}/projects/${made.project}/guideline`);
    await page
      .getByRole('button', { name: /Write a rule about/ })
      .last()
      .click();
    const words = page.getByRole('textbox', { name: 'Guidelines' });
    await words.waitFor();
    expect(await words.inputValue()).toMatch(/^Say which shape it is\.\n\n- \*\*.+\*\*: $/);
    await words.press('Control+End');
    await words.pressSequentially('Round corners make a disc.');
    await page.waitForTimeout(200);
    await expectAccessible(page);
    await picture(page, 'guideline-edit');
    await page.getByRole('button', { name: 'Keep as version 2' }).click();
    await page.getByText('This project still shows version 1').waitFor();
    const kept = await ask<{ version: number; guidelines: { en: string; zh: string } }>(
      page,
      'GET',
      `/api/ontologies/${made.ontology}`,
    );
    expect(kept.version).toBe(2);
    expect(kept.guidelines.en).toContain('Round corners make a disc.');
    expect(kept.guidelines.zh).toBe('请选择形状。');
    await page.getByRole('button', { name: 'Use it in this project' }).click();
    await page.getByText('Contributors read version 2 on every page they claim from now on').waitFor();
    await page.getByRole('link', { name: 'New project with version 2' }).click();
    await page.getByText(`Labels and guideline of ${NAME}, version 2.`).waitFor();
    expect(owner.complaints).toEqual([]);
  });

  it('lets an expert decide a case again, and brings them back', async () => {
    const { page } = owner;
    await page.goto(`${url}/projects/${made.project}/guideline`);
    await page.getByRole('link', { name: `Decide again: ${unsure}` }).click();
    await page.waitForSelector('.cup-desk');
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/guideline$/);
    await page.getByText('1 of 2 experts could not decide').waitFor();
  });
});
