import { describe, expect, it } from 'vitest';
import { IDLE_LIMIT_S, Stopwatch } from './stopwatch';

describe('the stopwatch', () => {
  it('counts while the task is shown and stands while it is not', () => {
    const watch = new Stopwatch();
    watch.touch(0);
    watch.pause(4_000);
    watch.touch(60_000);
    expect(watch.seconds(63_000)).toBe(7);
  });

  it('does not count a long absence as work', () => {
    const watch = new Stopwatch();
    watch.touch(0);
    watch.touch(3_600_000);
    expect(watch.seconds(3_600_000)).toBe(IDLE_LIMIT_S);
  });

  it('goes on from what an earlier visit counted', () => {
    const watch = new Stopwatch(12.5);
    watch.touch(0);
    expect(watch.seconds(1_500)).toBe(14);
  });

  it('does not run backwards when the clock is set back', () => {
    const watch = new Stopwatch();
    watch.touch(10_000);
    expect(watch.seconds(5_000)).toBe(0);
  });
});
