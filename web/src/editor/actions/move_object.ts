import { type Action, replaceObject, touched } from '../core/document';
import type { Size } from '../core/geometry';
import { faceOf } from '../shapes';

/** Moves an object by (dx, dy) source pixels, keeping it inside the image. */
export function moveObject(id: string, dx: number, dy: number, image: Size): Action {
  return (document) =>
    replaceObject(document, id, (object) => {
      const { moved, bounds } = faceOf(object.shape);
      const shape = moved(object.shape, dx, dy, image);
      const [before, after] = [bounds(object.shape), bounds(shape)];
      return before.left === after.left && before.top === after.top ? object : { ...touched(object), shape };
    });
}
