import { type Action, objectsOf, touched, withObjects } from '../core/document';
import type { Point } from '../core/geometry';
import { faceOf } from '../shapes';

/** Cuts an outline along a line into two objects of one class and attributes; both are selected. */
export function sliceObject(id: string, newId: string, line: readonly Point[]): Action {
  return (document) => {
    const object = objectsOf(document).find((one) => one.id === id);
    const found = object && faceOf(object.shape).cut?.(object.shape, line);
    if (!found) return document;
    const [one, other] = found;
    const objects = objectsOf(document).flatMap((each) =>
      each.id === id
        ? [
            { ...touched(each), shape: one },
            { ...touched(each), id: newId, shape: other },
          ]
        : [each],
    );
    return { ...withObjects(document, objects), selected: [id, newId] };
  };
}
