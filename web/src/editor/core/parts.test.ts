import { describe, expect, it } from 'vitest';
import type { ItemView } from '../../api/types';
import { CHOICE } from '../testing';
import { openDocument } from './document';
import { openHistory } from './history';
import { LabelSession, picturesOf } from './label_session';

const words = { facts: {}, meta: {}, bytes: 1, role: 'note', sensor: '', timestamp_ns: null };
const picture = { ...words, ordinal: 0, media_type: 'image/png', url: '/a.png', text: null };
const note = { ...words, ordinal: 1, media_type: 'text/plain', url: null, text: 'rain' };

const sightOf = (item: ItemView) =>
  new LabelSession({ ontology: CHOICE, item }, openHistory(openDocument(CHOICE))).sight;

describe('an item made of parts', () => {
  it('is not before anybody’s eyes until its pictures are', () => {
    expect(sightOf({ url: null, text: null, parts: [picture, note] })).toBe('waiting');
    expect(picturesOf({ url: null, parts: [picture, note] })).toEqual(['/a.png']);
  });

  it('of words alone is there at once', () => {
    expect(sightOf({ url: null, text: null, parts: [note] })).toBe('shown');
    expect(sightOf({ url: null, text: null, parts: [] })).toBe('failed');
  });
});
