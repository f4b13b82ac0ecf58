import type { LabelObject, Shape } from '../../api/types';
import { type Action, isDrawnOn, objectsOf, withObjects } from '../core/document';

/** Adds an object of the document's current class, with the attributes that are repeated, by a person; selects it. */
export function addObject(id: string, shape: Shape): Action {
  return (document) => {
    if (!isDrawnOn(document)) return document;
    const { cls, again } = document;
    const attributes =
      again?.cls === cls && Object.keys(again.attributes).length > 0 ? { attributes: again.attributes } : {};
    const object: LabelObject = { id, cls, shape, ...attributes, source: 'person' };
    return { ...withObjects(document, [...objectsOf(document), object]), selected: [id] };
  };
}
