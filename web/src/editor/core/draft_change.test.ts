import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Label, LabelObject } from '../../api/types';
import { box } from '../testing';
import { type DraftChange, draftChange } from './draft_change';
import { applyPatch, patchBetween } from './patch';

interface Case {
  name: string;
  before: Label;
  change: DraftChange;
  after: Label;
}
const cases = JSON.parse(
  readFileSync(new URL('../../../../tests/tasks/differences.json', import.meta.url), 'utf8'),
) as Case[];

/** What the server makes of a change, in its own terms. */
function laid(before: Label, change: DraftChange): Label {
  if (change.is === 'objects') return applyPatch(before, change);
  const said = before.kind === 'text' ? [...before.text] : [];
  said.splice(change.from, change.drop, change.put);
  return { kind: 'text', text: said.join('') };
}

describe('the difference that is sent', () => {
  it.each(cases)('is laid as the server lays it: $name', ({ before, change, after }) => {
    expect(laid(before, change)).toEqual(after);
  });
  it.each(cases)('leads from one label to the other: $name', ({ before, after }) => {
    const change = draftChange(before, after);
    if (change) expect(laid(before, change)).toEqual(after);
    else expect(patchBetween(before, after).is === 'whole' || after.kind === 'objects').toBe(true);
  });

  it('is as small as what was changed: one of fifty', () => {
    const masks: LabelObject[] = Array.from({ length: 50 }, (_, at) => box(`m${at}`, at, at, 9, 9));
    const after = masks.map((mask, at) => (at === 7 ? { ...mask, cls: 'person' } : mask));
    const change = draftChange({ kind: 'objects', objects: masks }, { kind: 'objects', objects: after });
    expect(change).toEqual({ is: 'objects', put: [[7, after[7]]], gone: [] });
  });

  it('never tears a pair of a surrogate in two', () => {
    // The two share their first half: 😀 is D83D DE00, 😁 is D83D DE01.
    const before: Label = { kind: 'text', text: 'a😀b' };
    const after: Label = { kind: 'text', text: 'a😁b' };
    expect(draftChange(before, after)).toEqual({ is: 'text', from: 1, drop: 1, put: '😁' });
    // And their last: 🀀 is D83C DC00, 𐀀 is D800 DC00.
    expect(draftChange({ kind: 'text', text: '🀀' }, { kind: 'text', text: '𐀀' })).toEqual({
      is: 'text',
      from: 0,
      drop: 1,
      put: '𐀀',
    });
  });

  it('is the whole where most of it is new', () => {
    const fresh = [box('a', 0, 0, 5, 5), box('b', 9, 9, 5, 5)];
    expect(draftChange({ kind: 'objects', objects: [] }, { kind: 'objects', objects: fresh })).toBeNull();
  });
});
