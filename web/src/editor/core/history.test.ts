import { describe, expect, it } from 'vitest';
import { chooseValue } from '../actions/choose_value';
import { selectObjects } from '../actions/select_objects';
import { setText } from '../actions/set_text';
import { box, boxes, CHOICE, TEXT } from '../testing';
import { openDocument } from './document';
import { canRedo, canUndo, HISTORY_LIMIT, openHistory, perform, redo, undo } from './history';

const begun = () => openHistory(openDocument(CHOICE));

describe('history', () => {
  it('undoes and redoes to the very same documents', () => {
    const first = perform(begun(), chooseValue('cat', false));
    const second = perform(first, chooseValue('dog', false));
    const back = undo(second);
    expect(back.present).toBe(first.present);
    expect(redo(back).present).toBe(second.present);
  });

  it('forgets the undone future once something else is done', () => {
    const back = undo(perform(perform(begun(), chooseValue('cat', false)), chooseValue('dog', false)));
    expect(canRedo(perform(back, chooseValue('bird', false)))).toBe(false);
  });

  it('takes no step for an action that changes nothing', () => {
    const chosen = perform(begun(), chooseValue('cat', false));
    expect(perform(chosen, chooseValue('cat', false))).toBe(chosen);
  });

  it('joins steps that carry the same mark', () => {
    let typing = openHistory(openDocument(TEXT));
    for (const text of ['a', 'ab', 'abc']) typing = perform(typing, setText(text), 'typing:1');
    typing = perform(typing, setText('abc d'), 'typing:2');
    expect(undo(typing).present.label).toEqual({ kind: 'text', text: 'abc' });
    expect(undo(undo(typing)).present.label).toEqual({ kind: 'text', text: '' });
  });

  it('begins a new step after an undo, even under the same mark', () => {
    let typing = openHistory(openDocument(TEXT));
    typing = perform(typing, setText('a'), 'typing:1');
    typing = undo(typing);
    typing = perform(typing, setText('b'), 'typing:1');
    expect(undo(typing).present.label).toEqual({ kind: 'text', text: '' });
  });

  it('does not count a selection as a step', () => {
    const selected = perform(openHistory(boxes(box('a', 0, 0, 5, 5))), selectObjects(['a']));
    expect(selected.present.selected).toEqual(['a']);
    expect(canUndo(selected)).toBe(false);
  });

  it('is bounded', () => {
    let history = openHistory(openDocument(TEXT));
    for (let step = 0; step < HISTORY_LIMIT + 20; step += 1) history = perform(history, setText(String(step)));
    expect(history.past.length).toBe(HISTORY_LIMIT);
  });

  it('has nothing to undo at its beginning', () => {
    const history = begun();
    expect(undo(history)).toBe(history);
    expect(redo(history)).toBe(history);
  });
});
