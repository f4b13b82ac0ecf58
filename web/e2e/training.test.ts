/** Training: offered before the project, what was right is told after each page, and passing opens the project. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, launch, logins, picture, settled, signIn, type Visit, visit } from './browser';
import { isSquare, type Made, makeProject } from './shapes_project';

const NAME = `Trained ${Date.now().toString(36)}`;

describe.skipIf(!logins)('training', () => {
  const { url, requester, contributor } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let made: Made;

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    await signIn(owner, url, requester);
    made = await makeProject(owner.page, NAME, 14);
    worker = await visit(browser);
    await signIn(worker, url, contributor);
  });
  afterAll(() => browser?.close());

  it('is made on the project’s page from known answers, funded and opened', async () => {
    const { page } = owner;
    const { items } = await ask<{ items: { ref: string }[] }>(
      page,
      'GET',
      `/api/projects/${made.project}/tasks?limit=100`,
    );
    await page.goto(`${url}/projects/${made.project}`);
    await page.getByRole('tab', { name: 'Gold and training' }).click();
    await page.getByLabel('What newcomers learn from').fill(
      items
        .slice(0, 12)
        .map(({ ref }) => `${ref},${ref.startsWith('disc') ? 'disc' : 'square'}`)
        .join('\n'),
    );
    await page.getByRole('button', { name: 'Make a training of them' }).click();
    await page.getByLabel('Budget for training').fill('3');
    await page.getByLabel('Budget for training').blur();
    await expectAccessible(page);
    await picture(page, 'training-made');
    await page.getByRole('button', { name: 'Open the training' }).click();
    await page.getByRole('button', { name: 'Open the training' }).waitFor({ state: 'detached' });
    const training = await ask<{ state: string; tasks: number }>(page, 'GET', `/api/projects/${made.project}/training`);
    expect(training).toMatchObject({ state: 'live', tasks: 12 });
    expect(owner.complaints).toEqual([]);
  });

  it('stands on the board before the project does, with what it takes', async () => {
    const { page } = worker;
    await page.goto(`${url}/work`);
    const card = page.getByRole('article', { name: `${NAME} / training` });
    await card.getByText(/Training first, paid the same/).waitFor();
    await expect.poll(() => page.getByRole('article', { name: NAME, exact: true }).count()).toBe(0);
    await expectAccessible(page);
    await picture(page, 'training-offer');
  });

  it('leads whoever goes to the project to its training first', async () => {
    const { page } = worker;
    await page.goto(`${url}/work/${made.project}`);
    await page.getByRole('link', { name: 'Begin the training' }).click();
    await page.waitForSelector('.cup-desk');
    await page.getByText('Training', { exact: true }).waitFor();
  });

  it('says after the page what was right, pays either way, and opens the project once it is passed', async () => {
    const { page } = worker;
    await settled(page);
    const tasks = await page.locator('.cup-dots button').count();
    // The pictures have no names here: what is seen decides. A disc's corner is dark, a square's is bright.
    for (let at = 0; at < tasks; at += 1) {
      const square = await isSquare(page);
      // One is wrong on purpose.
      await page.keyboard.press((square ? '2' : '1') === '1' ? (at === 0 ? '2' : '1') : at === 0 ? '1' : '2');
      await page.keyboard.press('Enter');
      await page.waitForTimeout(80);
    }
    await page.getByRole('heading', { name: `${tasks - 1} of ${tasks} right` }).waitFor();
    await expect.poll(() => page.getByText('not right', { exact: true }).count()).toBe(1);
    await page.getByText('Right is').waitFor();
    await page.getByText(/right or not, it is yours/).waitFor();
    await page.getByText('Training passed: the project itself is open to you.').waitFor();
    await settled(page);
    await expectAccessible(page);
    await picture(page, 'training-lesson');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/work$/);
    await page.getByRole('article', { name: NAME, exact: true }).waitFor();
    expect(worker.complaints.filter((complaint) => !/409/.test(complaint))).toEqual([]);
  });
});
