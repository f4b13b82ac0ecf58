import { type Action, replaceObject, touched } from '../core/document';
import { moved, type Size } from '../core/geometry';

/** Moves an object by (dx, dy) source pixels, keeping it inside the image. */
export function moveObject(id: string, dx: number, dy: number, image: Size): Action {
  return (document) =>
    replaceObject(document, id, (object) => {
      const shape = moved(object.shape, dx, dy, image);
      return shape.x === object.shape.x && shape.y === object.shape.y ? object : { ...touched(object), shape };
    });
}
