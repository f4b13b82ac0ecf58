import { describe, expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes, turnOf } from '../testing';
import { rotateObject } from './rotate_object';

const scene = boxes(box('a', 10, 10, 40, 20, { source: 'model' }));

describe('turning an object', () => {
  it('turns it about its centre and leaves its size, and a person has corrected what a model drew', () => {
    const [object] = objectsOf(rotateObject('a', Math.PI / 6)(scene));
    expect(object).toMatchObject({ source: 'corrected', shape: { x: 10, y: 10, w: 40, h: 20, rotation_rad: 0.5236 } });
  });

  it('keeps the angle within half a turn either way, and none is none', () => {
    expect(turnOf(rotateObject('a', Math.PI * 1.5)(scene))).toBeCloseTo(-Math.PI / 2, 3);
    const [whole] = objectsOf(rotateObject('a', Math.PI * 2)(rotateObject('a', 1)(scene)));
    expect(whole?.shape).not.toHaveProperty('rotation_rad');
  });

  it('is nothing at all when the angle stays as it is', () => {
    expect(rotateObject('a', 0)(scene)).toBe(scene);
  });
});
