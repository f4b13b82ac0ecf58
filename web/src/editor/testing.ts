/** Small documents for the editor's tests. */
import type { ItemView, LabelObject, Ontology } from '../api/types';
import { type Document, openDocument, type Setting } from './core/document';
import { openHistory } from './core/history';
import { LabelSession } from './core/label_session';

export const IMAGE = { width: 200, height: 100 };
export const ITEM: ItemView = { url: '/x.png', ...IMAGE };
export const CHOICE: Ontology = { kind: 'choice', classes: [{ name: 'cat' }, { name: 'dog' }, { name: 'bird' }] };
export const MULTI: Ontology = { ...CHOICE, multiple: true };
export const TEXT: Ontology = { kind: 'text', classes: [], text: { min_chars: 3, max_chars: 8 } };
export const BOXES: Ontology = {
  kind: 'objects',
  classes: [
    { name: 'car', geometry: 'box' },
    { name: 'person', geometry: 'box' },
  ],
  attributes: [
    { name: 'parked', type: 'bool', classes: ['car'] },
    { name: 'meter', type: 'text', required: true, when: { attribute: 'parked', equals: true } },
  ],
};

export function box(
  id: string,
  x: number,
  y: number,
  w: number,
  h: number,
  extra: Partial<LabelObject> = {},
): LabelObject {
  return { id, cls: 'car', shape: { type: 'box', x, y, w, h }, source: 'person', ...extra };
}

export function boxes(...objects: LabelObject[]): Document {
  return openDocument(BOXES, { kind: 'objects', objects });
}

export function settingOf(ontology: Ontology): Setting {
  return { ontology, item: ITEM };
}

export function sessionOf(ontology: Ontology, document = openDocument(ontology)): LabelSession {
  return new LabelSession(settingOf(ontology), openHistory(document));
}
