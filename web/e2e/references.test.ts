/**
 * Items that stay where they are (`copy: false`): shown to whoever labels, decides and audits, from a server of somebody
 * else's; and while that one has no answer, nothing is said of what nobody sees.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, launch, logins, picture, shown, signIn, type Visit, visit } from './browser';
import { shapes } from './files';
import { fundAsOperator } from './operator';
import { imported, judgedTasks, makeProjectOn } from './shapes_project';

const NAME = `Elsewhere ${Date.now().toString(36)}`;
const ITEMS = 2;

describe.skipIf(!logins)('items kept as references', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  let elsewhere: Server;
  let isAway = false;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let judge: Visit;
  let project = '';

  beforeAll(async () => {
    const files = shapes(ITEMS);
    elsewhere = createServer(({ url: path = '' }, answer) => {
      const file = files[path.slice(1)];
      if (isAway || !file) answer.writeHead(isAway ? 503 : 404).end();
      else answer.writeHead(200, { 'Content-Type': 'image/png' }).end(file);
    });
    await new Promise<void>((resolve) => {
      elsewhere.listen(0, '127.0.0.1', resolve);
    });
    const { port } = elsewhere.address() as AddressInfo;
    browser = await launch();
    owner = await visit(browser);
    worker = await visit(browser);
    judge = await visit(browser, { colorScheme: 'dark' });
    await signIn(owner, url, requester);
    await signIn(worker, url, contributor);
    await signIn(judge, url, adjudicator);
    const { page } = owner;
    const dataset = await ask<{ id: string }>(page, 'POST', '/api/datasets', { name: NAME, licence: 'CC0-1.0' });
    await ask(page, 'POST', `/api/datasets/${dataset.id}/imports`, {
      source: { type: 'urls', urls: Object.keys(files).map((name) => `http://127.0.0.1:${port}/${name}`), copy: false },
    });
    await imported(page, dataset.id);
    await fundAsOperator(page, 1_000);
    const spec = { kind: 'choice', classes: [{ name: 'disc' }, { name: 'square' }] };
    ({ project } = await makeProjectOn(page, dataset.id, NAME, ITEMS, spec));
  });
  afterAll(async () => {
    await browser?.close();
    elsewhere?.close();
  });

  /** The picture of the desk has pixels: what was fetched is what is shown. */
  const seen = async (page: Page) => {
    await shown(page);
    const width = await page.locator('img.cup-item-image').evaluate((image: HTMLImageElement) => image.naturalWidth);
    expect(width).toBe(64);
  };

  it('are not answered while their server is away, and are once it is back', async () => {
    const { page } = worker;
    isAway = true;
    await page.goto(`${url}/work/${project}`);
    await page.getByText('The picture did not load').waitFor();
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.getByText('The item cannot be shown, so nothing can be said of it.').waitFor();
    await expectAccessible(page);
    await expect.poll(() => page.locator('.cup-dots button[data-ready=true]').count()).toBe(0);
    isAway = false;
    await page.getByRole('main').getByRole('button', { name: 'Try again' }).click();
    for (let at = 0; at < ITEMS; at += 1) {
      await page.locator(`.cup-dots button:nth-child(${at + 1})[aria-current=true]`).waitFor();
      await seen(page);
      await page.locator('body').press('1');
      await page.locator('body').press('Enter');
    }
    await page.getByText('Nothing more to do here for now').waitFor({ timeout: 30_000 });
    expect(worker.complaints.filter((complaint) => !/503/.test(complaint))).toEqual([]);
  });

  it('are seen by an adjudicator', async () => {
    const { page } = judge;
    for (const task of await judgedTasks(page, project)) {
      await page.goto(`${url}/adjudication/${task.id}`);
      await seen(page);
      if (task.state !== 'escalated') continue;
      const before = page.url();
      await page.keyboard.press('1');
      await page.keyboard.press('Enter');
      await page.waitForURL((address) => address.href !== before);
    }
    expect(judge.complaints).toEqual([]);
  });

  it('are seen by an auditor, who records nothing of what does not load', async () => {
    const release = await ask<{ id: string }>(owner.page, 'POST', `/api/projects/${project}/releases`, {
      name: 'v1',
      plan: { items: 1 },
    });
    await ask(owner.page, 'POST', `/api/releases/${release.id}/freeze`, {});
    const { page, context } = judge;
    // Our own server answered for this picture before: the browser would show what it keeps.
    await context.route('**/references*', (route) => route.fulfill({ status: 503 }));
    await page.goto(`${url}/audits/${release.id}`);
    await page.getByText('The picture did not load').waitFor();
    await page.keyboard.press('1');
    await page.keyboard.press('Enter');
    await page.getByText('The item cannot be shown, so nothing can be said of it.').waitFor();
    await picture(page, 'audit-reference-away');
    await context.unroute('**/references*');
    await page.getByRole('main').getByRole('button', { name: 'Try again' }).click();
    await seen(page);
    await page.locator('body').press('Enter');
    await page.getByText('The audit is done').waitFor();
    expect(judge.complaints.filter((complaint) => !/503/.test(complaint))).toEqual([]);
  });
});
