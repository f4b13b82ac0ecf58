/** What is drawn near a corner of a neighbour takes its place, so that the two share it to the last bit. */
import { faceOf } from '../shapes';
import { type Document, objectsOf } from './document';
import type { Point } from './geometry';

/** The nearest corner of another object within `reach_px` (source pixels); the place itself where there is none. */
export function snappedTo(document: Document, at: Point, reach_px: number, but: string | null): Point {
  let [nearest, least] = [at, reach_px];
  const hidden = document.hidden?.length ? new Set(document.hidden) : null;
  for (const { id, shape } of objectsOf(document)) {
    const { bounds, corners } = faceOf(shape);
    if (id === but || !corners || hidden?.has(id)) continue;
    const { left, top, right, bottom } = bounds(shape);
    if (at.x < left - least || at.x > right + least || at.y < top - least || at.y > bottom + least) continue;
    for (const corner of corners(shape)) {
      const apart = Math.hypot(corner.x - at.x, corner.y - at.y);
      if (apart <= least) [nearest, least] = [corner, apart];
    }
  }
  return nearest;
}
