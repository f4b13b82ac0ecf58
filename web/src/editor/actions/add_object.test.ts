import { expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes } from '../testing';
import { addObject } from './add_object';
import { setClass } from './set_class';

it('adding an object gives it the sticky class, marks it a person’s, and selects it', () => {
  const document = addObject('b', { type: 'box', x: 1, y: 2, w: 3, h: 4 })(
    setClass('person')(boxes(box('a', 0, 0, 5, 5))),
  );
  expect(objectsOf(document)).toHaveLength(2);
  expect(objectsOf(document)[1]).toMatchObject({ id: 'b', cls: 'person', source: 'person' });
  expect(document.selected).toEqual(['b']);
});
