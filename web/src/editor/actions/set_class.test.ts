import { describe, expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes } from '../testing';
import { selectObjects } from './select_objects';
import { setClass } from './set_class';

describe('setting the class', () => {
  it('changes every selected object and sticks for the next one', () => {
    const after = setClass('person')(
      selectObjects(['a', 'b'])(boxes(box('a', 0, 0, 5, 5), box('b', 9, 9, 5, 5), box('c', 20, 20, 5, 5))),
    );
    expect(objectsOf(after).map((object) => object.cls)).toEqual(['person', 'person', 'car']);
    expect(after.cls).toBe('person');
  });
  it('with nothing selected only sticks, and leaves the label as it was', () => {
    const before = boxes(box('a', 0, 0, 5, 5));
    const after = setClass('person')(before);
    expect(after.label).toBe(before.label);
    expect(after.cls).toBe('person');
  });
});
