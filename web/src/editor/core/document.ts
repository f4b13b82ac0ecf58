/**
 * What is being edited: an immutable document. An action takes one and gives another; what did not change is shared,
 * so a stack of documents is a cheap history.
 */

import type { ItemView, Label, LabelObject, Ontology } from '../../api/types';
import { emptyLabel } from '../kinds/models';
import type { Viewport } from '../spaces/plane';
import type { Answers } from './attributes';
import { classesOf } from './ontology';

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
  return { label: usable, selected: [], cls: cls ?? classesOf(ontology)[0]?.name ?? '' };
}

export function objectsOf(document: Document): readonly LabelObject[] {
  return document.label.kind === 'objects' ? document.label.objects : [];
}

export function answersOf(document: Document): Answers {
  return document.label.kind === 'form' ? document.label.answers : NO_ANSWERS;
}

export function withObjects(document: Document, objects: readonly LabelObject[]): Document {
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
