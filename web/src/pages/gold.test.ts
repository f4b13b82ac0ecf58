import { describe, expect, it } from 'vitest';
import type { Ontology } from '../api/types';
import { readGold } from './gold';

const DIGITS: Ontology = { kind: 'choice', classes: [{ name: 'cat' }, { name: 'dog' }] };

describe('known answers', () => {
  it('are read line by line, with or without a head', () => {
    const bare = readGold('a.png,cat\r\nb.png,dog\n\n', DIGITS);
    expect(bare.faults).toEqual([]);
    expect(bare.rows).toEqual([
      { ref: 'a.png', label: { kind: 'choice', values: ['cat'] } },
      { ref: 'b.png', label: { kind: 'choice', values: ['dog'] } },
    ]);
    expect(readGold('\ufeffref,label\na.png,cat', DIGITS).rows).toHaveLength(1);
  });

  it('name the line of what cannot be taken, and take the rest', () => {
    const { rows, faults } = readGold('a,cat\nb,cow\nc\na,dog\nd,dog', DIGITS);
    expect(rows.map((row) => row.ref)).toEqual(['a', 'd']);
    expect(faults.map((fault) => [fault.line, fault.found])).toEqual([
      [2, 'cow'],
      [3, 'c'],
      [4, 'a'],
    ]);
  });

  it('keep commas, quotes and line breaks that stand in quotes, and count lines through them', () => {
    const { rows, faults } = readGold('"a,1.txt","He said ""no"",\nthen left"\nb,', { kind: 'text', classes: [] });
    expect(rows).toEqual([{ ref: 'a,1.txt', label: { kind: 'text', text: 'He said "no",\nthen left' } }]);
    expect(faults.map((fault) => fault.line)).toEqual([3]);
  });

  it('may hold a comma in a text without quotes', () => {
    const { rows } = readGold('a,one, two', { kind: 'text', classes: [] });
    expect(rows[0]?.label).toEqual({ kind: 'text', text: 'one, two' });
  });

  it('name several labels between semicolons where several may apply', () => {
    const several = readGold('a,cat; dog', { ...DIGITS, multiple: true });
    expect(several.rows[0]?.label).toEqual({ kind: 'choice', values: ['cat', 'dog'] });
    expect(readGold('a,cat; dog', DIGITS).faults).toHaveLength(1);
  });

  it('of boxes are JSON', () => {
    const boxes: Ontology = { kind: 'objects', classes: [{ name: 'car', geometry: 'box' }] };
    expect(readGold('a,"{""kind"":""objects"",""objects"":[]}"', boxes).rows[0]?.label).toEqual({
      kind: 'objects',
      objects: [],
    });
    expect(readGold('a,car', boxes).faults).toHaveLength(1);
  });
});
