import { describe, expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes } from '../testing';
import { dropHandle } from './drop_handle';

const outline = (points: [number, number][]) =>
  boxes({ id: 'a', cls: 'car', source: 'model', shape: { type: 'polygon', points } });

describe('dropping a corner', () => {
  it('leaves the others, and says that a person has corrected it', () => {
    const after = dropHandle(
      'a',
      'corner:1',
    )(
      outline([
        [0, 0],
        [5, 5],
        [10, 0],
        [10, 10],
      ]),
    );
    expect(objectsOf(after)[0]).toMatchObject({
      source: 'corrected',
      shape: {
        points: [
          [0, 0],
          [10, 0],
          [10, 10],
        ],
      },
    });
  });

  it('changes nothing where three are left, between corners, and on shapes without any to spare', () => {
    const triangle = outline([
      [0, 0],
      [10, 0],
      [10, 10],
    ]);
    expect(dropHandle('a', 'corner:1')(triangle)).toBe(triangle);
    expect(dropHandle('a', 'middle:1')(triangle)).toBe(triangle);
    const plain = boxes(box('a', 0, 0, 10, 10));
    expect(dropHandle('a', 'nw')(plain)).toBe(plain);
  });
});
