/** A small live project of pictures to name, made through the API: what several browser tests begin with. */
import type { Page } from 'playwright-core';
import { ask } from './browser';
import { shapes, zip } from './files';
import { fundAsOperator } from './operator';

interface Named {
  id: string;
}
interface Imported {
  state: string;
  error?: string | null;
}
interface Listed<T> {
  items: T[];
}

/** Puts a zip of `count` pictures into a new dataset; its id. */
export async function makeDataset(page: Page, name: string, count: number): Promise<string> {
  const dataset = await ask<Named>(page, 'POST', '/api/datasets', { name, licence: 'CC0-1.0' });
  const address = `/api/datasets/${dataset.id}`;
  const upload = await page.evaluate(
    async ([path, bytes]) => {
      const session = (await (await fetch('/api/session')).json()) as { csrf: string; tenants: { id: string }[] };
      const response = await fetch(path as string, {
        method: 'PUT',
        headers: {
          'X-CSRF-Token': session.csrf,
          'Cupola-Tenant': localStorage.getItem('cupola.tenant') ?? session.tenants[0]?.id ?? '',
        },
        body: new Uint8Array(bytes as number[]),
      });
      if (!response.ok) throw new Error(await response.text());
      return ((await response.json()) as { upload: string }).upload;
    },
    [`${address}/uploads?name=shapes.zip`, [...zip(shapes(count))]] as const,
  );
  await ask(page, 'POST', `${address}/imports`, { source: { type: 'upload', upload } });
  await imported(page, dataset.id);
  return dataset.id;
}

/** Waits for the newest import of a dataset to be through. */
export async function imported(page: Page, dataset: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const [latest] = (await ask<Listed<Imported>>(page, 'GET', `/api/datasets/${dataset}/imports`)).items;
    if (latest?.state === 'done') return;
    if (latest?.state === 'failed') throw new Error(latest.error ?? 'the import failed');
    await page.waitForTimeout(200);
  }
  throw new Error('the import did not end');
}

export interface Made {
  project: string;
  ontology: string;
}

/** A live project that asks one person for each picture: disc or square. */
export function makeProject(page: Page, name: string, count: number, price_minor = 2): Promise<Made> {
  const spec = { kind: 'choice', classes: [{ name: 'disc' }, { name: 'square' }] };
  return makeProjectOf(page, name, count, spec, price_minor);
}

/** A live project that asks one person for each picture what its ontology says. */
export async function makeProjectOf(
  page: Page,
  name: string,
  count: number,
  spec: Record<string, unknown>,
  price_minor = 2,
): Promise<Made> {
  return makeProjectOn(page, await makeDataset(page, name, count), name, count, spec, price_minor);
}

/** The same, of the items of a dataset that is there. */
export async function makeProjectOn(
  page: Page,
  dataset: string,
  name: string,
  count: number,
  spec: Record<string, unknown>,
  price_minor = 2,
  reviews: Record<string, unknown>[] = [],
): Promise<Made> {
  const ontology = await ask<{ id: string; version_id: string }>(page, 'POST', '/api/ontologies', {
    name,
    spec,
    guidelines: { en: 'Say which shape it is.', zh: '请选择形状。' },
  });
  const project = await ask<Named>(page, 'POST', '/api/projects', {
    name,
    dataset,
    ontology_version: ontology.version_id,
    plan: { target_accuracy: 0.99, confidence: 0.95, max_judgements: 1, min_judgements: 1, gold_rate: 0 },
    offer: { price_minor, currency: 'EUR', estimate_median_s: 4, estimate_p75_s: 6 },
    page_size: count,
    reviews,
  });
  await ask(page, 'POST', `/api/projects/${project.id}/tasks`, {});
  await fundAsOperator(page, 1_000);
  await ask(page, 'POST', `/api/projects/${project.id}/allot`, { amount_minor: 1_000 });
  await ask(page, 'POST', `/api/projects/${project.id}/launch`, {});
  return { project: project.id, ontology: ontology.id };
}

interface Claimed {
  id: string;
  fence: number;
  tasks: { task: string }[];
}

/** Judges everything that is open, alternately disc and square, as the signed-in contributor. */
export async function judgeAll(page: Page, project: string): Promise<void> {
  const claimed = await ask<Claimed>(page, 'POST', `/api/work/projects/${project}/claim`, {});
  await ask(page, 'POST', `/api/work/assignments/${claimed.id}/submit`, {
    fence: claimed.fence,
    judgements: claimed.tasks.map(({ task }, at) => ({
      task,
      label: { kind: 'choice', values: [at % 2 ? 'square' : 'disc'] },
      seconds: 4,
    })),
  });
}

interface Row {
  id: string;
  ref: string;
  state: string;
}

/** The project's tasks once none waits for the crowd any more, by reference. */
export async function judgedTasks(page: Page, project: string): Promise<Row[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { items } = await ask<Listed<Row>>(page, 'GET', `/api/projects/${project}/tasks?limit=100`);
    if (items.every(({ state }) => state === 'settled' || state === 'escalated')) {
      return items.sort((a, b) => a.ref.localeCompare(b.ref));
    }
    await page.waitForTimeout(200);
  }
  throw new Error('the judgements were not taken in');
}

/** Whether the picture on the desk is a square: a disc's corner is dark, a square's is bright. */
export async function isSquare(page: Page): Promise<boolean> {
  return page.locator('img.cup-item-image').evaluate(async (image: HTMLImageElement) => {
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const ctx = canvas.getContext('2d') as CanvasRenderingContext2D;
    ctx.drawImage(image, 0, 0);
    const { data, width, height } = ctx.getImageData(0, 0, canvas.width, canvas.height);
    let left = width;
    let top = height;
    for (let at = 0; at < width * height; at += 1) {
      if ((data[at * 4] ?? 0) < 128) continue;
      left = Math.min(left, at % width);
      top = Math.min(top, Math.floor(at / width));
    }
    return (data[(top * width + left) * 4] ?? 0) > 128;
  });
}
