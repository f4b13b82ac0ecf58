import { describe, expect, it } from 'vitest';
import { BOXES, box } from '../testing';
import { attributesFor } from './attributes';

const names = (object: ReturnType<typeof box>) => attributesFor(BOXES, object).map((spec) => spec.name);

describe('attributes of an object', () => {
  it('are those of its class', () => {
    expect(names(box('a', 0, 0, 1, 1))).toEqual(['parked']);
    expect(names(box('a', 0, 0, 1, 1, { cls: 'person' }))).toEqual([]);
  });

  it('appear when their condition holds', () => {
    expect(names(box('a', 0, 0, 1, 1, { attributes: { parked: true } }))).toEqual(['parked', 'meter']);
  });
});
