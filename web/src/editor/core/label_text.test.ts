import { describe, expect, it } from 'vitest';
import type { Label } from '../../api/types';
import { box } from '../testing';
import { textOf } from './label_text';

describe('a label as text', () => {
  it('is the JSON of the label, whatever its kind', () => {
    const labels: Label[] = [
      { kind: 'choice', values: ['a "quoted" one'] },
      { kind: 'text', text: 'two\nlines' },
      { kind: 'form', answers: { seen: true } },
      { kind: 'objects', objects: [] },
      { kind: 'objects', objects: [box('a', 1, 2, 3, 4), box('b', 0, 0, 9, 9, { attributes: { parked: true } })] },
    ];
    for (const label of labels) expect(JSON.parse(textOf(label))).toEqual(label);
  });

  it('writes an object out once, however often the label around it changes', () => {
    let written = 0;
    const toJSON = () => {
      written += 1;
      return {};
    };
    const counted = { ...box('a', 1, 2, 3, 4), toJSON };
    textOf({ kind: 'objects', objects: [counted] });
    textOf({ kind: 'objects', objects: [box('b', 0, 0, 1, 1), counted] });
    expect(written).toBe(1);
  });
});
