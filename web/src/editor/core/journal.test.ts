import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { describe, expect, it } from 'vitest';
import { addObject } from '../actions/add_object';
import { chooseValue } from '../actions/choose_value';
import { deleteObjects } from '../actions/delete_objects';
import { moveObject } from '../actions/move_object';
import { selectObjects } from '../actions/select_objects';
import { setText } from '../actions/set_text';
import { BOXES, box, boxes, CHOICE, IMAGE, sessionOf, TEXT } from '../testing';
import { openDocument } from './document';
import { type History, openHistory, perform, undo } from './history';
import { type DraftEntry, type OutboxEntry, openJournal } from './journal';

function draft(assignment: string, task: string, rev: number): DraftEntry {
  const history = undo(
    perform(perform(openHistory(openDocument(CHOICE)), chooseValue('cat', false)), chooseValue('dog', false)),
  );
  return {
    key: `${assignment}/${task}`,
    assignment,
    task,
    history,
    rev,
    saved_rev: 0,
    seconds: 3,
    ready: false,
    updated_at_ms: 1,
  };
}
const entry: OutboxEntry = {
  key: 'k1',
  assignment: 'a1',
  fence: 1,
  judgements: [{ task: 't', label: { kind: 'choice', values: ['cat'] }, seconds: 2 }],
  created_at_ms: 5,
  state: 'waiting',
  problem: null,
};

describe('the journal', () => {
  it('brings drafts back after a reload, with what can be undone and redone', async () => {
    await (await openJournal('ada')).saveDraft(draft('a1', 't1', 4));
    const [found] = await (await openJournal('ada')).drafts('a1');
    expect(found?.rev).toBe(4);
    expect(found?.history.present.label).toEqual({ kind: 'choice', values: ['cat'] });
    expect(found?.history.past).toHaveLength(1);
    expect(found?.history.future).toHaveLength(1);
  });

  it('keeps one person’s work from another’s on a shared computer', async () => {
    await (await openJournal('ada')).saveDraft(draft('a2', 't1', 1));
    expect(await (await openJournal('ben')).drafts('a2')).toEqual([]);
  });

  it('drops the drafts of one assignment only', async () => {
    const journal = await openJournal('cleo');
    await journal.saveDraft(draft('a1', 't1', 1));
    await journal.saveDraft(draft('a9', 't1', 1));
    await journal.dropDrafts('a1');
    expect(await journal.drafts('a1')).toEqual([]);
    expect(await journal.drafts('a9')).toHaveLength(1);
  });

  it('keeps a submission until it is dropped', async () => {
    await (await openJournal('dan')).putOutbox(entry);
    const later = await openJournal('dan');
    expect(await later.outbox()).toEqual([entry]);
    await later.dropOutbox('k1');
    expect(await later.outbox()).toEqual([]);
  });

  it('writes what changed, not the whole label, and plays it back to the same history', async () => {
    const journal = await openJournal('eve');
    const many = Array.from({ length: 500 }, (_, at) => box(`o${at}`, at % 190, 0, 5, 5));
    const session = sessionOf(BOXES, boxes(...many));
    let rev = 0;
    const keep = () => {
      rev += 1;
      return journal.saveDraft({ ...draft('big', 't1', rev), history: session.history });
    };
    await keep();
    session.subscribe(() => void keep());
    const random = mulberry(7);
    for (let change = 0; change < 120; change += 1) {
      const id = `o${Math.floor(random() * 500)}`;
      const dice = random();
      if (dice < 0.5) session.perform(moveObject(id, 1, 1, IMAGE), dice < 0.2 ? `nudge:${id}` : null);
      else if (dice < 0.6) session.perform(deleteObjects([id]));
      else if (dice < 0.7) session.perform(addObject(`n${change}`, { type: 'box', x: 1, y: 1, w: 4, h: 4 }));
      else if (dice < 0.75) session.perform(selectObjects([id]));
      else if (dice < 0.9) session.undo();
      else session.redo();
    }
    await keep();
    const [found] = await (await openJournal('eve')).drafts('big');
    const labels = ({ past, present, future }: History) =>
      [past, [present], future].map((one) => one.map((d) => d.label));
    expect(found && labels(found.history)).toEqual(labels(session.history));

    const db = await openDB('cupola-eve');
    const [, ...steps] = await db.getAll('operations');
    expect(steps.length).toBeGreaterThan(60);
    for (const step of steps) expect(JSON.stringify(step).length).toBeLessThan(600);
    db.close();
  });

  it('cuts a log that grew long to its newest steps, and loses nothing of the label', async () => {
    const journal = await openJournal('fay');
    const session = sessionOf(TEXT);
    session.subscribe(() => void journal.saveDraft({ ...draft('long', 't1', 1), history: session.history }));
    for (let at = 0; at < 450; at += 1) session.perform(setText(`text ${at}`));
    await journal.saveDraft({ ...draft('long', 't1', 2), history: session.history });
    const [found] = await (await openJournal('fay')).drafts('long');
    expect(found?.history.present.label).toEqual({ kind: 'text', text: 'text 449' });
    expect(found?.history.past.length).toBeGreaterThanOrEqual(50);
  });

  it('brings along what the version before kept', async () => {
    const old = await openDB('cupola-gus', 1, {
      upgrade(db) {
        db.createObjectStore('drafts', { keyPath: 'key' }).createIndex('assignment', 'assignment');
        db.createObjectStore('outbox', { keyPath: 'key' });
      },
    });
    await old.put('drafts', draft('a1', 't1', 4));
    await old.put('outbox', entry);
    old.close();
    const journal = await openJournal('gus');
    const [found] = await journal.drafts('a1');
    expect(found).toMatchObject({ rev: 4, history: { present: { label: { values: ['cat'] } } } });
    expect(found?.history.future).toHaveLength(1);
    expect(await journal.outbox()).toEqual([entry]);
  });
});

/** The same dice in every run (mulberry32). */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
