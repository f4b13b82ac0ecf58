import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../../api/http';
import type { Assignment, ItemView, Label } from '../../api/types';
import { addObject } from '../actions/add_object';
import { chooseValue } from '../actions/choose_value';
import { BOXES, CHOICE } from '../testing';
import { type Journal, memoryJournal } from './journal';
import { type DraftSent, PageSession } from './page_session';

function assignment(id: string, tasks = 3): Assignment {
  return {
    id,
    project: 'p',
    project_name: 'Animals',
    claimed_at: '2026-01-01T00:00:00Z',
    fence: 7,
    state: 'claimed',
    offer_version: 1,
    price_minor: 2,
    currency: 'EUR',
    stage: 0,
    does: 'draw',
    expires_at: '2026-01-01T00:00:00Z',
    kind: 'choice',
    training: false,
    ontology: CHOICE,
    guidelines: {},
    tasks: Array.from({ length: tasks }, (_, at) => ({
      task: `${id}-${at}`,
      position: at + 1,
      state: 'open' as const,
      item: { text: `Sentence ${at}.` },
      draft: null,
      draft_rev: 0,
    })),
  };
}

describe('a page of tasks', () => {
  let now_ms = 0;
  let saved: [string, Label, number][] = [];
  let fails: Problem | null = null;
  const saveDraft = async (task: string, draft: DraftSent) => {
    if (fails) throw fails;
    if ('label' in draft) saved.push([task, draft.label, draft.rev]);
    return { rev: draft.rev, writer: draft.writer };
  };
  let fresh: ItemView | null = null;
  const freshItem = async () => fresh;
  const open = async (page: Assignment, journal: Journal) =>
    new PageSession(page, await journal.drafts(page.id), {
      journal,
      saveDraft,
      writer: 'me',
      now_ms: () => now_ms,
      freshItem,
    });
  const choose = (page: PageSession, value: string) => page.current?.perform(chooseValue(value, false));

  beforeEach(() => {
    vi.useFakeTimers();
    now_ms = 0;
    saved = [];
    fails = null;
  });
  afterEach(() => void vi.useRealTimers());

  it('shows the next open task when one is done', async () => {
    const page = await open(assignment('a'), memoryJournal());
    choose(page, 'cat');
    expect(page.finishCurrent()).toBe(true);
    expect(page.snapshot().index).toBe(1);
    expect(page.snapshot().ready).toEqual([true, false, false]);
  });

  it('does not finish a task whose label has an error', async () => {
    const page = await open(assignment('a'), memoryJournal());
    expect(page.finishCurrent()).toBe(false);
    expect(page.snapshot().index).toBe(0);
  });

  it('finishes nothing whose picture has not been seen, and asks for a fresh address where it did not load', async () => {
    const pictures = assignment('a', 1);
    Object.assign(pictures.tasks[0] ?? {}, { item: { url: '/old.png' } });
    fresh = { url: '/new.png' };
    const page = await open(pictures, memoryJournal());
    choose(page, 'cat');
    expect(page.finishCurrent()).toBe(false);
    page.current?.see('failed');
    expect(page.finishCurrent()).toBe(false);
    await page.current?.look();
    expect(page.current).toMatchObject({ sight: 'waiting', setting: { item: { url: '/new.png' } } });
    page.current?.see('shown');
    expect(page.finishCurrent()).toBe(true);
  });

  it('knows when all that it would submit is empty', async () => {
    const boxes = { ...assignment('a', 2), kind: 'objects' as const, ontology: BOXES };
    const page = await open(boxes, memoryJournal());
    expect(page.isLastAndEmpty).toBe(false);
    page.finishCurrent();
    expect(page.isLastAndEmpty).toBe(true);
    page.current?.perform(addObject('o', { type: 'box', x: 1, y: 1, w: 5, h: 5 }));
    expect(page.isLastAndEmpty).toBe(false);
  });

  it('says that the person is signed out as that, and saves when they are back', async () => {
    const page = await open(assignment('a'), memoryJournal());
    fails = new Problem(401, {});
    choose(page, 'cat');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(page.snapshot().saving).toBe('signed-out');
    fails = null;
    await page.flush();
    expect(page.snapshot().saving).toBe('saved');
  });

  it('opens a finished task again when its label is changed', async () => {
    const page = await open(assignment('a'), memoryJournal());
    choose(page, 'cat');
    page.finishCurrent();
    page.go(0);
    choose(page, 'dog');
    expect(page.snapshot().ready[0]).toBe(false);
  });

  it('loses nothing in a reload: labels, what was done, and what can be undone', async () => {
    const journal = memoryJournal();
    const before = await open(assignment('a'), journal);
    choose(before, 'cat');
    choose(before, 'dog');
    before.finishCurrent();
    choose(before, 'bird');
    await vi.advanceTimersByTimeAsync(0);
    const after = await open(assignment('a'), journal);
    expect(after.snapshot()).toMatchObject({ index: 1, ready: [true, false, false] });
    expect(after.current?.document.label).toEqual({ kind: 'choice', values: ['bird'] });
    after.go(0);
    after.current?.undo();
    expect(after.current?.document.label).toEqual({ kind: 'choice', values: ['cat'] });
  });

  it('hands each change to the journal right after the stroke that made it, in order, and at once when it is hidden', async () => {
    const journal = memoryJournal();
    const kept: unknown[] = [];
    const saveDraft: Journal['saveDraft'] = async (entry) => {
      kept.push(entry.history.present.label);
      return journal.saveDraft(entry);
    };
    const page = await open(assignment('a'), { ...journal, saveDraft });
    choose(page, 'cat');
    choose(page, 'dog');
    expect(kept).toEqual([]);
    await vi.advanceTimersByTimeAsync(0);
    const labels = ['cat', 'dog', 'bird', 'cat'].map((value) => ({ kind: 'choice', values: [value] }));
    expect(kept).toEqual(labels.slice(0, 2));
    choose(page, 'bird');
    page.pause();
    expect(kept).toEqual(labels.slice(0, 3));
    choose(page, 'cat');
    page.close();
    expect(kept).toEqual(labels);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(kept).toHaveLength(4);
  });

  it('prefers the server’s draft when it is the newer one', async () => {
    const journal = memoryJournal();
    const before = await open(assignment('a'), journal);
    choose(before, 'cat');
    await vi.advanceTimersByTimeAsync(0);
    const later = assignment('a');
    Object.assign(later.tasks[0] ?? {}, { draft: { kind: 'choice', values: ['dog'] }, draft_rev: 9 });
    const after = await open(later, journal);
    expect(after.current?.document.label).toEqual({ kind: 'choice', values: ['dog'] });
  });

  it('begins with the pre-label where there is no draft', async () => {
    const page = assignment('a');
    Object.assign(page.tasks[0] ?? {}, { pre_label: { kind: 'choice', values: ['bird'] } });
    expect((await open(page, memoryJournal())).current?.document.label).toEqual({ kind: 'choice', values: ['bird'] });
  });

  it('sends why a label is rejected in its place, keeps that over a reload, and forgets it once the label is mended', async () => {
    const journal = memoryJournal();
    const page = await open(assignment('a', 2), journal);
    const rejected = { reason: 'inexact', note: 'too wide' } as const;
    page.rejectCurrent(rejected);
    expect(page.snapshot().index).toBe(1);
    expect(page.judgements()).toEqual([{ task: 'a-0', seconds: expect.any(Number), reject: rejected }]);
    await vi.advanceTimersByTimeAsync(0);
    const again = await open(assignment('a', 2), journal);
    expect(again.judgements()).toMatchObject([{ task: 'a-0', reject: rejected }]);
    again.go(0);
    expect(again.currentRejected).toEqual(rejected);
    choose(again, 'dog');
    expect(again.currentRejected).toBeNull();
    again.finishCurrent();
    expect(again.judgements()).toMatchObject([{ task: 'a-0', label: { kind: 'choice', values: ['dog'] } }]);
  });

  it('says saved only once the server has acknowledged the newest revision', async () => {
    const page = await open(assignment('a'), memoryJournal());
    choose(page, 'cat');
    expect(page.snapshot().saving).toBe('saving');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(page.snapshot().saving).toBe('saved');
    expect(saved).toEqual([['a-0', { kind: 'choice', values: ['cat'] }, 1]]);
  });

  it('says that work is kept here while the server is away, and sends it when it is back', async () => {
    fails = new Problem(0, { code: 'no-answer' });
    const page = await open(assignment('a'), memoryJournal());
    choose(page, 'cat');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(page.snapshot().saving).toBe('absent');
    fails = null;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(page.snapshot().saving).toBe('saved');
    expect(saved).toHaveLength(1);
  });

  it('says so when the server refuses a draft', async () => {
    fails = new Problem(409, { code: 'stale-fence' });
    const page = await open(assignment('a'), memoryJournal());
    choose(page, 'cat');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(page.snapshot().saving).toBe('refused');
  });

  it('counts seconds for the shown task alone', async () => {
    const page = await open(assignment('a', 2), memoryJournal());
    page.touch();
    now_ms = 3_000;
    choose(page, 'cat');
    page.finishCurrent();
    now_ms = 8_000;
    choose(page, 'dog');
    page.finishCurrent();
    expect(page.judgements().map((judgement) => judgement.seconds)).toEqual([3, 5]);
    expect(page.isFinished).toBe(true);
  });
});
