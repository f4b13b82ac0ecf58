/** Where things stand on a chart: plain numbers, so that they can be tested without one. */

export interface Bin {
  start: number;
  end: number;
  tasks: number;
}

const CLOSE = 1e-9;

/** The ranges with empty ones put where none was told, so that each has a place of its own beside its neighbours. */
export function withoutGaps(bins: readonly Bin[]): Bin[] {
  const whole: Bin[] = [];
  for (const bin of [...bins].sort((a, b) => a.start - b.start)) {
    const before = whole.at(-1);
    if (before && bin.start > before.end + CLOSE) whole.push({ start: before.end, end: bin.start, tasks: 0 });
    whole.push(bin);
  }
  const last = whole.at(-1);
  if (last && last.end < 1 - CLOSE) whole.push({ start: last.end, end: 1, tasks: 0 });
  return whole;
}

/** Where a value stands among columns of equal width, in columns from the left: 2.5 is the middle of the third. */
export function placeAmong(bins: readonly Bin[], value: number): number {
  for (const [at, bin] of bins.entries()) {
    if (value <= bin.end + CLOSE) {
      const part = (value - bin.start) / (bin.end - bin.start || 1);
      return at + Math.min(1, Math.max(0, part));
    }
  }
  return bins.length;
}

export interface Unit {
  low: number;
  ticks: number[];
}

const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5] as const;
const MOST_TICKS = 6;

/** An axis from just below the smallest value up to 1, on round ticks, at most six of them. */
export function unitAxis(values: readonly number[]): Unit {
  const least = Math.max(0, Math.min(0.99, ...values));
  for (const step of STEPS) {
    const steps = Math.ceil((1 - least) / step - CLOSE);
    if (steps < MOST_TICKS) {
      return {
        low: tidy(1 - steps * step),
        ticks: Array.from({ length: steps + 1 }, (_, at) => tidy(1 - at * step)).reverse(),
      };
    }
  }
  return { low: 0, ticks: [0, 0.5, 1] };
}

function tidy(value: number): number {
  return Math.max(0, Math.round(value * 1e4) / 1e4);
}
