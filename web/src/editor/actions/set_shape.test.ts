import { expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes } from '../testing';
import { setShape } from './set_shape';

it('a new shape replaces the old one and marks a model’s object as corrected', () => {
  const after = setShape('a', { type: 'box', x: 1, y: 1, w: 2, h: 2 })(
    boxes(box('a', 0, 0, 9, 9, { source: 'model' })),
  );
  expect(objectsOf(after)[0]).toMatchObject({ source: 'corrected', shape: { x: 1, w: 2 } });
});
