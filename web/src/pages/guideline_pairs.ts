/** What the tasks of the guideline queue have in common: who said what, and which labels are said of one and the same task. */

import type { JudgementView, Label, Unclear } from '../api/types';
import { nameOf } from '../editor/kinds/models';

/** A task of the queue with what people said of it, once that is known. */
export interface Case {
  readonly unclear: Unclear;
  readonly judgements: readonly JudgementView[];
}

export interface Tally {
  readonly label: Label;
  readonly count: number;
}

/** Equal labels counted together, the most frequent first; equal counts keep the order of their first mention. */
export function tally(labels: readonly Label[]): Tally[] {
  const found = new Map<string, { label: Label; count: number }>();
  for (const label of labels) {
    const key = nameOf(label) ?? JSON.stringify(label);
    const known = found.get(key);
    if (known) known.count += 1;
    else found.set(key, { label, count: 1 });
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

export interface Pair {
  readonly names: readonly [string, string];
  /** Tasks of which both were said, by people or experts. */
  readonly tasks: readonly string[];
}

/** Every two labels that were said of the same task, those said of most tasks first. */
export function pairsOf(cases: readonly Case[]): Pair[] {
  const found = new Map<string, { names: [string, string]; tasks: string[] }>();
  for (const { unclear, judgements } of cases) {
    const said = [...unclear.labels, ...judgements.map(({ label }) => label)].map(nameOf);
    const names = [...new Set(said.filter((name) => name !== null))].sort();
    for (const [at, one] of names.entries()) {
      for (const other of names.slice(at + 1)) {
        const key = JSON.stringify([one, other]);
        const pair = found.get(key) ?? { names: [one, other], tasks: [] };
        pair.tasks.push(unclear.task);
        found.set(key, pair);
      }
    }
  }
  return [...found.values()].sort((a, b) => b.tasks.length - a.tasks.length);
}

/** The guideline with a rule about one case begun at its end, where the writer goes on. */
export function withRule(guideline: string, subject: string): string {
  const before = guideline.trimEnd();
  // Rules written one after the other make one list.
  const gap = before === '' ? '' : /(^|\n)- [^\n]*$/.test(before) ? '\n' : '\n\n';
  return `${before}${gap}- **${subject}**: `;
}
