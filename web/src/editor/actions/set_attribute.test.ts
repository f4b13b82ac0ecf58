import { expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes } from '../testing';
import { setAttribute } from './set_attribute';

it('an attribute is set, taken away by undefined, and nothing when it is the same', () => {
  const set = setAttribute('a', 'parked', true)(boxes(box('a', 0, 0, 5, 5)));
  expect(objectsOf(set)[0]?.attributes).toEqual({ parked: true });
  expect(setAttribute('a', 'parked', true)(set)).toBe(set);
  expect(objectsOf(setAttribute('a', 'parked', undefined)(set))[0]?.attributes).toEqual({});
});
