import { type Action, replaceObject, touched } from '../core/document';
import type { Point, Size } from '../core/geometry';
import { faceOf } from '../shapes';

/** Drags one handle of an object's shape to a point (source pixels); `snaps` keeps turns to steps. */
export function dragHandle(id: string, handle: string, to: Point, image: Size, snaps = false): Action {
  return (document) =>
    replaceObject(document, id, (object) => ({
      ...touched(object),
      shape: faceOf(object.shape).dragged(object.shape, handle, to, image, snaps),
    }));
}
