/**
 * What is being edited: an immutable document. An action takes one and gives another; what did not change is shared,
 * so a stack of documents is a cheap history.
 */

import type { ItemView, Label, LabelObject, Ontology, Track } from '../../api/types';
import { emptyLabel } from '../kinds/models';
import type { Viewport } from '../spaces/plane';
import type { Answers } from './attributes';
import { classesOf } from './ontology';
import { objectsIn, withObjectsIn } from './tracks';

const NO_ANSWERS: Answers = {};

export interface Document {
  readonly label: Label;
  /** Ids of the selected objects; empty for labels that have none. */
  readonly selected: readonly string[];
  /** The class the next object gets: the last one used (sticky). */
  readonly cls: string;
  /** Ids of objects that are not shown, and of those that are shown and not touched, to work on others. */
  readonly hidden?: readonly string[];
  readonly locked?: readonly string[];
  /** What the next objects of a class begin with: the attributes of the one that is repeated. */
  readonly again?: { readonly cls: string; readonly attributes: NonNullable<LabelObject['attributes']> } | undefined;
  /** Of a video: the frame that is looked at, and the attributes that are answered frame by frame. */
  readonly frame?: number;
  readonly mutable?: readonly string[];
  /** How the item was looked at when this label came about; absent where that is always the same. */
  readonly view?: Viewport | null;
}

/** What a document is edited against; never changes while it is open. */
export interface Setting {
  readonly ontology: Ontology;
  readonly item: ItemView;
}

export type Action = (document: Document) => Document;

/** A document that opens with `label` (a draft or a pre-label), or empty. A label of another kind is not taken. */
export function openDocument(ontology: Ontology, label?: Label | null, cls?: string): Document {
  const usable = label && label.kind === ontology.kind ? label : emptyLabel(ontology.kind);
  const drawn = classesOf(ontology).find(({ event }) => !event) ?? classesOf(ontology)[0];
  const document = { label: usable, selected: [], cls: cls ?? drawn?.name ?? '' };
  if (usable.kind !== 'tracks') return document;
  const mutable = (ontology.attributes ?? []).filter((spec) => spec.mutable).map(({ name }) => name);
  return { ...document, frame: 0, mutable };
}

/** The objects of a picture; of a video those that its present frame shows. */
export function objectsOf({ label, frame = 0 }: Document): readonly LabelObject[] {
  if (label.kind === 'tracks') return objectsIn(label, frame);
  return label.kind === 'objects' ? label.objects : [];
}

export const tracksOf = ({ label }: Document): readonly Track[] => (label.kind === 'tracks' ? label.tracks : []);

/** Whether objects can be drawn. */
export const isDrawnOn = ({ label }: Document): boolean => label.kind === 'objects' || label.kind === 'tracks';

export function answersOf(document: Document): Answers {
  return document.label.kind === 'form' ? document.label.answers : NO_ANSWERS;
}

/** The document with these objects; of a video in its present frame, where a change makes a key. */
export function withObjects(document: Document, objects: readonly LabelObject[]): Document {
  const { label, frame = 0, mutable = [] } = document;
  if (label.kind === 'tracks') {
    return { ...document, label: withObjectsIn(label, frame, objects, new Set(mutable)) };
  }
  return { ...document, label: { kind: 'objects', objects: [...objects] } };
}

/** A person who changes what a model drew has corrected it; what a person drew stays a person's. */
export function touched(object: LabelObject): LabelObject {
  return object.source === 'model' ? { ...object, source: 'corrected' } : object;
}

/** Replaces the object with this id; the same document when it is absent or unchanged. */
export function replaceObject(document: Document, id: string, change: (object: LabelObject) => LabelObject): Document {
  let changed = false;
  const objects = objectsOf(document).map((object) => {
    if (object.id !== id) return object;
    const next = change(object);
    if (next !== object) changed = true;
    return next;
  });
  return changed ? withObjects(document, objects) : document;
}
