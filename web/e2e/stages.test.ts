/** A project of stages: one draws, another rejects with a reason, the maker reads it and mends it. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, launch, logins, picture, settled, shown, signIn, type Visit, visit } from './browser';
import { anotherContributor } from './operator';
import { type Made, makeDataset, makeProjectOn } from './shapes_project';

const NAME = `Reviewed ${Date.now().toString(36)}`;
const NOTE = `The corner is round, ${NAME}: that is a disc.`;

describe.skipIf(!logins)('stages', () => {
  const { url, requester, contributor } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let maker: Visit;
  let reviewer: Visit;
  let made: Made;

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    await signIn(owner, url, requester);
    const spec = { kind: 'choice', classes: [{ name: 'disc' }, { name: 'square' }] };
    const dataset = await makeDataset(owner.page, NAME, 1);
    made = await makeProjectOn(owner.page, dataset, NAME, 1, spec, 2, [{ price_minor: 1, fix: { price_minor: 2 } }]);
    maker = await visit(browser);
    await signIn(maker, url, contributor);
    reviewer = await visit(browser, { width: 390 });
    await signIn(reviewer, url, await anotherContributor(`Rita ${NAME}`));
  });
  afterAll(() => browser?.close());

  it('is offered stage by stage, and what is rejected is told with its reason and mended by its maker', async () => {
    await maker.page.goto(`${url}/work/${made.project}`);
    await shown(maker.page);
    await maker.page.keyboard.press('2');
    await maker.page.keyboard.press('Enter');
    await maker.page.getByText('Nothing more to do here for now').waitFor();

    const desk = reviewer.page;
    const offered = async () =>
      (await ask<{ project: string; stage: number }[]>(desk, 'GET', '/api/work/offers'))
        .filter(({ project }) => project === made.project)
        .map(({ stage }) => stage);
    await expect.poll(offered, { timeout: 30_000 }).toEqual([1]);
    await desk.goto(`${url}/work/${made.project}?stage=1`);
    await shown(desk);
    await desk.getByText('Review', { exact: true }).waitFor();
    await desk.getByRole('button', { name: 'Reject', exact: true }).click();
    const dialog = desk.getByRole('dialog');
    await dialog.getByLabel('In your words').fill(NOTE);
    await expectAccessible(desk);
    await picture(desk, 'stages-reject-390');
    await dialog.getByRole('button', { name: 'Reject', exact: true }).click();
    await desk.getByText('Nothing more to do here for now').waitFor();

    const { page } = maker;
    await page.goto(`${url}/work`);
    await page.getByText(`A wrong class or answer: ${NOTE}`).waitFor();
    const card = page.getByRole('article', { name: NAME, exact: true });
    await expect
      .poll(
        async () => {
          await page.reload();
          await settled(page);
          return card.count();
        },
        { timeout: 30_000 },
      )
      .toBe(1);
    await card.getByText(/^Mend:/).waitFor();
    await expectAccessible(page);
    await picture(page, 'stages-sent-back');
    await card.getByRole('button', { name: 'Start' }).click();
    await shown(page);
    await page.getByText('A review rejected this').waitFor();
    await page.getByText(`A wrong class or answer: ${NOTE}`).waitFor();
    await expectAccessible(page);
    await picture(page, 'stages-mend');
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing more to do here for now').waitFor();

    const task = async () => {
      const { items } = await ask<{ items: { id: string; state: string }[] }>(
        owner.page,
        'GET',
        `/api/projects/${made.project}/tasks?limit=10`,
      );
      return items[0];
    };
    await expect.poll(async () => (await task())?.state, { timeout: 30_000 }).toBe('settled');
    const found = await ask<{ settlements: { how: string; label: { values: string[] } }[] }>(
      owner.page,
      'GET',
      `/api/tasks/${(await task())?.id}`,
    );
    expect(found.settlements.map(({ how, label }) => [how, label.values])).toEqual([['reviewed', ['disc']]]);
    for (const one of [owner, maker, reviewer]) expect(one.complaints).toEqual([]);
  });

  it('is chosen and priced where a project is made', async () => {
    const { page } = owner;
    const { dataset, ontology_version } = await ask<{ dataset: string; ontology_version: string }>(
      page,
      'GET',
      `/api/projects/${made.project}`,
    );
    await page.evaluate((begun) => sessionStorage.setItem('cupola.wizard', JSON.stringify(begun)), {
      name: `${NAME} too`,
      dataset,
    });
    await page.goto(`${url}/projects/new?like=${ontology_version}`);
    await settled(page);
    await page.getByRole('button', { name: /Quality plan/ }).click();
    await page.getByRole('combobox', { name: 'Who reviews each label' }).click();
    await page.getByRole('option', { name: /what they reject is mended/ }).click();
    await expectAccessible(page);
    await picture(page, 'stages-wizard-quality');
    await page.getByRole('button', { name: /^Next/ }).click();
    await page.getByLabel('Price of a review').waitFor();
    await page.getByLabel('Price of mending').waitFor();
    await expectAccessible(page);
    await picture(page, 'stages-wizard-price');
  });
});
