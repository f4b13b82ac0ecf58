import { describe, expect, it } from 'vitest';
import { type Document, objectsOf, openDocument, type Setting } from '../core/document';
import { MAX_OBJECTS, MAX_TEXT_CHARS } from '../core/limits';
import { BOXES, box, boxes, CHOICE, MULTI, settingOf, TEXT } from '../testing';
import { attributeKnown as attributeKnownOf } from './attribute_known';
import { attributeRequired as attributeRequiredOf } from './attribute_required';
import { choiceKnown as choiceKnownOf } from './choice_known';
import { choiceRequired as choiceRequiredOf } from './choice_required';
import { choiceSingle as choiceSingleOf } from './choice_single';
import { validate } from './index';
import type { Issue } from './issue';
import { objectClassKnown as objectClassKnownOf } from './object_class_known';
import { objectCount } from './object_count';
import type { ObjectRule } from './rule';
import { shapeFaults } from './shape_faults';
import { shapeOfClass } from './shape_of_class';
import { textLength as textLengthOf } from './text_length';
import { textPattern as textPatternOf } from './text_pattern';

const chosen = (...values: string[]) => openDocument(CHOICE, { kind: 'choice', values });
const written = (text: string) => openDocument(TEXT, { kind: 'text', text });
const drawn = settingOf(BOXES);

type Asked = (document: Document, setting: Setting) => Issue[];
/** A rule of one object, of all objects of a document. */
const ofAll =
  (rule: ObjectRule, name?: string): Asked =>
  (document, setting) =>
    objectsOf(document)
      .flatMap((object) => rule.find(object, setting))
      .filter((issue) => !name || issue.rule === name);
const { find: choiceKnown } = choiceKnownOf;
const { find: choiceRequired } = choiceRequiredOf;
const { find: choiceSingle } = choiceSingleOf;
const { find: textLength } = textLengthOf;
const { find: textPattern } = textPatternOf;
const attributeKnown = ofAll(attributeKnownOf);
const attributeRequired = ofAll(attributeRequiredOf);
const objectClassKnown = ofAll(objectClassKnownOf);
const boxInsideImage = ofAll(shapeFaults, 'box-inside-image');
const boxNotTiny = ofAll(shapeFaults, 'box-not-tiny');
const boxNoTwin: Asked = (document, setting) =>
  validate(document, setting).filter((issue) => issue.rule === 'object-no-twin');

/** A rule's issue, when its fix is applied, must be gone. */
function fixed(rule: Asked, document: Document, setting = drawn): Issue[] {
  const [found] = rule(document, setting);
  expect(found?.fix).not.toBeNull();
  return rule(found?.fix?.action(document) ?? document, setting);
}

describe('rules for choices', () => {
  it('want a value', () => {
    expect(choiceRequired(chosen(), settingOf(CHOICE))).toHaveLength(1);
    expect(choiceRequired(chosen('cat'), settingOf(CHOICE))).toEqual([]);
  });
  it('allow several values only where the ontology does', () => {
    expect(choiceSingle(chosen('cat', 'dog'), settingOf(MULTI))).toEqual([]);
    expect(fixed(choiceSingle, chosen('cat', 'dog'), settingOf(CHOICE))).toEqual([]);
  });
  it('name a value that the ontology does not have, and can remove it', () => {
    expect(choiceKnown(chosen('fox'), settingOf(CHOICE))[0]?.values).toEqual({ value: 'fox' });
    expect(fixed(choiceKnown, chosen('fox'), settingOf(CHOICE))).toEqual([]);
    expect(fixed(choiceKnown, chosen('cat', 'fox'), settingOf(MULTI))).toEqual([]);
  });
});

