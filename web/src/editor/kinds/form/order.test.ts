import { describe, expect, it } from 'vitest';
import { moved, target } from './order';

describe('a list that is put in order', () => {
  it('has what was moved at its new place and all else in its order', () => {
    expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']);
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
    expect(moved(['a', 'b', 'c'], 1, 2)).toEqual(['a', 'c', 'b']);
  });

  it('is the same list where nothing moves', () => {
    const order = ['a', 'b'];
    for (const [from, to] of [
      [0, 0],
      [0, 2],
      [1, -1],
      [5, 0],
    ] as const)
      expect(moved(order, from, to)).toBe(order);
  });

  it('is walked by arrows, Home and End, and no further than its ends', () => {
    expect(['ArrowUp', 'ArrowDown', 'Home', 'End', 'a'].map((key) => target(key, 1, 4))).toEqual([0, 2, 0, 3, null]);
    expect(target('ArrowUp', 0, 4)).toBe(0);
    expect(target('ArrowDown', 3, 4)).toBe(3);
  });
});
