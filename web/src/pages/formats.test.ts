import { describe, expect, it } from 'vitest';
import type { Format, Ontology } from '../api/types';
import { KIND_LIST } from '../editor/kinds/models';
import { SHAPE_TYPES } from '../editor/shapes';
import { fitOf } from './formats';

const ALL: Format = {
  name: 'all',
  title: 'All',
  about: {},
  extension: 'all',
  kinds: [...KIND_LIST],
  shapes: [...SHAPE_TYPES],
  several: true,
  asks: [],
};
const drawn = (...geometries: (string | null)[]): Ontology => ({
  kind: 'objects',
  classes: geometries.map((geometry, at) => ({
    name: `c${at}`,
    ...(geometry ? { geometry } : {}),
    ...(geometry === 'skeleton' ? { skeleton: { points: [{ name: 'head', x: 0, y: 0 }] } } : {}),
  })),
});

describe('a format beside a release', () => {
  it.each(KIND_LIST)('holds what it says, and refuses the rest: %s', (kind) => {
    expect(fitOf(ALL, { kind })).toEqual({ refused: null, leftOut: [] });
    expect(fitOf({ ...ALL, kinds: KIND_LIST.filter((one) => one !== kind) }, { kind }).refused).not.toBeNull();
  });

  it('refuses several choices where it holds one', () => {
    const one = { ...ALL, several: false };
    expect(fitOf(one, { kind: 'choice', multiple: true }).refused).toMatch(/several/);
    expect(fitOf(one, { kind: 'choice' }).refused).toBeNull();
  });

  it('holds a form that asks one of the things that it is made of, and no other', () => {
    const asking = (...attributes: NonNullable<Ontology['attributes']>): Ontology => ({ kind: 'form', attributes });
    const made = { ...ALL, asks: ['preference', 'choice@step', 'criterion'] };
    expect(fitOf(made, asking({ name: 'a', type: 'preference' })).refused).toBeNull();
    expect(fitOf(made, asking({ name: 'a', type: 'bool', weight: -2 })).refused).toBeNull();
    expect(fitOf(made, asking({ name: 'a', type: 'choice', options: ['x'] })).refused).toMatch(/asked/);
    expect(fitOf(made, asking({ name: 'a', type: 'choice', options: ['x'], scope: 'step' })).refused).toBeNull();
    expect(fitOf(made, { kind: 'choice' }).refused).toBeNull();
  });

  it('says which shapes it leaves out, of those that may be drawn at all', () => {
    const [first = 'box', ...others] = SHAPE_TYPES;
    const onlyFirst = { ...ALL, shapes: [first] };
    expect(fitOf(onlyFirst, drawn(first)).leftOut).toEqual([]);
    expect(fitOf(onlyFirst, drawn(...others)).leftOut).toEqual(others);
    // a class of any shape has no names for a skeleton's places
    expect(fitOf(onlyFirst, drawn(null)).leftOut).toEqual(others.filter((shape) => shape !== 'skeleton'));
    expect(fitOf(onlyFirst, { kind: 'choice' }).leftOut).toEqual([]);
  });
});
