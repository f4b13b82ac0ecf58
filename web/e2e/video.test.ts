/** A video by a real pointer: a car followed with a gap, every frame under its own number, settled and certified. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
import { imported, judgedTasks, makeProjectOn } from './shapes_project';

const FRAMES = 120;
const [WIDTH, HEIGHT] = [640, 360];
/** As `tests/clips.py` writes them into the pictures. */
const [BITS, HIGH] = [10, 12];
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PYTHON = process.env.CUPOLA_PYTHON ?? join(ROOT, '.venv/bin/python');

interface Track {
  cls: string;
  keys: { frame: number; shape: { x: number; y: number; w: number; h: number }; outside?: boolean }[];
}
interface Held {
  project: string;
  tasks: {
    draft: { tracks: Track[]; events?: { start: number; end: number }[]; frames: number; frame_table: string } | null;
  }[];
}

function clip(): Uint8Array {
  const file = join(mkdtempSync(join(tmpdir(), 'clip-')), 'clip.mp4');
  execFileSync(PYTHON, ['-m', 'tests.clips', file, String(FRAMES)], { cwd: ROOT });
  return readFileSync(file);
}

async function makeDataset(page: Page, name: string): Promise<string> {
  const dataset = await ask<{ id: string }>(page, 'POST', '/api/datasets', { name, licence: 'CC0-1.0' });
  const upload = await page.evaluate(
    async ([path, bytes]) => {
      const session = (await (await fetch('/api/session')).json()) as { csrf: string; tenants: { id: string }[] };
      const tenant = localStorage.getItem('cupola.tenant') ?? session.tenants[0]?.id ?? '';
      const response = await fetch(path as string, {
        method: 'PUT',
        headers: { 'X-CSRF-Token': session.csrf, 'Cupola-Tenant': tenant },
        body: new Uint8Array(bytes as number[]),
      });
      if (!response.ok) throw new Error(await response.text());
      return ((await response.json()) as { upload: string }).upload;
    },
    [`/api/datasets/${dataset.id}/uploads?name=drive.mp4`, [...clip()]] as const,
  );
  await ask(page, 'POST', `/api/datasets/${dataset.id}/imports`, { source: { type: 'upload', upload } });
  await imported(page, dataset.id);
  return dataset.id;
}

/** Where a place of the picture is on the screen: the picture is fitted, with a margin. */
async function place(page: Page) {
  const area = await page.locator('.cup-video-plane canvas').boundingBox();
  if (!area) throw new Error('the canvas has no place');
  const scale = Math.min((area.width - 48) / WIDTH, (area.height - 48) / HEIGHT);
  const [left, top] = [area.x + (area.width - WIDTH * scale) / 2, area.y + (area.height - HEIGHT * scale) / 2];
  return { at: (x: number, y: number) => [left + x * scale, top + y * scale] as const, scale };
}

async function drag(page: Page, from: [number, number], to: [number, number]) {
  const { at } = await place(page);
  await page.mouse.move(...at(...from));
  await page.mouse.down();
  await page.mouse.move(...at(...to), { steps: 5 });
  await page.mouse.up();
}

/** Goes to a frame as a person does, and waits until its picture is there. */
async function goTo(page: Page, frame: number) {
  const field = page.locator('.cup-transport').getByRole('textbox', { name: 'Frame' });
  await field.fill(String(frame));
  await field.press('Enter');
  await field.blur();
  await page.locator(`.cup-video[data-frame="${frame}"][data-shown="${frame}"]`).waitFor();
}

/** The number that stands in the pixels that are on the screen. */
function numberShown(page: Page): Promise<number | null> {
  return page.evaluate(
    async ([width, height, bits, high]) => {
      // The scene is drawn in the next breath of the page.
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const canvas = document.querySelector('.cup-video-plane canvas') as HTMLCanvasElement;
      const density = canvas.width / canvas.clientWidth;
      const scale = Math.min((canvas.clientWidth - 48) / width, (canvas.clientHeight - 48) / height);
      const left = (canvas.clientWidth - width * scale) / 2;
      const top = (canvas.clientHeight - height * scale) / 2;
      const pixels = canvas.getContext('2d') as CanvasRenderingContext2D;
      const lit = (x: number, y: number) =>
        (pixels.getImageData(Math.round((left + x * scale) * density), Math.round((top + y * scale) * density), 1, 1)
          .data[0] ?? 0) > 127;
      let found = 0;
      for (let bit = 0; bit < bits; bit += 1) {
        const x = (bit + 0.5) * Math.floor(width / bits);
        if (lit(x, high / 2) === lit(x, high * 1.5)) return null;
        if (lit(x, high / 2)) found |= 1 << bit;
      }
      return found;
    },
    [WIDTH, HEIGHT, BITS, HIGH] as const,
  );
}

