/** Every shape by a real pointer: an outline with a hole, a skeleton, a line and a mask, drawn, settled and looked at again. */
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
const CLASSES = [
  { name: 'lake', geometry: 'polygon' },
  {
    name: 'person',
    geometry: 'skeleton',
    skeleton: {
      points: [
        { name: 'head', x: 0.5, y: 0 },
        { name: 'left foot', x: 0, y: 1 },
        { name: 'right foot', x: 1, y: 1 },
      ],
      edges: [
        ['head', 'left foot'],
        ['head', 'right foot'],
      ],
      symmetry: [['left foot', 'right foot']],
    },
  },
  { name: 'lane', geometry: 'polyline' },
  { name: 'sky', geometry: 'mask' },
];

type Corner = [number, number];
interface Drawn {
  cls: string;
  shape: {
    type: string;
    points?: unknown[];
    holes?: Corner[][];
    tiles?: { column: number; row: number; runs: number[] }[];
  };
}
interface Held {
  project: string;
  tasks: { position: number; draft: { objects: Drawn[] } | null }[];
}

/** How many pixels of a mask are set. */
const paintedIn = ({ tiles = [] }: Drawn['shape']) =>
  tiles.reduce((sum, { runs }) => sum + runs.reduce((own, run, n) => (n % 2 ? own + run : own), 0), 0);

/** Places of the picture, in its own pixels, on the screen. */
async function onPicture(page: Page) {
  await shown(page);
  const area = await page.locator('canvas').boundingBox();
  if (!area) throw new Error('the canvas has no place');
  const scale = (Math.min(area.width, area.height) - 48) / SIDE;
  const left = area.x + (area.width - SIDE * scale) / 2;
  const top = area.y + (area.height - SIDE * scale) / 2;
  const at = ([x, y]: Corner) => [left + x * scale, top + y * scale] as const;
  return {
    click: async (...places: Corner[]) => {
      for (const place of places) await page.mouse.click(...at(place));
    },
    drag: async (from: Corner, to: Corner) => {
      await page.mouse.move(...at(from));
      await page.mouse.down();
      await page.mouse.move(...at(to), { steps: 6 });
      await page.mouse.up();
    },
  };
}

