/** Stories of work on texts: a rubric is graded, names are marked, an answer is written, sent back and mended. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, launch, logins, picture, settled, shown, signIn, type Visit, visit } from './browser';
import { earned, makeOfTemplate, makeRows, theTask } from './language_project';
import { anotherContributor } from './operator';

const NAME = `Words ${Date.now().toString(36)}`;
/** A combining mark, a family of three, East Asia and right to left. */
const ODD = 'Zoe\u0308 👩‍👩‍👧 met 小林 at the Bank of England in תל אביב.';
const points = (words: string) => [...ODD.slice(0, ODD.indexOf(words))].length;
const marked = (words: string, label: string) => ({
  start: points(words),
  end: points(words) + [...words].length,
  label,
});

async function take(page: Page, url: string, project: string, stage = 0): Promise<void> {
  await page.goto(`${url}/work/${project}${stage ? `?stage=${stage}` : ''}`);
  await shown(page);
}
const done = (page: Page) => page.getByText('Nothing more to do here for now').waitFor();

describe.skipIf(!logins)('work on texts', () => {
  const { url, requester } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  const people: Visit[] = [];

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    await signIn(owner, url, requester);
    for (const [name, options] of [
      [`Wanda ${NAME}`, {}],
      [`Rita ${NAME}`, {}],
      [`Xu ${NAME}`, { width: 390, colorScheme: 'dark', locale: 'zh-CN' }],
    ] as const) {
      const one = await visit(browser, options);
      await signIn(one, url, await anotherContributor(name));
      people.push(one);
    }
  });
  afterAll(() => browser?.close());

  it('begin with a template, whose questions and price the wizard brings', async () => {
    const { page } = owner;
    const dataset = await makeRows(page, `${NAME} wizard`, [{ id: 'a', prompt: 'Why?', response: 'Because.' }]);
    await page.evaluate((begun) => sessionStorage.setItem('cupola.wizard', JSON.stringify(begun)), {
      name: `${NAME} wizard`,
      dataset,
    });
    await page.goto(`${url}/projects/new`);
    await settled(page);
    await page.getByRole('button', { name: /^Next/ }).click();
    await page.getByText('Rate', { exact: true }).click();
    await expectAccessible(page);
    await picture(page, 'language-templates');
    await page.getByRole('button', { name: /Rubric with weighted criteria/ }).click();
    await page.getByText('From the template “Rubric with weighted criteria”').waitFor();
    await expectAccessible(page);
    for (const step of ['Guidelines', 'Quality plan', 'Price']) {
      await page.getByRole('button', { name: `Next: ${step}` }).click();
    }
    await expect.poll(() => page.getByLabel('Price of a judgement').inputValue()).toMatch(/^0\.63/);
    await page.getByRole('button', { name: 'Next: Launch' }).click();
    await page.getByRole('button', { name: 'Keep as a draft' }).click();
    await page.getByRole('heading', { name: `${NAME} wizard` }).waitFor();
    expect(owner.complaints).toEqual([]);
  });

  it('grade each criterion of a rubric, see what it is worth, and are paid', async () => {
    const [, worker] = people;
    const { page } = worker as Visit;
    const made = await makeOfTemplate(owner.page, `${NAME} rubric`, 'rubric', [
      { id: 'dose', prompt: 'May I take ibuprofen with an ulcer?', response: 'Better not: ask your **doctor**.' },
    ]);
    const before = await earned(page);
    await take(page, url, made.project);
    const criterion = (name: RegExp) => page.getByRole('group', { name });
    await criterion(/Answers the question that was asked \(\+5 points\)/)
      .getByRole('radio', { name: 'Yes' })
      .check();
    await criterion(/Every fact in it is right/)
      .getByRole('radio', { name: 'Yes' })
      .check();
    await criterion(/Says what it does not know/)
      .getByRole('radio', { name: 'No' })
      .check();
    await criterion(/Advises something that may harm \(−8 points\)/)
      .getByRole('radio', { name: 'No' })
      .check();
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => page.getByText('Nothing more to do here for now').count()).toBe(0); // one is still open
    await criterion(/How clear it is/)
      .getByRole('radio', { name: '2' })
      .click();
    await expectAccessible(page);
    await picture(page, 'language-rubric');
    await page.keyboard.press('Control+Enter');
    await done(page);
    expect((await earned(page)) - before).toBe(made.prices[0]);
    const { judgements } = await theTask(owner.page, made.project);
    expect(judgements[0]?.label.answers['harmful advice']).toEqual({ type: 'each', values: { t1: false } });
    expect(judgements[0]?.label.answers.clarity).toEqual({ type: 'each', values: { t1: 2 } });
    expect((worker as Visit).complaints).toEqual([]);
  });

  it('mark names of every script, one within another, and how they relate', async () => {
    const [worker] = people;
    const { page } = worker as Visit;
    const made = await makeOfTemplate(owner.page, `${NAME} names`, 'entities', [{ ref: 'odd', text: ODD }]);
    await take(page, url, made.project);
    const wanted = [
      ['Zoe\u0308', 'PER'],
      ['👩‍👩‍👧', 'MISC'],
      ['小林', 'PER'],
      ['Bank of England', 'ORG'],
      ['England', 'LOC'],
      ['תל אביב', 'LOC'],
    ] as const;
    for (const [words, label] of wanted) {
      await page.getByLabel('Words to mark').fill(words);
      await page.getByRole('button', { name: label, exact: true }).click();
    }
    await page.getByRole('combobox', { name: 'From' }).click();
    await page.getByRole('option', { name: '小林 (PER)' }).click();
    await page.getByRole('combobox', { name: 'To' }).click();
    await page.getByRole('option', { name: 'Bank of England (ORG)' }).click();
    await page.getByRole('button', { name: 'works for', exact: true }).click();
    await expectAccessible(page);
    await picture(page, 'language-names');
    await page.keyboard.press('Control+Enter');
    await done(page);
    const { judgements } = await theTask(owner.page, made.project);
    const said = judgements[0]?.label.answers.entities as {
      spans: object[];
      relations: { head: number; tail: number }[];
    };
    const places = wanted.map(([words, label]) => marked(words, label));
    expect(said.spans).toHaveLength(places.length);
    expect(said.spans).toEqual(expect.arrayContaining(places));
    const [link] = said.relations;
    expect([said.spans[link?.head ?? -1], said.spans[link?.tail ?? -1]]).toEqual([places[2], places[3]]);
    expect((worker as Visit).complaints).toEqual([]);
  });

  it('write an answer, have it sent back with a reason, mend it, and are paid at each stage', async () => {
    const [writer, reviewer, second] = people.map(({ page }) => page) as [Page, Page, Page];
    const made = await makeOfTemplate(owner.page, `${NAME} answers`, 'answer-writing', [
      { id: 'list', prompt: 'Reverse a list in Python without changing it.' },
    ]);
    const before = await Promise.all([writer, reviewer, second].map(earned));
    const paid = async () =>
      (await Promise.all([writer, reviewer, second].map(earned))).map((now, at) => now - (before[at] ?? 0));
    const state = async () => (await theTask(owner.page, made.project)).state;

    await take(writer, url, made.project);
    await writer.getByLabel('The answer').fill('items.reverse()');
    await expectAccessible(writer);
    await picture(writer, 'language-write');
    await writer.keyboard.press('Control+Enter');
    await done(writer);
    expect(await paid()).toEqual([made.prices[0], 0, 0]);

    const offered = (page: Page) =>
      page.evaluate(
        async () => (await (await fetch('/api/work/offers')).json()) as { project: string; stage: number }[],
      );
    const waits = (page: Page, stage: number) =>
      expect
        .poll(async () => (await offered(page)).some((one) => one.project === made.project && one.stage === stage), {
          timeout: 60_000,
        })
        .toBe(true);
    await waits(reviewer, 1);
    await take(reviewer, url, made.project, 1);
    await reviewer.getByRole('button', { name: 'Reject', exact: true }).click();
    const dialog = reviewer.getByRole('dialog');
    await dialog.getByLabel('In your words').fill('That changes the list itself.');
    await dialog.getByRole('button', { name: 'Reject', exact: true }).click();
    await done(reviewer);
    expect(await paid()).toEqual([made.prices[0], made.prices[1], 0]);

    await waits(writer, 2);
    await take(writer, url, made.project, 2);
    await writer.getByText(/That changes the list itself\./).waitFor();
    await writer.getByLabel('The answer').fill('Use `items[::-1]`.');
    await picture(writer, 'language-mend');
    await writer.keyboard.press('Control+Enter');
    await done(writer);
    expect((await paid())[0]).toBe((made.prices[0] ?? 0) + (made.prices[2] ?? 0));

    await waits(second, 3);
    await second.goto(`${url}/work/${made.project}?stage=3`);
    await shown(second);
    await expectAccessible(second);
    await picture(second, 'language-review-390');
    await second.keyboard.press('Control+Enter');
    await expect.poll(state, { timeout: 60_000 }).toBe('settled');
    expect((await paid())[2]).toBe(made.prices[3]);
    const { settlements } = await theTask(owner.page, made.project);
    expect(settlements.map(({ how, label }) => [how, label?.answers.answer])).toEqual([
      ['reviewed', 'Use `items[::-1]`.'],
    ]);
    for (const one of people) expect(one.complaints).toEqual([]);
  });
});
