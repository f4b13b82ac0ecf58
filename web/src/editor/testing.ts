/** Small documents for the editor's tests. */
import type { BoxShape, ItemView, LabelObject, Ontology } from '../api/types';
import { type Document, objectsOf, openDocument, type Setting } from './core/document';
import { openHistory } from './core/history';
import type { Idle } from './core/idle';
import { LabelSession } from './core/label_session';
import { faceOf } from './shapes';

export const IMAGE = { width: 200, height: 100 };
export const ITEM: ItemView = { url: '/x.png', ...IMAGE };
// Ontologies as the server sends them: what is at its default is left out.
export const CHOICE: Ontology = { kind: 'choice', classes: [{ name: 'cat' }, { name: 'dog' }, { name: 'bird' }] };
export const MULTI: Ontology = { ...CHOICE, multiple: true };
export const TEXT: Ontology = { kind: 'text', text: { min_chars: 3, max_chars: 8 } };
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

export const FORM: Ontology = {
  kind: 'form',
  attributes: [
    { name: 'kind', type: 'choice', options: ['car', 'van'], required: true },
    { name: 'dented', type: 'bool', when: { attribute: 'kind', equals: 'car' } },
    { name: 'where', type: 'choice', options: ['door', 'roof'], when: { attribute: 'dented', equals: true } },
    { name: 'notes', type: 'text' },
  ],
};

export function box(
  id: string,
  x: number,
  y: number,
  w: number,
  h: number,
  extra: Partial<Omit<LabelObject, 'shape'>> = {},
): LabelObject & { shape: BoxShape } {
  return { id, cls: 'car', shape: { type: 'box', x, y, w, h }, source: 'person', ...extra };
}

export function boxes(...objects: LabelObject[]): Document {
  return openDocument(BOXES, { kind: 'objects', objects });
}

/** How far the object at this place is turned. */
export function turnOf(document: Document, at = 0): number {
  const shape = objectsOf(document)[at]?.shape;
  return (shape && faceOf(shape).turn?.of(shape)) ?? 0;
}

export function settingOf(ontology: Ontology): Setting {
  return { ontology, item: ITEM };
}

export function sessionOf(ontology: Ontology, document = openDocument(ontology), idle?: Idle): LabelSession {
  return new LabelSession(settingOf(ontology), openHistory(document), undefined, idle);
}

/** Pauses that come when a test says so. */
export function handIdle(): { idle: Idle; pause: (hasTime?: () => boolean) => void; readonly waiting: number } {
  const works = new Set<Parameters<Idle>[0]>();
  return {
    idle: (work) => {
      works.add(work);
      return () => works.delete(work);
    },
    pause: (hasTime = () => true) => {
      const due = [...works];
      works.clear();
      for (const work of due) work(hasTime);
    },
    get waiting() {
      return works.size;
    },
  };
}
