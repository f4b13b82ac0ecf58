import { describe, expect, it } from 'vitest';
import { isEmpty } from '../kinds/models';
import { BOXES, box, boxes, CHOICE } from '../testing';
import { objectsOf, openDocument, replaceObject, touched } from './document';

describe('a document', () => {
  it('opens empty without a label', () => {
    expect(openDocument(CHOICE).label).toEqual({ kind: 'choice', values: [] });
    expect(isEmpty(openDocument(CHOICE).label)).toBe(true);
  });

  it('opens with the label it is given', () => {
    expect(openDocument(CHOICE, { kind: 'choice', values: ['dog'] }).label).toEqual({
      kind: 'choice',
      values: ['dog'],
    });
  });

  it('does not take a label of another kind', () => {
    expect(openDocument(CHOICE, { kind: 'text', text: 'x' }).label).toEqual({ kind: 'choice', values: [] });
  });

  it('shares what a change leaves alone', () => {
    const before = boxes(box('a', 0, 0, 10, 10), box('b', 20, 20, 10, 10));
    const after = replaceObject(before, 'b', (object) => ({ ...object, cls: 'person' }));
    expect(objectsOf(after)[0]).toBe(objectsOf(before)[0]);
    expect(objectsOf(before)[1]?.cls).toBe('car');
  });

  it('stays the same document when the object is not there', () => {
    const before = boxes(box('a', 0, 0, 10, 10));
    expect(replaceObject(before, 'z', (object) => ({ ...object }))).toBe(before);
  });

  it('knows that a person who changes a model’s object corrects it', () => {
    expect(touched(box('a', 0, 0, 1, 1, { source: 'model' })).source).toBe('corrected');
    expect(touched(box('a', 0, 0, 1, 1)).source).toBe('person');
  });

  it('begins with the first class as the next one', () => {
    expect(openDocument(BOXES).cls).toBe('car');
  });
});
