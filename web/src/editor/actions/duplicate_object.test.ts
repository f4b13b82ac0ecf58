import { expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes, IMAGE } from '../testing';
import { duplicateObject } from './duplicate_object';

it('a duplicate stands beside its original, is selected, and is a person’s even of a model’s object', () => {
  const after = duplicateObject(
    'a',
    'c',
    IMAGE,
  )(boxes(box('a', 10, 10, 20, 20, { source: 'model', attributes: { parked: true } })));
  expect(objectsOf(after)[1]).toMatchObject({
    id: 'c',
    source: 'person',
    attributes: { parked: true },
    shape: { x: 18, y: 18 },
  });
  expect(after.selected).toEqual(['c']);
});
