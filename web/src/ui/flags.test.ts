import { describe, expect, it } from 'vitest';
import { readFlag } from './flags';

describe('a flag', () => {
  it('is read as a bare word', () => {
    expect(readFlag('spammer')).toMatchObject({ kind: 'spammer', evidence: null, since: null });
  });
  it('is read with its evidence in words', () => {
    const flag = { kind: 'ring', evidence: '6 agree on 14 wrong answers', since: '2026-01-01T00:00:00Z' };
    expect(readFlag(flag)).toMatchObject(flag);
  });
  it('is read with its evidence as figures, each by its name', () => {
    expect(readFlag({ kind: 'ring', evidence: { shared_tasks: 14, agree: 0.98765, with: ['a', 'b'] } }).evidence).toBe(
      'shared tasks: 14; agree: 0.988; with: a, b',
    );
  });
  it('is read with those it concerns as well', () => {
    const flag = { kind: 'ring', evidence: 'same wrong answers', others: ['w-1', 'w-2'], strength: 9, unit: 'z' };
    expect(readFlag(flag).evidence).toBe('same wrong answers; with: w-1, w-2');
  });
  it('stays readable when it is nothing that is known', () => {
    expect(readFlag(null)).toMatchObject({ kind: 'null', evidence: null, since: null });
    expect(readFlag({ evidence: [] })).toMatchObject({ kind: '?', evidence: null, since: null });
  });
});
