/**
 * Every kind of label, from the work to the audit, by people in a browser on a real server: what the server leaves out
 * of an answer is left out here too. Each kind says how a person answers; the rest is the same for all.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, expectAccessible, launch, logins, picture, shown, signIn, type Visit, visit } from './browser';
import { judgedTasks, makeProjectOf } from './shapes_project';

interface Story {
  /** Exactly what a requester sends: nothing that has a default. */
  spec: Record<string, unknown>;
  answer: (page: Page) => Promise<void>;
  finish: string;
}

/** An object in the middle of the picture, of the shape that its class asks for. */
async function draw(page: Page): Promise<void> {
  await page.keyboard.press('Shift+N');
  await page.getByText('1. ', { exact: false }).first().waitFor();
}

/** A picture of one pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const STORIES: Record<string, Story> = {
  choice: {
    spec: { kind: 'choice', classes: [{ name: 'disc' }, { name: 'square' }] },
    answer: (page) => page.keyboard.press('1'),
    finish: 'Enter',
  },
  'choice of several': {
    spec: {
      kind: 'choice',
      multiple: true,
      classes: [{ name: 'round' }, { name: 'bright' }, { name: 'cut off' }],
      at_least: 1,
      at_most: 2,
    },
    answer: async (page) => {
      // More than are asked for: said, and not taken.
      for (const key of ['1', '2', '3', 'Enter']) await page.keyboard.press(key);
      await page.getByRole('status').getByText('Choose 1 to 2.').waitFor();
      await page.keyboard.press('3');
    },
    finish: 'Enter',
  },
  'two candidates': {
    spec: { kind: 'choice', compare: true, classes: [{ name: 'A' }, { name: 'B' }, { name: 'equal' }] },
    answer: (page) => page.keyboard.press('0'),
    finish: 'Enter',
  },
  text: {
    spec: { kind: 'text' },
    answer: (page) => page.getByLabel('Your text').fill('a bright shape on a dark ground'),
    finish: 'Control+Enter',
  },
  form: {
    spec: {
      kind: 'form',
      attributes: [
        { name: 'seen', type: 'choice', options: ['disc', 'square'], required: true },
        { name: 'sides', type: 'number', required: true, when: { attribute: 'seen', equals: 'square' } },
        { name: 'bright', type: 'bool', required: true },
        { name: 'marks', type: 'multi', options: ['dust', 'scratch'], most: 1 },
        { name: 'words', type: 'text', min_chars: 3 },
      ],
    },
    answer: async (page) => {
      await page.getByRole('combobox', { name: 'seen' }).click();
      await page.getByRole('option', { name: 'square' }).click();
      await page.getByLabel('sides').fill('4');
      await page.getByRole('radio', { name: 'Yes' }).check();
      await page.getByLabel('words').fill('a bright shape');
    },
    finish: 'Control+Enter',
  },
  'form of an order, a file and entries': {
    spec: {
      kind: 'form',
      attributes: [
        { name: 'best first', type: 'ranking', options: ['sharpness', 'colour', 'size'], required: true },
        { name: 'proof', type: 'file', required: true, accepts: ['image'] },
        {
          name: 'lines',
          type: 'rows',
          least: 1,
          columns: [
            { name: 'what', type: 'text', required: true },
            { name: 'paid', type: 'bool' },
            { name: 'how', type: 'choice', options: ['cash', 'card'], when: { attribute: 'paid', equals: true } },
          ],
        },
      ],
    },
    answer: async (page) => {
      // By keys: the last to the top. Nothing is in order before somebody said so.
      await page.getByText('Not in order yet.').waitFor();
      await page.getByRole('listitem', { name: 'size, 3 of 3' }).focus();
      await page.keyboard.press('Shift+ArrowUp');
      await page.getByRole('listitem', { name: 'size, 2 of 3' }).waitFor();
      await page.keyboard.press('Shift+ArrowUp');
      await page.getByRole('listitem', { name: 'size, 1 of 3' }).waitFor();
      // By hand: colour above sharpness.
      const grip = await page.getByRole('listitem', { name: 'colour, 3 of 3' }).locator('.cup-rank-grip').boundingBox();
      const above = await page.getByRole('listitem', { name: 'sharpness, 2 of 3' }).boundingBox();
      if (!grip || !above) throw new Error('The list is not there.');
      await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
      await page.mouse.down();
      await page.mouse.move(grip.x + grip.width / 2, above.y + above.height / 2, { steps: 4 });
      await page.mouse.up();
      await page.getByRole('listitem', { name: 'colour, 2 of 3' }).waitFor();
      const file = page.locator('input[type=file]').first();
      await file.setInputFiles({ name: '证据 1.png', mimeType: 'image/png', buffer: PIXEL });
      await page.locator('.cup-file-field').getByRole('link', { name: '证据 1.png' }).waitFor();
      await page.getByRole('button', { name: 'Add an entry to lines' }).click();
      await page.getByLabel('what').fill('tea');
      await page.getByRole('radio', { name: 'Yes' }).check();
      await page.getByRole('combobox', { name: 'how' }).click();
      await page.getByRole('option', { name: 'card' }).click();
      await page.getByRole('button', { name: 'Add an entry to lines' }).click();
      await page.getByText('Entry 2 of “lines” is empty.').waitFor();
      await page.getByRole('button', { name: 'Remove entry 2' }).click();
    },
    finish: 'Control+Enter',
  },
  'objects as boxes': { spec: { kind: 'objects', classes: [{ name: 'shape' }] }, answer: draw, finish: 'Enter' },
  'objects as points': {
    spec: { kind: 'objects', classes: [{ name: 'centre', geometry: 'point' }] },
    answer: draw,
    finish: 'Enter',
  },
  'objects as outlines': {
    spec: { kind: 'objects', classes: [{ name: 'shape', geometry: 'polygon' }] },
    answer: draw,
    finish: 'Enter',
  },
};

const ITEMS = 3;

describe.skipIf(!logins)('each kind', () => {
  const { url, requester, contributor, adjudicator } = logins as NonNullable<typeof logins>;
  let browser: Browser;
  let owner: Visit;
  let worker: Visit;
  let judge: Visit;

  // The same people for all of them: to open a browser and sign in takes longer than a story.
  beforeAll(async () => {
    browser = await launch();
    owner = await visit(browser);
    worker = await visit(browser);
    judge = await visit(browser, { colorScheme: 'dark' });
    await signIn(owner, url, requester);
    await signIn(worker, url, contributor);
    await signIn(judge, url, adjudicator);
  });
  afterAll(() => browser?.close());

  describe.each(Object.entries(STORIES))('the kind %s', (kind, story) => {
    const name = `Kind ${kind} ${Date.now().toString(36)}`;
    let project = '';

    beforeAll(async () => {
      for (const one of [owner, worker, judge]) one.complaints.length = 0;
      ({ project } = await makeProjectOf(owner.page, name, ITEMS, story.spec));
    });

    const answered = async (page: Page) => {
      await shown(page);
      await story.answer(page);
    };

    it('is worked on', async () => {
      const { page } = worker;
      await page.goto(`${url}/work/${project}`);
      for (let at = 0; at < ITEMS; at += 1) {
        await page.locator(`.cup-dots button:nth-child(${at + 1})[aria-current=true]`).waitFor();
        await answered(page);
        if (at === 0) {
          await expectAccessible(page);
          await picture(page, `kind-${kind.replaceAll(' ', '-')}-work`);
        }
        await page.keyboard.press(story.finish);
      }
      await page.getByText('Nothing more to do here for now').waitFor({ timeout: 30_000 });
      expect(worker.complaints).toEqual([]);
    });

    it('is adjudicated', async () => {
      const { page } = judge;
      const tasks = await judgedTasks(page, project);
      const doubtful = tasks.filter((task) => task.state === 'escalated');
      // Where the crowd was sure of everything there is nothing to decide; the page must show all the same.
      for (const task of doubtful.length > 0 ? doubtful : tasks.slice(0, 1)) {
        await page.goto(`${url}/adjudication/${task.id}`);
        await answered(page);
        await page.getByRole('heading', { name: 'Judgements (1)' }).waitFor();
        if (task === doubtful[0]) {
          await expectAccessible(page);
          await picture(page, `kind-${kind.replaceAll(' ', '-')}-adjudication`);
        }
        if (task === doubtful[0]) {
          // What is being decided outlives a reload.
          const made = async () => {
            await page.keyboard.press('Escape');
            const field = page.getByLabel('Your text');
            const text = (await field.count()) > 0 ? await field.inputValue() : '';
            return (await page.locator('.cup-desk-panel').innerText()) + text;
          };
          const before = await made();
          await page.reload();
          await shown(page);
          await expect.poll(() => made()).toBe(before);
        }
        if (task.state !== 'escalated') continue;
        const before = page.url();
        await page.keyboard.press(story.finish);
        await page.waitForURL((address) => address.href !== before);
      }
      expect(judge.complaints).toEqual([]);
    });

    it('is audited, and looked at', async () => {
      const release = await ask<{ id: string }>(owner.page, 'POST', `/api/projects/${project}/releases`, {
        name: 'v1',
        plan: { items: 1 },
      });
      await ask(owner.page, 'POST', `/api/releases/${release.id}/freeze`, {});
      const { page } = judge;
      await page.goto(`${url}/audits/${release.id}`);
      await answered(page);
      await expectAccessible(page);
      await picture(page, `kind-${kind.replaceAll(' ', '-')}-audit`);
      await page.keyboard.press(story.finish);
      await page.getByText('The audit is done').waitFor();
      expect(judge.complaints).toEqual([]);

      const [task] = await judgedTasks(owner.page, project);
      await owner.page.goto(`${url}/projects/${project}/tasks`);
      await owner.page
        .getByText(task?.ref ?? '')
        .first()
        .waitFor();
      await owner.page.goto(`${url}/tasks/${task?.id}`);
      await owner.page
        .getByRole('heading', { name: /Judgements/ })
        .first()
        .waitFor();
      await expectAccessible(owner.page);
      expect(owner.complaints).toEqual([]);
    });
  });
});
