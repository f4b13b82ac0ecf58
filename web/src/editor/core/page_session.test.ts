import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../../api/http';
import type { Assignment, Label } from '../../api/types';
import { chooseValue } from '../actions/choose_value';
import { CHOICE } from '../testing';
import { type Journal, memoryJournal } from './journal';
import { PageSession } from './page_session';

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
    expires_at: '2026-01-01T00:00:00Z',
    kind: 'choice',
    training: false,
    ontology: CHOICE,
    guidelines: {},
    tasks: Array.from({ length: tasks }, (_, at) => ({
      task: `${id}-${at}`,
      position: at + 1,
      state: 'open' as const,
      item: { url: `/${at}.png` },
      draft: null,
      draft_rev: 0,
    })),
  };
}

describe('a page of tasks', () => {
  let now_ms = 0;
  let saved: [string, Label, number][] = [];
  let fails: Problem | null = null;
  const saveDraft = async (task: string, label: Label, rev: number) => {
    if (fails) throw fails;
    saved.push([task, label, rev]);
    return { rev };
  };
  const open = async (page: Assignment, journal: Journal) =>
    new PageSession(page, await journal.drafts(page.id), { journal, saveDraft, now_ms: () => now_ms });
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
    expect(page.snapshot().saving).toBe('local');
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
