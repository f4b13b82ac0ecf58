import { describe, expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes, IMAGE } from '../testing';
import { moveObject } from './move_object';

describe('moving an object', () => {
  it('keeps its size and stays inside the image', () => {
    const after = moveObject('a', -50, 30, IMAGE)(boxes(box('a', 10, 10, 20, 20)));
    expect(objectsOf(after)[0]?.shape).toMatchObject({ x: 0, y: 40, w: 20, h: 20 });
  });
  it('makes a model’s object a corrected one', () => {
    const after = moveObject('a', 1, 0, IMAGE)(boxes(box('a', 10, 10, 20, 20, { source: 'model' })));
    expect(objectsOf(after)[0]?.source).toBe('corrected');
  });
  it('changes nothing, and corrects nothing, when the edge holds it', () => {
    const document = boxes(box('a', 0, 0, 20, 20, { source: 'model' }));
    expect(moveObject('a', -5, 0, IMAGE)(document)).toBe(document);
  });
});
