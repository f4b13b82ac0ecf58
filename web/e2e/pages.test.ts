/** Every page of every person, with axe, in light English and dark Chinese, without a complaint in the console. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspect, launch, logins, signIn, visit } from './browser';

const PAGES: Record<'requester' | 'contributor' | 'adjudicator' | 'operator', string[]> = {
  requester: [
    '/projects',
    '/projects/new',
    '/datasets',
    '/money',
    '/members',
    '/keys',
    '/webhooks',
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
});