describe.skipIf(!logins)('the editor of every shape', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  const name = `Drawing ${Date.now().toString(36)}`;
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
    ({ project } = await makeProjectOf(owner.page, name, 1, { kind: 'objects', classes: CLASSES }));
  });
  afterAll(() => browser?.close());

  const drawn = async (page: Page): Promise<Drawn[]> => {
    const mine = await ask<Held[]>(page, 'GET', '/api/work/assignments');
    return mine.find((one) => one.project === project)?.tasks[0]?.draft?.objects ?? [];
  };
  const last = async (page: Page) => (await drawn(page)).at(-1);

  it('draws an outline and cuts a hole into it', async () => {
    const { page } = worker;
    await page.goto(`${url}/work/${project}`);
    const { click } = await onPicture(page);
    await click([6, 34], [30, 34], [30, 60], [6, 60]);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Shift+O');
    await click([12, 40], [22, 40], [22, 50]);
    await page.keyboard.press('Enter');
    await eventually(async () => {
      const [lake] = await drawn(page);
      expect(lake?.shape.points).toHaveLength(4);
      expect(lake?.shape.holes?.[0]).toHaveLength(3);
    });
    await page.keyboard.press('Control+z');
    await eventually(async () => expect((await last(page))?.shape.holes).toBeUndefined());
    await page.keyboard.press('Control+Shift+z');
    await eventually(async () => expect((await last(page))?.shape.holes).toHaveLength(1));
    expect(worker.complaints).toEqual([]);
  });

  it('lays a skeleton out, moves a place and says that another is covered', async () => {
    const { page } = worker;
    const { drag } = await onPicture(page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('2');
    await drag([40, 34], [58, 60]);
    await eventually(async () => expect((await last(page))?.shape.points).toHaveLength(3));
    await drag([49, 34], [49, 38]);
    await page.getByRole('radiogroup', { name: 'Whether left foot is seen' }).getByText('covered').click();
    await eventually(async () => {
      const points = (await last(page))?.shape.points as { name: string; y?: number; state?: string }[];
      expect(Math.abs((points[0]?.y ?? 0) - 38)).toBeLessThan(0.6);
      expect(points[1]).toMatchObject({ name: 'left foot', state: 'occluded' });
    });
    expect(worker.complaints).toEqual([]);
  });

  it('draws a line point by point', async () => {
    const { page } = worker;
    const { click } = await onPicture(page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('3');
    await click([4, 30], [20, 24], [40, 28], [60, 22]);
    await page.keyboard.press('Enter');
    await eventually(async () => {
      const line = await last(page);
      expect(line).toMatchObject({ cls: 'lane', shape: { type: 'polyline' } });
      expect(line?.shape.points).toHaveLength(4);
    });
    expect(worker.complaints).toEqual([]);
  });

  it('paints a mask, fills a rectangle of it, erases, and takes the strokes back one by one', async () => {
    const { page } = worker;
    const { click, drag } = await onPicture(page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('4');
    // A brush for a small picture.
    for (let step = 0; step < 4; step += 1) await page.keyboard.press('Alt+[');
    await drag([6, 6], [50, 6]);
    const brushed = async () => paintedIn((await last(page))?.shape ?? { type: '' });
    await eventually(async () => expect(await brushed()).toBeGreaterThan(44 * 3));
    const once = await brushed();
    await page.keyboard.press('Alt+Shift+M');
    await drag([10, 10], [30, 18]);
    await eventually(async () => expect(await brushed()).toBeGreaterThan(once + 140));
    expect(await drawn(page)).toHaveLength(4);
    const filled = await brushed();
    await page.keyboard.press('x');
    await drag([20, 10], [20, 18]);
    await eventually(async () => expect(await brushed()).toBeLessThan(filled - 20));
    await page.keyboard.press('Control+z');
    await eventually(async () => expect(await brushed()).toBe(filled));
    await page.keyboard.press('Control+Shift+z');
    await eventually(async () => expect(await brushed()).toBeLessThan(filled - 20));
    await page.keyboard.press('v');
    await click([60, 62]);
    await picture(page, 'work-drawing');
    await page.setViewportSize({ width: 390, height: 844 });
    await picture(page, 'work-drawing-narrow');
    await page.setViewportSize({ width: 1280, height: 800 });
    await expectAccessible(page);
    expect(worker.complaints).toEqual([]);
  });

  it('keeps all of it over a reload, and submits it', async () => {
    const { page } = worker;
    await page.getByText('All saved').waitFor();
    const before = await drawn(page);
    await page.reload();
    await shown(page);
    await expect.poll(() => page.locator('.cup-object-row').count()).toBe(4);
    expect(before.map(({ shape }) => shape.type)).toEqual(['polygon', 'skeleton', 'polyline', 'mask']);
    await page.keyboard.press('Enter');
    await page.getByText('Nothing more to do here for now').waitFor({ timeout: 30_000 });
    expect(worker.complaints).toEqual([]);
  });

  it('shows what was drawn to who decides, and to who looks at what was settled', async () => {
    const { page } = judge;
    const [task] = await judgedTasks(owner.page, project);
    if (!task) throw new Error('there is no task');
    if (task.state === 'escalated') {
      await page.goto(`${url}/adjudication/${task.id}`);
      await shown(page);
      await page.getByRole('button', { name: 'Use this' }).first().click();
      await expect.poll(() => page.locator('.cup-object-row').count()).toBe(4);
      await picture(page, 'adjudicate-drawing');
      await expectAccessible(page);
      const before = page.url();
      await page.getByRole('button', { name: /^Settle with this label/ }).click();
      await page.waitForURL((address) => address.href !== before);
    }
    await owner.page.goto(`${url}/tasks/${task.id}`);
    // The outline and its hole, the mask with the hole that was erased, two edges and the line.
    const figure = owner.page.getByRole('img', { name: '4 objects: lake, person, lane, sky' }).first();
    await figure.waitFor();
    expect(await figure.locator('path').count()).toBe(4);
    expect(await figure.locator('circle').count()).toBe(3);
    await picture(owner.page, 'task-drawing');
    await expectAccessible(owner.page);
    expect([...judge.complaints, ...owner.complaints]).toEqual([]);
  });
});
