import { describe, expect, it } from 'vitest';
import { placeAmong, unitAxis, wilson, withoutGaps } from './chart_scales';

const BINS = [
  { start: 0, end: 0.5, tasks: 3 },
  { start: 0.98, end: 0.99, tasks: 2 },
  { start: 0.99, end: 0.995, tasks: 7 },
];

describe('columns of uneven ranges', () => {
  it('leave no range out: one that nothing fell into stands there empty', () => {
    expect(withoutGaps(BINS).map(({ start, end, tasks }) => [start, end, tasks])).toEqual([
      [0, 0.5, 3],
      [0.5, 0.98, 0],
      [0.98, 0.99, 2],
      [0.99, 0.995, 7],
      [0.995, 1, 0],
    ]);
    expect(withoutGaps([])).toEqual([]);
  });

  it('place a value on the edge or within the column of its range', () => {
    const whole = withoutGaps(BINS);
    expect(placeAmong(whole, 0)).toBe(0);
    expect(placeAmong(whole, 0.99)).toBeCloseTo(3, 6);
    expect(placeAmong(whole, 0.74)).toBeCloseTo(1.5, 6);
    expect(placeAmong(whole, 1)).toBe(5);
  });
});

describe('an axis up to one', () => {
  it('begins at or below the smallest value, on round ticks, and ends at one', () => {
    for (const least of [0, 0.04, 0.33, 0.5, 0.86, 0.9, 0.97, 0.985, 0.999]) {
      const { low, ticks } = unitAxis([least, 0.995, 1]);
      expect(low).toBeLessThanOrEqual(least);
      expect(ticks[0]).toBe(low);
      expect(ticks.at(-1)).toBe(1);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks.length).toBeLessThanOrEqual(6);
    }
  });

  it('is as close to the values as round ticks allow', () => {
    expect(unitAxis([0.97])).toEqual({ low: 0.97, ticks: [0.97, 0.98, 0.99, 1] });
    expect(unitAxis([0.62]).low).toBe(0.6);
  });
});

describe('the interval of a share', () => {
  it('is the textbook’s: 8 of 10 lie between 49 % and 94.3 %', () => {
    const { from, to } = wilson(0.8, 10);
    expect(from).toBeCloseTo(0.4902, 3);
    expect(to).toBeCloseTo(0.9433, 3);
  });

  it('stays within nothing and everything, and says nothing of no tries', () => {
    expect(wilson(1, 5).to).toBe(1);
    expect(wilson(0, 5).from).toBeCloseTo(0, 12);
    expect(wilson(0.5, 0)).toEqual({ from: 0, to: 1 });
  });
});

describe('a line at the edge of the columns', () => {
  it('gets an empty column before it, so that it does not stand on the frame', () => {
    const whole = withoutGaps([{ start: 0.99, end: 0.995, tasks: 7 }], 0.99);
    expect(whole[0]).toEqual({ start: 0.98, end: 0.99, tasks: 0 });
    expect(placeAmong(whole, 0.99)).toBeCloseTo(1, 6);
  });

  it('gets none where the columns begin below it', () => {
    expect(withoutGaps([{ start: 0.9, end: 0.93, tasks: 7 }], 0.99)[0]?.start).toBe(0.9);
  });
});
