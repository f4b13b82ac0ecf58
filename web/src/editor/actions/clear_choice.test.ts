import { expect, it } from 'vitest';
import { openDocument } from '../core/document';
import { CHOICE } from '../testing';
import { clearChoice } from './clear_choice';

it('clearing takes every value away, and is nothing when there is none', () => {
  const cleared = clearChoice(openDocument(CHOICE, { kind: 'choice', values: ['cat'] }));
  expect(cleared.label).toEqual({ kind: 'choice', values: [] });
  expect(clearChoice(cleared)).toBe(cleared);
});
