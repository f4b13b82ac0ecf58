/** Every page of every person, with axe, in light English and dark Chinese, without a complaint in the console. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAccessible, inspect, launch, logins, pathOf, picture, settled, signIn, visit } from './browser';

const PAGES: Record<'requester' | 'contributor' | 'adjudicator' | 'operator', string[]> = {
  requester: [
    '/projects',
    '/projects/new',
    '/datasets',
    '/money',
    '/members',
    '/keys',
    '/webhooks',
    '/orders',
    '/adjudication',
    '/audits',
  ],
  contributor: ['/work', '/earnings'],
  adjudicator: ['/projects', '/adjudication', '/audits'],
  operator: ['/operator'],
};
const LOOKS = [
  { colorScheme: 'light', locale: 'en-GB' },
  { colorScheme: 'dark', locale: 'zh-CN' },
] as const;

describe.skipIf(!logins)('every page', () => {
  const known = logins as NonNullable<typeof logins>;
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it('of a project that is full of work is accessible, its charts among it', async () => {
    const here = await visit(browser);
    await signIn(here, known.url, known.requester);
    await here.page.goto(`${known.url}/projects`);
    const project = here.page.getByRole('link', { name: 'Handwritten digits' }).first();
    await project.waitFor();
    await inspect(here, new URL((await project.getAttribute('href')) ?? '', known.url).href, 'digits');
    await here.page.getByText('Are the claims true?').waitFor();
    const target = here.page.getByRole('slider', { name: 'Target accuracy' });
    await target.focus();
    await here.page.keyboard.press('Home');
    expect(await target.getAttribute('aria-valuetext')).toMatch(/^90\s%$/);
    await here.page
      .getByText(/would certify it|within reach|out of reach/)
      .first()
      .waitFor();
    await here.page.screenshot({ path: pathOf('digits-whole'), fullPage: true });
    for (const [tab, mark] of [
      ['Contributors', 'Skill of each contributor'],
      ['Releases', 'Declare a release'],
      ['Gold and training', 'Known answers (gold)'],
      ['Price and budget', 'New price for each judgement'],
    ] as const) {
      await here.page.getByRole('tab', { name: tab }).click();
      await here.page.getByText(mark).first().waitFor();
      await settled(here.page);
      await expectAccessible(here.page);
      await picture(here.page, `digits-${tab.toLowerCase().replaceAll(' ', '-')}`);
    }
    await here.page.getByRole('tab', { name: 'Contributors' }).click();
    await here.page.locator('.cup-matrix td a').first().click();
    await here.page.getByText('settled as', { exact: false }).first().waitFor();
    await here.page.locator('a.cup-virtual-row').first().waitFor();
    await expectAccessible(here.page);
    await here.page.goBack();
    await here.page.locator('.cup-flow a').nth(3).click();
    await here.page.locator('a.cup-virtual-row').first().waitFor();
    await expectAccessible(here.page);
    await picture(here.page, 'tasks');
    await here.page.locator('a.cup-virtual-row').first().click();
    await here.page.getByRole('heading', { name: /^Judgements/ }).waitFor();
    await here.page.getByRole('heading', { name: 'Why this label' }).waitFor();
    await here.page
      .getByText(/computed again: same|A person decided this/)
      .first()
      .waitFor();
    await expectAccessible(here.page);
    await picture(here.page, 'task');
    expect(here.complaints).toEqual([]);
    await here.context.close();
  });

  for (const look of LOOKS) {
    it.each(Object.keys(PAGES) as (keyof typeof PAGES)[])(
      `of a %s is accessible in ${look.colorScheme}, ${look.locale}`,
      async (role) => {
        const here = await visit(browser, look);
        await signIn(here, known.url, known[role]);
        const own = await here.page.evaluate(() => document.documentElement.lang);
        for (const path of PAGES[role]) {
          const name = `${role}${path.replaceAll('/', '-')}-${look.colorScheme}-${own}`;
          await inspect(here, known.url + path, name);
        }
        expect(here.complaints).toEqual([]);
        await here.context.close();
      },
    );
  }

  it.each(['requester', 'contributor'] as const)('of a %s fits a phone without scrolling sideways', async (role) => {
    const here = await visit(browser, { width: 390 });
    await signIn(here, known.url, known[role]);
    for (const path of PAGES[role]) {
      await here.page.goto(known.url + path);
      await here.page.waitForSelector('h1');
      await settled(here.page);
      const over = await here.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(over, `${path} reaches past the edge`).toBeLessThanOrEqual(0);
    }
    expect(here.complaints).toEqual([]);
    await here.context.close();
  });
});
