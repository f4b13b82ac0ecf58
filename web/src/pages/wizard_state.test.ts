import { describe, expect, it } from 'vitest';
import { classNames, type Draft, EMPTY, incomplete, ontologyOf } from './wizard_state';

const BOXES: Draft = { ...EMPTY, kind: 'objects', classes: 'car\nbus\n' };
const colour = { key: 'k', name: ' colour ', type: 'choice', options: ['red', 'blue'], required: true } as const;

describe('the wizard’s draft', () => {
  it('gives titles only where words were written, and only when they are wanted', () => {
    const titles = { car: { en: 'Car', zh: '轿车' }, bus: { zh: ' ' } };
    expect(ontologyOf({ ...BOXES, titled: true, titles }).classes).toEqual([
      { name: 'car', title: { en: 'Car', zh: '轿车' }, geometry: 'box' },
      { name: 'bus', geometry: 'box' },
    ]);
    expect(ontologyOf({ ...BOXES, titled: false, titles }).classes.some((one) => one.title)).toBe(false);
  });

  it('asks attributes of boxes, with options for lists alone', () => {
    const cut = {
      ...colour,
      key: 'l',
      name: 'cut off',
      type: 'bool',
      options: ['left over'],
      required: false,
    } as const;
    const draft = {
      ...BOXES,
      attributes: [
        { ...colour, options: [...colour.options] },
        { ...cut, options: [] },
      ],
    };
    expect(ontologyOf(draft).attributes).toEqual([
      { name: 'colour', type: 'choice', options: ['red', 'blue'], required: true },
      { name: 'cut off', type: 'bool' },
    ]);
    expect(ontologyOf({ ...draft, kind: 'choice' })).not.toHaveProperty('attributes');
  });

  it('holds the step of labels back until every part of it is whole', () => {
    const withAttribute = (part: object) => ({ ...BOXES, attributes: [{ ...colour, options: ['red'], ...part }] });
    expect(incomplete(BOXES, 'labels')).toBeNull();
    expect(incomplete(withAttribute({}), 'labels')).toBeNull();
    expect(incomplete(withAttribute({ name: ' ' }), 'labels')).toMatch(/name/);
    expect(incomplete(withAttribute({ options: [] }), 'labels')).toMatch(/options/);
    expect(incomplete({ ...EMPTY, kind: 'text', min_chars: 9, max_chars: 3 }, 'labels')).toMatch(/least/);
  });

  it('takes labels and guideline from a version as they are, and asks for neither', () => {
    const spec = { kind: 'choice' as const, classes: [{ name: 'cat', title: { en: 'Cat' } }, { name: 'dog' }] };
    const like = { version_id: 'v2', name: 'Animals', version: 2, spec, guidelines: { en: 'Look.' } };
    const draft: Draft = { ...BOXES, like };
    expect(ontologyOf(draft)).toBe(spec);
    expect(classNames(draft)).toEqual(['cat', 'dog']);
    expect(incomplete(draft, 'labels')).toBeNull();
    expect(incomplete(draft, 'guidelines')).toBeNull();
    expect(incomplete(draft, 'data')).not.toBeNull();
  });
});
