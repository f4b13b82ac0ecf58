import { describe, expect, it } from 'vitest';
import { KIND_LIST } from '../editor/kinds/models';
import type { AttributeDraft } from '../editor/setup/attributes';
import { classNames, type Draft, EMPTY, fromTemplate, incomplete, ontologyOf } from './wizard_state';

const BOXES: Draft = { ...EMPTY, kind: 'objects', named: { ...EMPTY.named, classes: 'car\nbus\n' } };
const asking = (attributes: AttributeDraft[]): Draft => ({
  ...BOXES,
  owns: { ...BOXES.owns, objects: { ...BOXES.owns.objects, attributes } },
});
const colour = { key: 'k', name: ' colour ', type: 'choice', options: ['red', 'blue'], required: true } as const;

describe('the wizard’s draft', () => {
  it.each(KIND_LIST)('makes an ontology of each kind, and says what is missing until it is whole: %s', (kind) => {
    const named = { ...EMPTY.named, classes: ' 猫 \n狗\n\n猫' };
    const questions = [{ ...colour, options: [...colour.options] }];
    const draft: Draft = { ...EMPTY, kind, named, owns: { ...EMPTY.owns, form: { questions } } };
    expect(ontologyOf(draft).kind).toBe(kind);
    expect(incomplete(draft, 'labels')).toBeNull();
    expect(['', '猫,狗']).toContain(classNames(draft).join());
    const asks = classNames(draft).length > 0 || (ontologyOf(draft).attributes ?? []).length > 0;
    expect(incomplete({ ...EMPTY, kind }, 'labels') !== null).toBe(asks);
  });

  it('gives titles only where words were written, and only when they are wanted', () => {
    const titles = { car: { en: 'Car', zh: '轿车' }, bus: { zh: ' ' } };
    const titled = (on: boolean) => ({ ...BOXES, named: { ...BOXES.named, titled: on, titles } });
    expect(ontologyOf(titled(true)).classes).toEqual([
      { name: 'car', title: { en: 'Car', zh: '轿车' }, geometry: 'box' },
      { name: 'bus', geometry: 'box' },
    ]);
    expect(ontologyOf(titled(false)).classes?.some((one) => one.title)).toBe(false);
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
    const draft = asking([
      { ...colour, options: [...colour.options] },
      { ...cut, options: [] },
    ]);
    expect(ontologyOf(draft).attributes).toEqual([
      { name: 'colour', type: 'choice', options: ['red', 'blue'], required: true },
      { name: 'cut off', type: 'bool' },
    ]);
    expect(ontologyOf({ ...draft, kind: 'choice' })).not.toHaveProperty('attributes');
  });

  it('holds the step of labels back until every part of it is whole', () => {
    const withAttribute = (part: object) => asking([{ ...colour, options: ['red'], ...part }]);
    expect(incomplete(BOXES, 'labels')).toBeNull();
    expect(incomplete(withAttribute({}), 'labels')).toBeNull();
    expect(incomplete(withAttribute({ name: ' ' }), 'labels')).toMatch(/name/);
    expect(incomplete(withAttribute({ options: [] }), 'labels')).toMatch(/options/);
    const limits = { ...EMPTY.owns, text: { min_chars: 9, max_chars: 3 } };
    expect(incomplete({ ...EMPTY, kind: 'text', owns: limits }, 'labels')).toMatch(/least/);
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

  it('begins with a template and says what it says, question by question, until one of them is changed', () => {
    const spec = {
      kind: 'form' as const,
      attributes: [
        {
          name: 'met',
          type: 'bool' as const,
          scope: 'turn' as const,
          weight: -8,
          required: true,
          title: { en: 'Met' },
        },
        { name: 'grade', type: 'scale' as const, scope: 'candidate' as const, least: 0, most: 4, tolerance: 1 },
        {
          name: 'claims',
          type: 'rows' as const,
          least: 1,
          columns: [{ name: 'verdict', type: 'choice' as const, options: ['true', 'false'] }],
        },
        { name: 'names', type: 'spans' as const, options: ['PER'], relations: ['knows'] },
      ],
    };
    const review = { seconds: 60, price_minor: 25, fix_seconds: null, fix_price_minor: null };
    const template = {
      name: 'mine',
      title: { en: 'Mine' },
      about: {},
      group: 'rate' as const,
      needs: {},
      kind: 'form',
      spec,
      guidelines: { en: 'Read.' },
      plan: { max_judgements: 7 },
      reviews: [{ ...review, fix_seconds: 30, fix_price_minor: 13 }, review],
      page_size: 3,
      seconds: 120,
      price_minor: 50,
      exports: [],
      sensitive: false,
      example_items: [],
      example_answers: {},
    };
    const draft: Draft = { ...EMPTY, ...fromTemplate(template, EMPTY) };
    expect(ontologyOf(draft)).toEqual(spec);
    expect(incomplete(draft, 'labels')).toBeNull();
    expect([draft.reviewing, draft.review_minor, draft.fix_minor, draft.page_size]).toEqual(['mended', 25, 13, 3]);
    expect([draft.plan.max_judgements, draft.plan.confidence, draft.offer.price_minor]).toEqual([7, 0.95, 50]);
    const [, grade] = draft.owns.form.questions;
    const questions = [{ ...(grade as AttributeDraft), name: 'other', type: 'bool' as const, rest: {} }];
    const changed = { ...draft, owns: { ...draft.owns, form: { questions } } };
    expect(ontologyOf(changed).attributes).toEqual([{ name: 'other', type: 'bool', scope: 'candidate' }]);
  });
});
