import { expect, it } from 'vitest';
import { openDocument } from '../core/document';
import { FORM } from '../testing';
import { setAnswer } from './set_answer';

const open = openDocument(FORM);

it('an answer is set, changed and taken away; the same again is nothing', () => {
  const car = setAnswer(FORM, 'kind', 'car')(open);
  expect(car.label).toEqual({ kind: 'form', answers: { kind: 'car' } });
  expect(setAnswer(FORM, 'kind', 'car')(car)).toBe(car);
  expect(setAnswer(FORM, 'kind', undefined)(car).label).toEqual({ kind: 'form', answers: {} });
});

it('what is no longer asked goes with the answer that led to it, and on from there', () => {
  let document = setAnswer(FORM, 'kind', 'car')(open);
  document = setAnswer(FORM, 'dented', true)(document);
  document = setAnswer(FORM, 'where', 'door')(document);
  document = setAnswer(FORM, 'notes', 'red')(document);
  expect(setAnswer(FORM, 'kind', 'van')(document).label).toEqual({
    kind: 'form',
    answers: { kind: 'van', notes: 'red' },
  });
});
