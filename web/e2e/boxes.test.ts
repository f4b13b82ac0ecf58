/** Drawing boxes with a real pointer on a real canvas, and what of it reaches the server. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, eventually, expectAccessible, launch, logins, picture, settled, signIn, visit } from './browser';
import { shapes, zip } from './files';

const NAME = `Boxes ${Date.now().toString(36)}`;
const SIDE = 320;

interface Named {
  id: string;
}

/** A live project of pictures to draw boxes on; its id. */
async function makeProject(page: Page, base: string): Promise<string> {
  const dataset = await ask<Named>(page, 'POST', '/api/datasets', { name: NAME, licence: 'CC0-1.0' });
  await page.goto(`${base}/datasets/${dataset.id}`);
  await page.setInputFiles('input[type=file]', {
    name: 'pictures.zip',
    mimeType: 'application/zip',
    buffer: zip(shapes(2, SIDE)),
  });
  await page.getByText('Done', { exact: true }).waitFor({ timeout: 60_000 });
  const ontology = await ask<{ version_id: string }>(page, 'POST', '/api/ontologies', {
    name: NAME,
    spec: { kind: 'objects', classes: ['disc', 'square'].map((name) => ({ name, geometry: 'box' })) },
    guidelines: { en: 'Draw a box around the shape.' },
  });
  const project = await ask<Named>(page, 'POST', '/api/projects', {
    name: NAME,
    dataset: dataset.id,
    ontology_version: ontology.version_id,
    plan: { target_accuracy: 0.9, confidence: 0.9, max_judgements: 1, min_judgements: 1, gold_rate: 0 },
    offer: { price_minor: 5, currency: 'EUR' },
    page_size: 2,
  });
  await ask(page, 'POST', `/api/projects/${project.id}/tasks`, {});
  await ask(page, 'POST', `/api/projects/${project.id}/allot`, { amount_minor: 500 });
  await ask(page, 'POST', `/api/projects/${project.id}/launch`, {});
  return project.id;
}

interface Held {
  project: string;
  tasks: {
    position: number;
    draft: {
      objects: { cls: string; shape: { x: number; y: number; w: number; h: number; rotation_rad?: number } }[];
    } | null;
  }[];
}

