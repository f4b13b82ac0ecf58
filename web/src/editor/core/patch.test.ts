import { describe, expect, it } from 'vitest';
import type { Answer, Label } from '../../api/types';
import { box } from '../testing';
import { applyPatch, patchBetween } from './patch';

const objects = (...list: ReturnType<typeof box>[]): Label => ({ kind: 'objects', objects: list });
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id, at) => box(id, at * 10, 0, 5, 5)) as [
  ReturnType<typeof box>,
  ReturnType<typeof box>,
  ReturnType<typeof box>,
  ReturnType<typeof box>,
];
const text = (said: string): Label => ({ kind: 'text', text: said });
const choice = (...values: string[]): Label => ({ kind: 'choice', values });
const form = (answers: Record<string, Answer>): Label => ({ kind: 'form', answers });
const moved = { ...b, shape: { ...b.shape, x: 99 } };

describe('the difference of two labels', () => {
  it.each<[string, Label, Label]>([
    ['one added', objects(a, b), objects(a, b, c)],
    ['one added first', objects(a, b), objects(c, a, b)],
    ['one changed', objects(a, b, c), objects(a, moved, c)],
    ['one gone', objects(a, b, c), objects(a, c)],
    ['all gone', objects(a, b, c), objects()],
    ['first ones', objects(), objects(a, b)],
    ['another order', objects(a, b, c, d), objects(d, c, a, b)],
    ['two of one id', objects(a, a), objects(a, a, b)],
    ['all at once', objects(a, b, c), objects(d, moved, a)],
    ['nothing', objects(a, b), objects(a, b)],
    ['a word more', text('a cat'), text('a black cat')],
    ['a letter less', text('aaa'), text('aa')],
    ['all of it', text('abc'), text('')],
    ['halves of one character', text('😀'), text('😁')],
    ['a choice', choice('cat'), choice('dog')],
    ['an answer more', form({ a: 'x' }), form({ a: 'x', b: 2 })],
    ['an answer changed, one gone', form({ a: ['x'], b: false }), form({ a: ['x', 'y'] })],
  ])('leads there: %s', (_, before, after) => {
    expect(applyPatch(before, patchBetween(before, after))).toEqual(after);
  });

  it('is as small as the change', () => {
    const many = Array.from({ length: 2_000 }, (_, at) => box(`o${at}`, at, 0, 5, 5));
    const after = many.map((object) => (object.id === 'o7' ? { ...object, cls: 'person' } : object));
    const patch = patchBetween({ kind: 'objects', objects: many }, { kind: 'objects', objects: after });
    expect(JSON.stringify(patch).length).toBeLessThan(300);
  });
});
