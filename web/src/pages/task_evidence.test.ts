import { describe, expect, it } from 'vitest';
import { likelier, mostLikely } from './task_evidence';

describe('a decision’s bars', () => {
  it('stand in the order of their probability and leave none of it out', () => {
    const rows = mostLikely({ a: 0.01, b: 0.9, c: 0.04, d: 0.02, e: 0.03 }, 3);
    expect(rows.map((row) => row.name)).toEqual(['b', 'c', null]);
    expect(rows.reduce((sum, row) => sum + row.value, 0)).toBeCloseTo(1, 9);
  });

  it('fold nothing together when every class has room', () => {
    expect(mostLikely({ a: 0.2, b: 0.8 }, 2).map((row) => row.name)).toEqual(['b', 'a']);
  });

  it('say evidence against as strongly as evidence for', () => {
    expect(likelier(Math.log(9))).toBeCloseTo(9, 9);
    expect(likelier(-Math.log(9))).toBeCloseTo(9, 9);
    expect(likelier(0)).toBe(1);
  });
});
