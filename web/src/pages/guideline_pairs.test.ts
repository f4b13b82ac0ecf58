import { describe, expect, it } from 'vitest';
import type { JudgementView, Label, Unclear } from '../api/types';
import { nameOf } from '../editor/kinds/models';
import { type Case, pairsOf, tally, withRule } from './guideline_pairs';

const choice = (...values: string[]): Label => ({ kind: 'choice', values });
const said = (task: string, experts: Label[], people: Label[]): Case => ({
  unclear: { task, ref: task, verdicts: 2, undecided: 0, labels: experts, notes: '', at: '' } satisfies Unclear,
  judgements: people.map((label) => ({ label }) as JudgementView),
});

describe('the cases of the guideline queue', () => {
  it('count equal labels together, the most frequent first', () => {
    expect(tally([choice('7'), choice('1'), choice('7')]).map(({ count }) => count)).toEqual([2, 1]);
  });

  it('take two labels for the same whichever of their classes came first', () => {
    expect(nameOf(choice('cat', 'black'))).toBe(nameOf(choice('black', 'cat')));
    expect(tally([choice('cat', 'black'), choice('black', 'cat')])).toHaveLength(1);
  });

  it('count texts that are equal together, though they have no class', () => {
    expect(
      tally([
        { kind: 'text', text: 'a' },
        { kind: 'text', text: 'a' },
        { kind: 'text', text: 'b' },
      ])[0]?.count,
    ).toBe(2);
  });

  it('pair what people and experts say of the same task, once for each task', () => {
    const pairs = pairsOf([
      said('t1', [choice('7')], [choice('1'), choice('1')]),
      said('t2', [choice('1'), choice('7')], []),
      said('t3', [], [choice('4'), choice('9')]),
    ]);
    expect(pairs.map(({ names, tasks }) => [names.join(), tasks])).toEqual([
      ['1,7', ['t1', 't2']],
      ['4,9', ['t3']],
    ]);
  });

  it('pair nothing where only one label was said, or none has a name', () => {
    expect(pairsOf([said('t1', [choice('7')], [choice('7')])])).toEqual([]);
    expect(pairsOf([said('t1', [{ kind: 'text', text: 'a' }], [{ kind: 'text', text: 'b' }])])).toEqual([]);
  });

  it('make room for a rule at the end of the guideline, whatever it ends with', () => {
    expect(withRule('Look closely.\n\n\n', '1 or 7')).toBe('Look closely.\n\n- **1 or 7**: ');
    expect(withRule('', '1 or 7')).toBe('- **1 or 7**: ');
    expect(withRule('- **1 or 7**: a bar.\n', '4 or 9')).toBe('- **1 or 7**: a bar.\n- **4 or 9**: ');
  });
});
