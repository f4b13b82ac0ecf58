import { expect, it } from 'vitest';
import { box, boxes } from '../testing';
import { selectObjects } from './select_objects';

it('selecting replaces the selection, and is nothing when it is the same', () => {
  const document = selectObjects(['a'])(boxes(box('a', 0, 0, 5, 5)));
  expect(document.selected).toEqual(['a']);
  expect(selectObjects(['a'])(document)).toBe(document);
});