describe('rules for texts', () => {
  it('want at least the least, with blanks at the ends not counted', () => {
    expect(textLength(written('  ab  '), settingOf(TEXT))[0]?.values).toEqual({ least: 3 });
    expect(textLength(written('abc'), settingOf(TEXT))).toEqual([]);
  });
  it('count characters as people do, not as UTF-16 units', () => {
    expect(textLength(written('😀😀😀'), settingOf(TEXT))).toEqual([]);
    expect(textLength(written('😀'.repeat(8)), settingOf(TEXT))).toEqual([]);
  });
  it('can cut what is too long', () => {
    expect(textLength(written('123456789'), settingOf(TEXT))[0]?.values).toEqual({ most: 8, over: 1 });
    expect(fixed(textLength, written('123456789'), settingOf(TEXT))).toEqual([]);
  });
  it('hold a text to its form, and leave a form they cannot read to the server', () => {
    const plate = settingOf({ ...TEXT, text: { pattern: '[A-Z]{2}[0-9]{3}' } });
    expect(textPattern(written('AB123'), plate)).toEqual([]);
    expect(textPattern(written('AB12'), plate)).toHaveLength(1);
    expect(textPattern(written('xAB123x'), plate)).toHaveLength(1);
    expect(textPattern(written('x'), settingOf({ ...TEXT, text: { pattern: '(?P<bad' } }))).toEqual([]);
  });
});

describe('rules for what the server never takes', () => {
  it('find a character that nothing can keep, and can remove it', () => {
    const plain = settingOf({ kind: 'text' });
    for (const text of ['a\0b', 'a\ud83d', '\ude00b']) {
      const [found] = validate(written(text), plain);
      expect(found?.id).toBe('text-storable');
      const mended = found?.fix?.action(written(text)) ?? written(text);
      expect(validate(mended, plain)).toEqual([]);
    }
    expect(validate(written('a 😀 b'), plain)).toEqual([]);
  });

  it('find a text, and a label, that is larger than any may be', () => {
    const plain = settingOf({ kind: 'text' });
    expect(validate(written('a'.repeat(MAX_TEXT_CHARS)), plain)).toEqual([]);
    expect(validate(written('a'.repeat(MAX_TEXT_CHARS + 1)), plain)[0]?.values).toMatchObject({ over: 1 });
    expect(validate(written(`${'a'.repeat(MAX_TEXT_CHARS)} `), plain)[0]?.values).toMatchObject({ over: 1 });
    const many = Array.from({ length: MAX_OBJECTS + 1 }, (_, at) => box(`o${at}`, at % 150, (at * 7) % 90, 5, 5));
    expect(objectCount.find(boxes(...many), drawn)[0]?.values).toEqual({ most: MAX_OBJECTS, over: 1 });
    expect(objectCount.find(boxes(...many.slice(1)), drawn)).toEqual([]);
  });
});

describe('rules for boxes', () => {
  it('name a class that the ontology does not have', () => {
    expect(objectClassKnown(boxes(box('a', 0, 0, 5, 5, { cls: 'ufo' })), drawn)[0]?.id).toBe('object-class-known:a');
  });
  it('find boxes without an extent, and can delete them', () => {
    expect(fixed(boxNotTiny, boxes(box('a', 0, 0, 0.5, 9)))).toEqual([]);
    expect(boxNotTiny(boxes(box('a', 0, 0, 1, 1)), drawn)).toEqual([]);
  });
  it('find boxes past the edge and can cut them', () => {
    const outside = boxes(box('a', 190, 90, 20, 20));
    expect(boxInsideImage(outside, drawn)).toHaveLength(1);
    const cut = boxInsideImage(outside, drawn)[0]?.fix?.action(outside) ?? outside;
    expect(objectsOf(cut)[0]?.shape).toMatchObject({ x: 190, y: 90, w: 10, h: 10 });
    expect(boxInsideImage(boxes(box('a', 0, 0, 200, 100)), drawn)).toEqual([]);
  });
  it('warn of twins, but not of two classes on one place', () => {
    const twins = boxes(box('a', 10, 10, 50, 50), box('b', 10, 10, 50, 51));
    expect(boxNoTwin(twins, drawn)[0]).toMatchObject({ object: 'b', severity: 'warning' });
    expect(fixed(boxNoTwin, twins)).toEqual([]);
    expect(boxNoTwin(boxes(box('a', 10, 10, 50, 50), box('b', 10, 10, 50, 50, { cls: 'person' })), drawn)).toEqual([]);
  });
  it('want a required attribute only while its condition holds', () => {
    expect(attributeRequired(boxes(box('a', 0, 0, 5, 5)), drawn)).toEqual([]);
    expect(attributeRequired(boxes(box('a', 0, 0, 5, 5, { attributes: { parked: true } })), drawn)[0]?.id).toBe(
      'attribute-required:a:meter',
    );
  });
  it('find attributes that do not apply, and can remove them', () => {
    const document = boxes(box('a', 0, 0, 5, 5, { cls: 'person', attributes: { parked: true } }));
    expect(attributeKnown(document, drawn)).toHaveLength(1);
    expect(fixed(attributeKnown, document)).toEqual([]);
  });
});

