import { type Action, objectsOf, withObjects } from '../core/document';
import type { Size } from '../core/geometry';
import { faceOf } from '../shapes';

const STEP_PX = 8;

/** Copies an object beside itself under a new id, and selects the copy. The copy is a person's. */
export function duplicateObject(id: string, copyId: string, image: Size): Action {
  return (document) => {
    const original = objectsOf(document).find((object) => object.id === id);
    if (!original) return document;
    const copy = {
      ...original,
      id: copyId,
      source: 'person' as const,
      shape: faceOf(original.shape).moved(original.shape, STEP_PX, STEP_PX, image),
    };
    return { ...withObjects(document, [...objectsOf(document), copy]), selected: [copyId] };
  };
}
