/** What of a draft goes over the line, and that nothing of it is lost where answers are. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../../api/http';
import type { Assignment, Label, LabelObject } from '../../api/types';
import { addObject } from '../actions/add_object';
import { deleteObjects } from '../actions/delete_objects';
import { selectObjects } from '../actions/select_objects';
import { setAttribute } from '../actions/set_attribute';
import { setClass } from '../actions/set_class';
import { BOXES } from '../testing';
import { memoryJournal } from './journal';
import { type DraftHeld, type DraftSent, PageSession } from './page_session';
import { applyPatch } from './patch';

const MASKS: LabelObject[] = Array.from({ length: 50 }, (_, at) => ({
  id: `m${at}`,
  cls: 'car',
  source: 'person',
  shape: {
    type: 'polygon',
    points: Array.from({ length: 400 }, (_, n) => [n + at, (n * 7) % 100] as [number, number]),
  },
}));
const PAGE = {
  id: 'page',
  project: 'p',
  fence: 1,
  kind: 'objects',
  state: 'claimed',
  ontology: BOXES,
  guidelines: {},
  tasks: [
    {
      task: 't',
      position: 1,
      state: 'open',
      item: { text: 'x' },
      draft: { kind: 'objects', objects: MASKS },
      draft_rev: 3,
    },
  ],
} as unknown as Assignment;

/** A server as the real one keeps drafts: a whole, the revisions known of its writer, and what comes late changes nothing. */
class Server {
  label: Label = { kind: 'objects', objects: MASKS };
  rev = 3;
  writer = 'before';
  known = new Map<number, Label>();
  bytes: number[] = [];
  loses: 'nothing' | 'requests' | 'answers' = 'nothing';

  take = async (_task: string, draft: DraftSent): Promise<DraftHeld> => {
    this.bytes.push(JSON.stringify(draft).length);
    if (this.loses === 'requests') throw new TypeError('no network');
    const held = this.#keep(draft);
    if (this.loses === 'answers') throw new TypeError('no network');
    return held;
  };

  #keep(draft: DraftSent): DraftHeld {
    if ('label' in draft) {
      if (draft.rev > this.rev) this.#become(draft, draft.label, new Map());
    } else {
      const base = this.known.get(draft.base);
      const isMine = draft.writer === this.writer;
      if (isMine && draft.rev <= this.rev) return { rev: this.rev, writer: this.writer };
      if (!base || !isMine) {
        throw new Problem(409, { code: 'draft-base-missing', detail: '', remedy: '' } as never);
      }
      if (draft.change.is !== 'objects') throw new Error('objects are drawn here');
      this.#become(draft, applyPatch(base, draft.change), this.known);
    }
    return { rev: this.rev, writer: this.writer };
  }

  #become({ rev, writer }: DraftSent, label: Label, known: Map<number, Label>): void {
    this.label = label;
    this.rev = rev;
    this.writer = writer;
    this.known = new Map([...known, [rev, label]]);
  }
}

describe('a draft on its way to the server', () => {
  let server: Server;
  let page: PageSession;
  const session = () => page.current ?? expect.fail('no task is shown');
  const drawn = () => session().document.label;
  const touch = (id: string, to: string) => {
    session().perform(selectObjects([id]));
    session().perform(setClass(to));
  };

  beforeEach(() => {
    vi.useFakeTimers();
    server = new Server();
    page = new PageSession(PAGE, [], {
      journal: memoryJournal(),
      saveDraft: server.take,
      writer: 'me',
      now_ms: () => 0,
      freshItem: async () => null,
    });
    return () => void vi.useRealTimers();
  });

  it('is one mask of fifty where one was changed', async () => {
    touch('m7', 'person');
    await page.flush();
    const [whole = 0] = server.bytes;
    expect(whole).toBeGreaterThan(100_000);
    for (const to of ['car', 'person', 'car']) {
      touch('m7', to);
      await page.flush();
    }
    expect(server.label).toEqual(drawn());
    expect(Math.max(...server.bytes.slice(1))).toBeLessThan(whole / 40);
    expect(page.snapshot().saving).toBe('saved');
  });

  it.each(['requests', 'answers'] as const)('is whole again after lost %s', async (lost) => {
    touch('m1', 'person');
    await page.flush();
    server.loses = lost;
    touch('m2', 'person');
    await page.flush();
    expect(page.snapshot().saving).not.toBe('saved');
    session().perform(deleteObjects(['m3']));
    await page.flush();
    server.loses = 'nothing';
    session().perform(addObject('new', MASKS[0]?.shape ?? expect.fail()));
    await page.flush();
    expect(server.label).toEqual(drawn());
    expect(page.snapshot().saving).toBe('saved');
    // Nothing had to be sent whole for it.
    expect(Math.max(...server.bytes.slice(1))).toBeLessThan((server.bytes[0] ?? 0) / 10);
  });

  it('is sent whole where the server has lost what it builds on', async () => {
    touch('m1', 'person');
    await page.flush();
    server.known.clear();
    touch('m2', 'person');
    await page.flush();
    expect(server.label).toEqual(drawn());
    expect(page.snapshot().saving).toBe('saved');
  });

  it('comes after what another tab of the same person wrote, and is not said to be saved before', async () => {
    touch('m1', 'person');
    await page.flush();
    server.writer = 'other';
    server.rev = 90;
    server.label = { kind: 'objects', objects: [] };
    touch('m2', 'person');
    await page.flush();
    expect(page.snapshot().saving).toBe('saving');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.label).toEqual(drawn());
    expect(server.rev).toBeGreaterThan(90);
    expect(page.snapshot().saving).toBe('saved');
  });

  it('keeps what any line of losses leaves of the hands', async () => {
    let seed = 5;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed / 2147483648;
    };
    for (let step = 0; step < 120; step += 1) {
      server.loses = random() < 0.3 ? 'answers' : random() < 0.3 ? 'requests' : 'nothing';
      const id = `m${Math.floor(random() * 50)}`;
      if (random() < 0.2) session().perform(deleteObjects([id]));
      else if (random() < 0.4) session().perform(addObject(`n${step}`, { type: 'point', x: step, y: 1 }));
      else if (random() < 0.5) session().perform(setAttribute(id, 'parked', random() < 0.5));
      else session().undo();
      await page.flush();
      if (random() < 0.1) server.known.clear();
    }
    server.loses = 'nothing';
    touch('m0', 'person');
    session().perform(addObject('last', { type: 'point', x: 1, y: 1 }));
    await page.flush();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.label).toEqual(drawn());
  });
});