describe('all rules together', () => {
  it('put errors before warnings and give each issue an id of its own', () => {
    const issues = validate(boxes(box('a', 10, 10, 50, 50), box('b', 10, 10, 50, 50), box('c', 0, 0, 0, 0)), drawn);
    expect(issues.map((issue) => issue.severity)).toEqual(['error', 'warning']);
    expect(new Set(issues.map((issue) => issue.id)).size).toBe(issues.length);
  });
  it('give the same fault the same id after an unrelated change', () => {
    const before = validate(boxes(box('c', 0, 0, 0, 0)), drawn);
    const after = validate(boxes(box('n', 50, 50, 9, 9), box('c', 0, 0, 0, 0)), drawn);
    expect(after.map((issue) => issue.id)).toEqual(before.map((issue) => issue.id));
  });
});

describe('a turned box', () => {
  const turned = (x: number) => ({
    ...box('a', x, 40, 40, 20),
    shape: { ...box('a', x, 40, 40, 20).shape, rotation_rad: 1 },
  });

  it('may hang over the edge, as long as its centre does not', () => {
    expect(boxInsideImage(boxes(turned(-19)), drawn)).toEqual([]);
    expect(boxInsideImage(boxes(turned(-30)), drawn)).toHaveLength(1);
  });

  it('is moved inside by its fix', () => {
    const outside = boxes(turned(-30));
    const fixed = boxInsideImage(outside, drawn)[0]?.fix?.action(outside) ?? outside;
    expect(boxInsideImage(fixed, drawn)).toEqual([]);
  });

  it('is a twin of another only where it lies on it as it stands', () => {
    const straight = box('b', 40, 40, 40, 20);
    expect(boxNoTwin(boxes(straight, turned(40)), drawn)).toEqual([]);
    expect(boxNoTwin(boxes(turned(40), { ...turned(40), id: 'b' }), drawn)).toHaveLength(1);
  });
});

describe('a point', () => {
  const point = (id: string, x: number, y: number, cls = 'car') => ({
    id,
    cls,
    shape: { type: 'point' as const, x, y },
  });
  const loose = settingOf({ kind: 'objects', classes: [{ name: 'car' }] });

  it('lies inside the image, and is moved there by its fix', () => {
    const outside = boxes(point('p', 300, 50));
    const [found] = validate(outside, loose);
    expect(found?.rule).toBe('point-inside-image');
    const mended = found?.fix?.action(outside) ?? outside;
    expect(objectsOf(mended)[0]?.shape).toEqual({ type: 'point', x: 200, y: 50 });
    expect(validate(mended, loose)).toEqual([]);
  });

  it('is no twin of one that is further off than a hand slips', () => {
    expect(validate(boxes(point('p', 50, 50), point('q', 51, 50)), loose)).toHaveLength(1);
    expect(validate(boxes(point('p', 50, 50), point('q', 60, 50)), loose)).toEqual([]);
  });

  it('is not what a class of boxes is drawn as', () => {
    expect(ofAll(shapeOfClass)(boxes(point('p', 5, 5)), drawn)[0]?.message).toContain('box');
  });
});
