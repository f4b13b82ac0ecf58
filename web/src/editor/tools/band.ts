import { type Document, objectsOf } from '../core/document';
import type { Point } from '../core/geometry';
import { faceOf } from '../shapes';

/** The ids of what lies wholly in the rectangle between two places, of what can be seen and changed. */
export function banded(document: Document, from: Point, to: Point): string[] {
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  const away = new Set([...(document.hidden ?? []), ...(document.locked ?? [])]);
  return objectsOf(document)
    .filter(({ id, shape }) => {
      const around = faceOf(shape).bounds(shape);
      return (
        !away.has(id) && around.left >= left && around.right <= right && around.top >= top && around.bottom <= bottom
      );
    })
    .map(({ id }) => id);
}
