import { describe, expect, it } from 'vitest';
import { selectObjects } from '../actions/select_objects';
import { objectsOf } from '../core/document';
import { buildKeymap } from '../core/keymap';
import { BOXES, box, boxes, CHOICE, sessionOf, turnOf } from '../testing';
import { chooseOperations } from './choose_operations';
import { objectOperations } from './object_operations';
import type { Operation } from './operation';
import { redoOperation, undoOperation } from './undo_redo';

const ids = () => {
  let next = 0;
  return () => `new-${next++}`;
};
const byId = (operations: Operation[], id: string) => {
  const found = operations.find((operation) => operation.id === id);
  if (!found) throw new Error(`no operation ${id}`);
  return found;
};

describe('undo and redo', () => {
  it('say why they cannot be done', () => {
    const session = sessionOf(CHOICE);
    expect(undoOperation.disabledBecause(session)).toBe('Nothing to undo here.');
    byId(chooseOperations(CHOICE), 'choose:dog').run(session);
    expect(undoOperation.disabledBecause(session)).toBeNull();
    undoOperation.run(session);
    expect(redoOperation.disabledBecause(session)).toBeNull();
    redoOperation.run(session);
    expect(session.document.label).toEqual({ kind: 'choice', values: ['dog'] });
  });
});

describe('operations of each kind', () => {
  it('claim no key twice, together with undo and redo', () => {
    for (const operations of [chooseOperations(CHOICE), objectOperations(BOXES, ids())]) {
      const all = [undoOperation, redoOperation, ...operations];
      expect(() => buildKeymap(all.map(({ id, keys, title }) => ({ command: id, keys, title })))).not.toThrow();
    }
  });
  it('reach every class by a key', () => {
    const keys = chooseOperations(CHOICE).flatMap((operation) => operation.keys);
    expect(keys).toEqual(expect.arrayContaining(['1', '2', '3']));
  });
});

describe('operations on objects', () => {
  const operations = objectOperations(BOXES, ids());

  it('say that something must be selected first', () => {
    const session = sessionOf(BOXES, boxes(box('a', 0, 0, 5, 5)));
    for (const id of ['delete', 'duplicate', 'nudge:Left', 'stretch:Up']) {
      expect(byId(operations, id).disabledBecause(session)).toBe('Select an object first.');
    }
  });
  it('draw a box without a pointer', () => {
    const session = sessionOf(BOXES);
    byId(operations, 'object-at-centre').run(session);
    expect(objectsOf(session.document)[0]?.shape).toMatchObject({ x: 75, y: 37.5, w: 50, h: 25 });
  });
  it('nudge the selected box, a run of nudges being one step', () => {
    const session = sessionOf(BOXES, boxes(box('a', 10, 10, 5, 5)));
    session.perform(selectObjects(['a']));
    for (let step = 0; step < 3; step += 1) byId(operations, 'nudge:Right').run(session);
    expect(objectsOf(session.document)[0]?.shape).toMatchObject({ x: 13 });
    session.undo();
    expect(objectsOf(session.document)[0]?.shape).toMatchObject({ x: 10 });
  });
  it('turn the selected box by degrees and by steps of 15, a run of turns being one step', () => {
    const session = sessionOf(BOXES, boxes(box('a', 60, 40, 40, 20)));
    session.perform(selectObjects(['a']));
    const degrees = () => (turnOf(session.document) * 180) / Math.PI;
    for (let step = 0; step < 4; step += 1) byId(operations, 'turn-right').run(session);
    expect(degrees()).toBeCloseTo(4, 1);
    byId(operations, 'turn-far-right').run(session);
    expect(degrees()).toBeCloseTo(15, 1);
    byId(operations, 'turn-far-left').run(session);
    byId(operations, 'turn-far-left').run(session);
    expect(degrees()).toBeCloseTo(-15, 1);
    session.undo();
    expect(objectsOf(session.document)[0]?.shape).not.toHaveProperty('rotation_rad');
  });
  it('stretch a turned box along its own side', () => {
    const shape = { type: 'box' as const, x: 60, y: 40, w: 40, h: 20, rotation_rad: Math.PI / 2 };
    const session = sessionOf(BOXES, boxes({ ...box('a', 60, 40, 40, 20), shape }));
    session.perform(selectObjects(['a']));
    byId(operations, 'stretch:Right').run(session);
    expect(objectsOf(session.document)[0]?.shape).toMatchObject({ w: 41, h: 20 });
  });
  it('go through the objects in both directions and around', () => {
    const session = sessionOf(BOXES, boxes(box('a', 0, 0, 5, 5), box('b', 9, 9, 5, 5)));
    byId(operations, 'previous-object').run(session);
    expect(session.document.selected).toEqual(['b']);
    byId(operations, 'next-object').run(session);
    expect(session.document.selected).toEqual(['a']);
  });
  it('label the selected box by its digit', () => {
    const session = sessionOf(BOXES, boxes(box('a', 0, 0, 5, 5)));
    session.perform(selectObjects(['a']));
    byId(operations, 'class:person').run(session);
    expect(objectsOf(session.document)[0]?.cls).toBe('person');
  });
});