describe.skipIf(!logins)('the box editor', () => {
  const { url, requester, contributor } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it('draws, labels, moves, resizes, zooms, deletes and undoes, and the server has what was drawn', async () => {
    const owner = await visit(browser);
    await signIn(owner, url, requester);
    const project = await makeProject(owner.page, url);
    await owner.context.close();

    const here = await visit(browser, { colorScheme: 'dark' });
    const { page } = here;
    await signIn(here, url, contributor);
    await page.goto(`${url}/work/${project}`);
    const canvas = page.locator('canvas');
    await canvas.waitFor();
    await settled(page);
    const area = await canvas.boundingBox();
    if (!area) throw new Error('the canvas has no place');
    // The picture is square and fits the canvas with a margin of 24 px.
    const scale = (Math.min(area.width, area.height) - 48) / SIDE;
    const left = area.x + (area.width - SIDE * scale) / 2;
    const top = area.y + (area.height - SIDE * scale) / 2;
    const drag = async (x1: number, y1: number, x2: number, y2: number) => {
      await page.mouse.move(left + x1 * scale, top + y1 * scale);
      await page.mouse.down();
      await page.mouse.move(left + ((x1 + x2) / 2) * scale, top + ((y1 + y2) / 2) * scale, { steps: 4 });
      await page.mouse.move(left + x2 * scale, top + y2 * scale, { steps: 4 });
      await page.mouse.up();
    };
    const boxes = () => page.locator('.cup-object-row').count();
    const held = async () => {
      await page.getByText('All saved').waitFor();
      const mine = await ask<Held[]>(page, 'GET', '/api/work/assignments');
      const tasks = mine.find((one) => one.project === project)?.tasks ?? [];
      return tasks.sort((a, b) => a.position - b.position)[0]?.draft?.objects ?? [];
    };

    await drag(40, 50, 140, 200);
    await expect.poll(() => boxes()).toBe(1);
    await page.keyboard.press('2');
    await eventually(async () => {
      const [first] = await held();
      expect(first?.cls).toBe('square');
      for (const [got, wanted] of [
        [first?.shape.x, 40],
        [first?.shape.y, 50],
        [first?.shape.w, 100],
        [first?.shape.h, 150],
      ] as const) {
        expect(Math.abs((got ?? -99) - wanted)).toBeLessThan(1);
      }
    });

    await drag(140, 200, 180, 240);
    await expect.poll(async () => (await held())[0]?.shape.w).toBeCloseTo(140, 0);
    await drag(100, 100, 120, 110);
    await expect.poll(async () => (await held())[0]?.shape.x).toBeCloseTo(60, 0);
    await page.keyboard.press('Control+z');
    await expect.poll(async () => (await held())[0]?.shape.x).toBeCloseTo(40, 0);
    await page.keyboard.press('ArrowRight');
    await expect.poll(async () => (await held())[0]?.shape.x).toBeCloseTo(41, 0);

    // Turned by its knob: with Shift in steps of 15°, as one step back; then by keys; and grabbed where it now stands.
    const shape = (await held())[0]?.shape;
    if (!shape) throw new Error('there is no box');
    const middle = { x: shape.x + shape.w / 2, y: shape.y + shape.h / 2 };
    const arm = shape.h / 2 + 22 / scale;
    await page.keyboard.down('Shift');
    await drag(middle.x, middle.y - arm, middle.x + 52, middle.y - 88);
    await page.keyboard.up('Shift');
    await expect.poll(async () => (await held())[0]?.shape.rotation_rad).toBeCloseTo(Math.PI / 6, 3);
    await expectAccessible(page);
    await picture(page, 'work-boxes-turned');
    await page.keyboard.press('Control+z');
    await expect.poll(async () => (await held())[0]?.shape.rotation_rad ?? 0).toBe(0);
    for (let step = 0; step < 6; step += 1) await page.keyboard.press('}');
    await expect.poll(async () => (await held())[0]?.shape.rotation_rad).toBeCloseTo(Math.PI / 2, 3);
    // On its side it reaches further left than it did upright: there it is taken, and moved.
    const left_x = middle.x - shape.h / 2 + 6;
    await drag(left_x, middle.y, left_x + 12, middle.y);
    await expect.poll(async () => (await held())[0]?.shape.x).toBeCloseTo(shape.x + 12, 0);
    await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    await expect.poll(async () => (await held())[0]?.shape.rotation_rad ?? 0).toBe(0);

    await page.keyboard.press('Escape');
    await page.keyboard.press('1');
    await drag(220, 30, 300, 120);
    await expect.poll(() => boxes()).toBe(2);
    await expectAccessible(page);
    await picture(page, 'work-boxes');

    const before = await page.locator('output').textContent();
    await page.mouse.move(area.x + 200, area.y + 200);
    await page.mouse.wheel(0, -400);
    await page.waitForFunction((text) => document.querySelector('output')?.textContent !== text, before);

    // Two fingers enlarge, and draw nothing.
    const cdp = await here.context.newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', apart: number) =>
      cdp.send('Input.dispatchTouchEvent', {
        type,
        touchPoints:
          type === 'touchEnd'
            ? []
            : [-1, 1].map((side, id) => ({
                x: area.x + area.width / 2 + side * apart,
                y: area.y + area.height / 2,
                id,
              })),
      });
    const shown = async () => Number.parseFloat((await page.locator('output').textContent()) ?? '0');
    const small = await shown();
    await touch('touchStart', 40);
    for (const apart of [55, 70, 80]) await touch('touchMove', apart);
    await touch('touchEnd', 0);
    await page.waitForFunction(
      (least) => Number.parseFloat(document.querySelector('output')?.textContent ?? '0') > least,
      small * 1.8,
    );
    await expect.poll(() => boxes()).toBe(2);
    await page.locator('.cup-object-row > button:first-child').nth(1).click();

    await page.keyboard.press('Delete');
    await expect.poll(() => boxes()).toBe(1);
    await page.keyboard.press('Control+z');
    await expect.poll(() => boxes()).toBe(2);

    await page.reload();
    await canvas.waitFor();
    await expect.poll(() => boxes()).toBe(2);
    await page.keyboard.press('Control+z');
    await expect.poll(() => boxes()).toBe(1);

    await page.keyboard.press('Enter');
    await page.keyboard.press('Shift+N');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing more to do here for now').waitFor();
    expect(here.complaints).toEqual([]);
    await here.context.close();
  });
});