describe.skipIf(!logins)('the editor of videos', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  const name = `Drive ${Date.now().toString(36)}`;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let project = '';

  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    worker = await visit(browser);
    await signIn(owner, url, requester);
    await signIn(worker, url, contributor);
    const dataset = await makeDataset(owner.page, name);
    const spec = {
      kind: 'tracks',
      classes: [
        { name: 'car', geometry: 'box' },
        { name: 'rain', event: true },
      ],
      attributes: [{ name: 'brakes', type: 'bool', mutable: true, classes: ['car'] }],
    };
    ({ project } = await makeProjectOn(owner.page, dataset, name, 1, spec));
  });
  afterAll(() => browser?.close());

  const draft = async () => {
    const mine = await ask<Held[]>(worker.page, 'GET', '/api/work/assignments');
    return mine.find((one) => one.project === project)?.tasks[0]?.draft ?? null;
  };

  it('shows under each number the picture that has it, wherever one goes', async () => {
    const { page } = worker;
    await page.goto(`${url}/work/${project}`);
    await shown(page);
    await page.locator('.cup-video[data-shown="0"]').waitFor();
    let seed = 7;
    const dice = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % FRAMES;
    };
    for (let tries = 0; tries < 30; tries += 1) {
      const frame = dice();
      await goTo(page, frame);
      expect(await numberShown(page)).toBe(frame);
    }
    await goTo(page, 10);
    await page.keyboard.press('f');
    await page.locator('.cup-video[data-shown="11"]').waitFor();
    expect(await numberShown(page)).toBe(11);
    expect(worker.complaints).toEqual([]);
  });

  it('follows a car with three keys and a gap, and says when it rains', async () => {
    const { page } = worker;
    await goTo(page, 0);
    await drag(page, [100, 200], [160, 240]);
    await goTo(page, 40);
    await page.keyboard.press('v');
    await drag(page, [130, 220], [210, 220]);
    await goTo(page, 60);
    await page.keyboard.press('u');
    await goTo(page, 80);
    await page.keyboard.press('u');
    await drag(page, [210, 220], [310, 220]);
    await page.getByRole('button', { name: '“rain” from here' }).click();
    await goTo(page, 100);
    await page.getByRole('button', { name: 'Ends here' }).click();
    await eventually(async () => {
      const label = await draft();
      const [car] = label?.tracks ?? [];
      expect(car?.keys.map(({ frame, outside }) => [frame, outside ?? false])).toEqual([
        [0, false],
        [40, false],
        [60, true],
        [80, false],
      ]);
      expect(Math.abs((car?.keys[1]?.shape.x ?? 0) - 180)).toBeLessThan(1.5);
      expect(label?.events).toMatchObject([{ start: 80, end: 100 }]);
      expect(label?.frames).toBe(FRAMES);
      expect(label?.frame_table).toMatch(/^[0-9a-f]{64}$/);
    });
    await goTo(page, 70);
    expect(await page.locator('.cup-object-row').count()).toBe(0);
    await goTo(page, 20);
    expect(await page.locator('.cup-object-row').count()).toBe(1);
    await picture(page, 'work-video');
    await expectAccessible(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    await picture(page, 'work-video-narrow');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.emulateMedia({ colorScheme: 'light' });
    expect(worker.complaints).toEqual([]);
  });

  it('plays from frame to frame without passing one over, and stops where one goes elsewhere', async () => {
    const { page } = worker;
    await goTo(page, 30);
    await page.keyboard.press('Space');
    await page.waitForFunction(() => Number(document.querySelector('.cup-video')?.getAttribute('data-shown')) >= 40);
    await page.keyboard.press('Space');
    const frame = Number(await page.locator('.cup-video').getAttribute('data-frame'));
    await page.locator(`.cup-video[data-shown="${frame}"]`).waitFor();
    expect(await numberShown(page)).toBe(frame);
    expect(worker.complaints).toEqual([]);
  });

  it('keeps all of it over a reload, submits it, and shows it to who looks', async () => {
    const { page } = worker;
    await page.getByText('All saved').waitFor();
    await page.reload();
    await shown(page);
    await goTo(page, 20);
    await expect.poll(() => page.locator('.cup-object-row').count()).toBe(1);
    await page.keyboard.press('Enter');
    await page.getByText('Nothing more to do here for now').waitFor({ timeout: 30_000 });
    const [task] = await judgedTasks(owner.page, project);
    if (!task) throw new Error('there is no task');
    if (task.state === 'escalated') {
      const judge = await visit(browser);
      await signIn(judge, url, adjudicator);
      await judge.page.goto(`${url}/adjudication/${task.id}`);
      await shown(judge.page);
      await judge.page.getByRole('button', { name: 'Use this' }).first().click();
      await expect.poll(() => judge.page.locator('.cup-object-row').count()).toBe(1);
      await picture(judge.page, 'adjudicate-video');
      const before = judge.page.url();
      await judge.page.getByRole('button', { name: /^Settle with this label/ }).click();
      await judge.page.waitForURL((address) => address.href !== before);
      expect(judge.complaints).toEqual([]);
    }
    await owner.page.goto(`${url}/tasks/${task.id}`);
    await owner.page.getByRole('img', { name: 'Frame 0: 1 object' }).first().waitFor();
    await picture(owner.page, 'task-video');
    await expectAccessible(owner.page);
    expect([...worker.complaints, ...owner.complaints]).toEqual([]);
  });
});
