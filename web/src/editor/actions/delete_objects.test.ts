import { expect, it } from 'vitest';
import { objectsOf } from '../core/document';
import { box, boxes } from '../testing';
import { deleteObjects } from './delete_objects';
import { selectObjects } from './select_objects';

it('deleting takes the objects and their selection, and is nothing for unknown ids', () => {
  const document = selectObjects(['a', 'b'])(boxes(box('a', 0, 0, 5, 5), box('b', 9, 9, 5, 5)));
  const after = deleteObjects(['a'])(document);
  expect(objectsOf(after).map((object) => object.id)).toEqual(['b']);
  expect(after.selected).toEqual(['b']);
  expect(deleteObjects(['zz'])(document)).toBe(document);
});
