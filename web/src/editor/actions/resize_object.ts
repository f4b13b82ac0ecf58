import { type Action, replaceObject, touched } from '../core/document';
import { type Handle, type Point, resized, type Size } from '../core/geometry';

/** Drags one handle of an object's box to a point (source pixels). */
export function resizeObject(id: string, handle: Handle, to: Point, image: Size): Action {
  return (document) =>
    replaceObject(document, id, (object) => ({ ...touched(object), shape: resized(object.shape, handle, to, image) }));
}
