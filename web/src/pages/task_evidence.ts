/** A decision's numbers as a page shows them. */

/** One bar; `name` null stands for all classes that have no bar of their own. */
export interface BarRow {
  name: string | null;
  value: number;
}

/** The likeliest classes, the likeliest first, and the rest as one. Together they hold all of the probability. */
export function mostLikely(posterior: Readonly<Record<string, number>>, most: number): BarRow[] {
  const sorted = Object.entries(posterior)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => b.value - a.value);
  if (sorted.length <= most) return sorted;
  const rest = sorted.slice(most - 1).reduce((sum, row) => sum + row.value, 0);
  return [...sorted.slice(0, most - 1), { name: null, value: rest }];
}

/** A log-likelihood ratio (nats) as how many times likelier it makes what it speaks for; never below 1. */
export function likelier(evidence_nats: number): number {
  return Math.exp(Math.min(20, Math.abs(evidence_nats)));
}
