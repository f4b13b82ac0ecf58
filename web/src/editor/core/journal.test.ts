import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { chooseValue } from '../actions/choose_value';
import { CHOICE } from '../testing';
import { openDocument } from './document';
import { openHistory, perform, undo } from './history';
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
});
