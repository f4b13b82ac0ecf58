/** A small live project of a template over rows of JSON Lines, made through the API: what stories of texts begin with. */
import type { Page } from 'playwright-core';
import { ask } from './browser';
import { fundAsOperator } from './operator';
import { imported } from './shapes_project';

interface Named {
  id: string;
}
interface Hint {
  seconds: number;
  price_minor: number;
  fix_seconds: number | null;
  fix_price_minor: number | null;
}
interface Template {
  name: string;
  spec: Record<string, unknown>;
  guidelines: Record<string, string>;
  reviews: Hint[];
  seconds: number;
  price_minor: number;
}

/** Puts rows into a new dataset; its id. */
export async function makeRows(page: Page, name: string, rows: readonly unknown[]): Promise<string> {
  const dataset = await ask<Named>(page, 'POST', '/api/datasets', { name, licence: 'CC0-1.0' });
  const upload = await page.evaluate(
    async ([path, text]) => {
      const session = (await (await fetch('/api/session')).json()) as { csrf: string; tenants: { id: string }[] };
      const response = await fetch(path as string, {
        method: 'PUT',
        headers: {
          'X-CSRF-Token': session.csrf,
          'Cupola-Tenant': localStorage.getItem('cupola.tenant') ?? session.tenants[0]?.id ?? '',
        },
        body: text as string,
      });
      if (!response.ok) throw new Error(await response.text());
      return ((await response.json()) as { upload: string }).upload;
    },
    [`/api/datasets/${dataset.id}/uploads?name=rows.jsonl`, rows.map((row) => JSON.stringify(row)).join('\n')] as const,
  );
  await ask(page, 'POST', `/api/datasets/${dataset.id}/imports`, { source: { type: 'upload', upload } });
  await imported(page, dataset.id);
  return dataset.id;
}

export interface Made {
  project: string;
  /** What each stage pays. */
  prices: number[];
}

/** A live project as a template proposes it, which asks one person for each row. */
export async function makeOfTemplate(
  page: Page,
  name: string,
  template: string,
  rows: readonly unknown[],
): Promise<Made> {
  const { templates } = await ask<{ templates: Template[] }>(page, 'GET', '/api/templates');
  const found = templates.find((one) => one.name === template);
  if (!found) throw new Error(`there is no template ${template}`);
  const dataset = await makeRows(page, name, rows);
  const { spec, guidelines } = found;
  const version = await ask<{ version_id: string }>(page, 'POST', '/api/ontologies', { name, spec, guidelines });
  const reviews = found.reviews.map(({ price_minor, fix_price_minor }) => ({
    price_minor,
    ...(fix_price_minor === null ? {} : { fix: { price_minor: fix_price_minor } }),
  }));
  const project = await ask<Named>(page, 'POST', '/api/projects', {
    name,
    dataset,
    ontology_version: version.version_id,
    plan: { target_accuracy: 0.9, confidence: 0.95, max_judgements: 1, min_judgements: 1, gold_rate: 0 },
    offer: { price_minor: found.price_minor, currency: 'EUR', estimate_median_s: found.seconds },
    page_size: 1,
    reviews,
  });
  await ask(page, 'POST', `/api/projects/${project.id}/tasks`, {});
  await fundAsOperator(page, 20_000);
  await ask(page, 'POST', `/api/projects/${project.id}/allot`, { amount_minor: 20_000 });
  await ask(page, 'POST', `/api/projects/${project.id}/launch`, {});
  const prices = [
    found.price_minor,
    ...found.reviews.flatMap((one) =>
      one.fix_price_minor === null ? [one.price_minor] : [one.price_minor, one.fix_price_minor],
    ),
  ];
  return { project: project.id, prices };
}

/** What the signed-in contributor has earned, in the smallest unit. */
export async function earned(page: Page): Promise<number> {
  const { by_currency } = await ask<{ by_currency: { total_minor: number }[] }>(page, 'GET', '/api/work/earnings');
  return by_currency.reduce((sum, one) => sum + one.total_minor, 0);
}

interface Detail {
  task: { state: string };
  judgements: { label: { answers: Record<string, unknown> } }[];
  settlements: { how: string; label: { answers: Record<string, unknown> } | null }[];
}

/** The one task of a project, in full. */
export async function theTask(page: Page, project: string): Promise<Detail & { state: string }> {
  const { items } = await ask<{ items: { id: string; state: string }[] }>(
    page,
    'GET',
    `/api/projects/${project}/tasks?limit=10`,
  );
  const [one] = items;
  const detail = await ask<Detail>(page, 'GET', `/api/tasks/${one?.id}`);
  return { ...detail, state: one?.state ?? '' };
}
