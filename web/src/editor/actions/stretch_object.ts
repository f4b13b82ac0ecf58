import { type Action, replaceObject, touched } from '../core/document';
import type { Size } from '../core/geometry';
import { faceOf } from '../shapes';

/** Grows an object by (dx, dy) source pixels along its own sides; a shape without an extent stays as it is. */
export function stretchObject(id: string, dx: number, dy: number, image: Size): Action {
  return (document) =>
    replaceObject(document, id, (object) => {
      const { stretched } = faceOf(object.shape);
      return stretched ? { ...touched(object), shape: stretched(object.shape, dx, dy, image) } : object;
    });
}
