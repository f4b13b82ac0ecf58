/** Where things stand on a chart: plain numbers, so that they can be tested without one. */

export interface Bin {
  start: number;
  end: number;
  tasks: number;
}

const CLOSE = 1e-9;

/**
 * The ranges with empty ones put where none was told, so that each has a place of its own beside its neighbours.
 * They begin at `from` or below, so that a line drawn there stands within the picture.
 */
export function withoutGaps(bins: readonly Bin[], from = 1): Bin[] {
  const whole: Bin[] = [];
  const least = Math.min(...bins.map((bin) => bin.start));
  // An empty range before the first, when the line would else stand on the frame.
  if (bins.length > 0 && from <= least + CLOSE && least > 0) {
    const before = EDGES.filter((edge) => edge < Math.min(from, least) - CLOSE).at(-1) ?? 0;
    whole.push({ start: before, end: least, tasks: 0 });
  }
  for (const bin of [...bins].sort((a, b) => a.start - b.start)) {
    const before = whole.at(-1);
    if (before && bin.start > before.end + CLOSE) whole.push({ start: before.end, end: bin.start, tasks: 0 });
    whole.push(bin);
  }
  const last = whole.at(-1);
  if (last && last.end < 1 - CLOSE) whole.push({ start: last.end, end: 1, tasks: 0 });
  return whole;
}

/** The server's own edges, finer where decisions are made. */
const EDGES = [0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999] as const;

const Z_95 = 1.959964;

/** The interval of a share seen in `n` tries at 95 % (Wilson, 1927); both ends within 0..1. */
export function wilson(share: number, n: number): { from: number; to: number } {
  if (n <= 0) return { from: 0, to: 1 };
  const spread = Z_95 ** 2 / n;
  const middle = (share + spread / 2) / (1 + spread);
  const half = (Z_95 / (1 + spread)) * Math.sqrt((share * (1 - share)) / n + spread / (4 * n));
  return { from: Math.max(0, middle - half), to: Math.min(1, middle + half) };
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
