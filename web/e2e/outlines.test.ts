/** An outline from the first click to the export: drawn by clicks and keys, settled, audited, and read out again. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ask,
  eventually,
  expectAccessible,
  launch,
  logins,
  picture,
  shown,
  signIn,
  type Visit,
  visit,
} from './browser';
import { judgedTasks, makeProjectOf } from './shapes_project';

const SIDE = 64;

interface Held {
  project: string;
  tasks: { position: number; draft: { objects: { shape: { points: [number, number][] } }[] } | null }[];
}

describe.skipIf(!logins)('the outline editor', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  const name = `Outlines ${Date.now().toString(36)}`;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let judge: Visit;
  let project = '';

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    worker = await visit(browser, { colorScheme: 'dark' });
    judge = await visit(browser);
    await signIn(owner, url, requester);
    await signIn(worker, url, contributor);
    await signIn(judge, url, adjudicator);
    const spec = { kind: 'objects', classes: [{ name: 'shape', geometry: 'polygon' }] };
    ({ project } = await makeProjectOf(owner.page, name, 2, spec));
  });
  afterAll(() => browser?.close());

  /** Clicks the picture at places in its own pixels. */
  const clicker = async (page: Page) => {
    await shown(page);
    const area = await page.locator('canvas').boundingBox();
    if (!area) throw new Error('the canvas has no place');
    const scale = (Math.min(area.width, area.height) - 48) / SIDE;
    const at = (x: number, y: number) =>
      [
        area.x + (area.width - SIDE * scale) / 2 + x * scale,
        area.y + (area.height - SIDE * scale) / 2 + y * scale,
      ] as const;
    return {
      click: async (...places: [number, number][]) => {
        for (const [x, y] of places) await page.mouse.click(...at(x, y));
      },
      drag: async (from: [number, number], to: [number, number]) => {
        await page.mouse.move(...at(...from));
        await page.mouse.down();
        await page.mouse.move(...at(...to), { steps: 4 });
        await page.mouse.up();
      },
    };
  };
  const held = async (page: Page) => {
    await page.getByText('All saved').waitFor();
    const mine = await ask<Held[]>(page, 'GET', '/api/work/assignments');
    const tasks = mine.find((one) => one.project === project)?.tasks ?? [];
    return tasks.sort((a, b) => a.position - b.position)[0]?.draft?.objects ?? [];
  };
  const rows = (page: Page) => page.locator('.cup-object-row').count();

  it('is drawn by clicks, closed, taken back and mended', async () => {
    const { page } = worker;
    await page.goto(`${url}/work/${project}`);
    const { click, drag } = await clicker(page);

    // A first corner is no object, and Enter closes rather than submits.
    await click([16, 16], [48, 16]);
    await page.keyboard.press('Enter');
    await expect.poll(() => rows(page)).toBe(0);
    await page.getByText('Click corner by corner', { exact: false }).waitFor();
    // Nor is a label taken while one is under way.
    await page.getByRole('button', { name: /^Done/ }).click();
    await page.getByText('is not closed yet', { exact: false }).waitFor();
    await expectAccessible(page);
    await click([48, 48], [20, 60]);
    await picture(page, 'work-outline-drawing');
    await page.keyboard.press('Backspace');
    await click([16, 48]);
    await page.keyboard.press('Enter');
    await expect.poll(() => rows(page)).toBe(1);
    const near = (points: [number, number][] | undefined, wanted: [number, number][]) => {
      expect(points).toHaveLength(wanted.length);
      for (const [at, [x, y]] of wanted.entries()) {
        expect(Math.abs((points?.[at]?.[0] ?? -99) - x)).toBeLessThan(0.5);
        expect(Math.abs((points?.[at]?.[1] ?? -99) - y)).toBeLessThan(0.5);
      }
    };
    const square: [number, number][] = [
      [16, 16],
      [48, 16],
      [48, 48],
      [16, 48],
    ];
    await eventually(async () => near((await held(page))[0]?.shape.points, square));

    // A corner is pulled out of a side, moved, and dropped again.
    await drag([32, 16], [32, 8]);
    await eventually(async () => near((await held(page))[0]?.shape.points, [[16, 16], [32, 8], ...square.slice(1)]));
    await page.keyboard.down('Alt');
    await click([32, 8]);
    await page.keyboard.up('Alt');
    await eventually(async () => near((await held(page))[0]?.shape.points, square));
    // One that crosses itself is told, and not taken.
    await drag([48, 48], [6, 30]);
    await page.getByText('crosses or touches itself', { exact: false }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('.cup-dots button:nth-child(1)[aria-current=true]').waitFor();
    await page.keyboard.press('Control+z');
    await eventually(async () => near((await held(page))[0]?.shape.points, square));

    // Closed by its first corner, by a double click, and given up.
    await page.keyboard.press('Escape');
    await click([52, 52], [60, 52], [60, 60], [52, 52]);
    await expect.poll(() => rows(page)).toBe(2);
    await page.keyboard.press('Delete');
    await click([52, 4], [60, 4], [60, 12]);
    await click([60, 12]);
    await expect.poll(() => rows(page)).toBe(2);
    await page.keyboard.press('Delete');
    await click([52, 4], [60, 4]);
    await page.keyboard.press('Escape');
    await expect.poll(() => rows(page)).toBe(1);
    await page.reload();
    await shown(page);
    await expect.poll(() => rows(page)).toBe(1);
    await expectAccessible(page);
    await picture(page, 'work-outline');

    await page.keyboard.press('Enter');
    await page.locator('.cup-dots button:nth-child(2)[aria-current=true]').waitFor();
    await shown(page);
    await click([16, 16], [48, 16], [48, 48], [16, 16]);
    await page.keyboard.press('Enter');
    await page.getByText('Nothing more to do here for now').waitFor({ timeout: 30_000 });
    expect(worker.complaints).toEqual([]);
  });

  it('is settled, audited and exported as what was drawn', async () => {
    for (const task of await judgedTasks(owner.page, project)) {
      if (task.state !== 'escalated') continue;
      await judge.page.goto(`${url}/adjudication/${task.id}`);
      const { click } = await clicker(judge.page);
      await click([16, 16], [48, 16], [48, 48], [16, 48], [16, 16]);
      const before = judge.page.url();
      await judge.page.keyboard.press('Enter');
      await judge.page.waitForURL((address) => address.href !== before);
    }
    const release = await ask<{ id: string }>(owner.page, 'POST', `/api/projects/${project}/releases`, {
      name: 'v1',
      plan: { items: 1 },
    });
    await ask(owner.page, 'POST', `/api/releases/${release.id}/freeze`, {});
    await judge.page.goto(`${url}/audits/${release.id}`);
    const { click } = await clicker(judge.page);
    await click([16, 16], [48, 16], [48, 48], [16, 48], [16, 16]);
    await judge.page.keyboard.press('Enter');
    await judge.page.getByText('The audit is done').waitFor();
    expect(judge.complaints).toEqual([]);

    const started = await ask<{ id: string }>(owner.page, 'POST', `/api/releases/${release.id}/exports`, {
      format: 'coco',
    });
    for (let tries = 0, state = ''; state !== 'done'; tries += 1) {
      ({ state } = await ask<{ state: string }>(owner.page, 'GET', `/api/exports/${started.id}`));
      if (state === 'failed' || tries > 100) throw new Error(`the export is ${state}`);
      await owner.page.waitForTimeout(200);
    }
    const coco = await ask<{ annotations: { segmentation: number[][]; area: number }[] }>(
      owner.page,
      'GET',
      `/api/exports/${started.id}/file`,
    );
    expect(coco.annotations).toHaveLength(2);
    for (const { segmentation, area } of coco.annotations) {
      expect(segmentation).toHaveLength(1);
      expect(area).toBeGreaterThan(400);
    }
    expect(owner.complaints).toEqual([]);
  });
});
