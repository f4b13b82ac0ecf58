import { type Action, replaceObject, touched } from '../core/document';
import { faceOf } from '../shapes';

/** Takes from an object's shape what one of its handles holds (a corner of an outline), where it can do without. */
export function dropHandle(id: string, handle: string): Action {
  return (document) =>
    replaceObject(document, id, (object) => {
      const shape = faceOf(object.shape).dropped?.(object.shape, handle);
      return shape ? { ...touched(object), shape } : object;
    });
}
