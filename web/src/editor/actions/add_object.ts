import type { LabelObject, Shape } from '../../api/types';
import { type Action, objectsOf, withObjects } from '../core/document';

/** Adds an object of the document's current class, drawn by a person, and selects it. */
export function addObject(id: string, shape: Shape): Action {
  return (document) => {
    if (document.label.kind !== 'objects') return document;
    const object: LabelObject = { id, cls: document.cls, shape, source: 'person' };
    return { ...withObjects(document, [...objectsOf(document), object]), selected: [id] };
  };
}
