import { describe, expect, it } from 'vitest';
import { openDocument } from '../core/document';
import { CHOICE, TEXT } from '../testing';
import { chooseValue } from './choose_value';

const chosen = (...values: string[]) => openDocument(CHOICE, { kind: 'choice', values });

describe('choosing a value', () => {
  it('replaces the one before where one is allowed', () => {
    expect(chooseValue('dog', false)(chosen('cat')).label).toEqual({ kind: 'choice', values: ['dog'] });
  });
  it('changes nothing when it is already the one', () => {
    const document = chosen('cat');
    expect(chooseValue('cat', false)(document)).toBe(document);
  });
  it('switches a value on and off where several are allowed', () => {
    const both = chooseValue('dog', true)(chosen('cat'));
    expect(both.label).toEqual({ kind: 'choice', values: ['cat', 'dog'] });
    expect(chooseValue('cat', true)(both).label).toEqual({ kind: 'choice', values: ['dog'] });
  });
  it('leaves other kinds of labels alone', () => {
    const text = openDocument(TEXT);
    expect(chooseValue('cat', false)(text)).toBe(text);
  });
});
