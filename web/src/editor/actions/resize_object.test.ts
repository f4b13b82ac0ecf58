import { expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes, IMAGE } from '../testing';
import { resizeObject } from './resize_object';

it('resizing moves one corner and holds the opposite one, within the image', () => {
  const after = resizeObject('a', 'se', { x: 500, y: 60 }, IMAGE)(boxes(box('a', 10, 10, 20, 20)));
  expect(objectsOf(after)[0]?.shape).toMatchObject({ x: 10, y: 10, w: 190, h: 50 });
});
