import { expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes, IMAGE } from '../testing';
import { dragHandle } from './drag_handle';

it('dragging a corner moves it and holds the opposite one, within the image', () => {
  const after = dragHandle('a', 'se', { x: 500, y: 60 }, IMAGE)(boxes(box('a', 10, 10, 20, 20)));
  expect(objectsOf(after)[0]?.shape).toMatchObject({ x: 10, y: 10, w: 190, h: 50 });
});
