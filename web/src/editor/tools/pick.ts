import type { LabelObject } from '../../api/types';
import { type Document, objectsOf } from '../core/document';
import type { Point } from '../core/geometry';
import { faceOf } from '../shapes';

export interface Picked {
  readonly object: LabelObject;
  readonly handle: string | null;
}

/**
 * What lies under a point (source pixels). Handles of the one selected object come first, within `reach_px`
 * (source pixels), its knob on an arm of `arm_px` among them; then the smallest shape that the point hits, so that one
 * inside another can be reached.
 */
export function pick(document: Document, point: Point, reach_px: number, arm_px: number): Picked | null {
  const away = document.hidden?.length || document.locked?.length ? awayIn(document) : null;
  const objects = away ? objectsOf(document).filter(({ id }) => !away.has(id)) : objectsOf(document);
  const only =
    document.selected.length === 1 ? objects.find((object) => object.id === document.selected[0]) : undefined;
  if (only) {
    let nearest: { handle: string; distance: number } | null = null;
    for (const { id, at } of faceOf(only.shape).handles(only.shape, arm_px)) {
      const distance = Math.hypot(at.x - point.x, at.y - point.y);
      if (distance <= reach_px && (!nearest || distance < nearest.distance)) nearest = { handle: id, distance };
    }
    if (nearest) return { object: only, handle: nearest.handle };
  }
  let smallest: { object: LabelObject; area: number } | null = null;
  for (const object of objects) {
    const face = faceOf(object.shape);
    const { left, top, right, bottom } = face.bounds(object.shape);
    const isFar =
      point.x < left - reach_px ||
      point.x > right + reach_px ||
      point.y < top - reach_px ||
      point.y > bottom + reach_px;
    if (isFar || !face.hit(object.shape, point, reach_px)) continue;
    const area = face.area(object.shape);
    if (!smallest || area < smallest.area) smallest = { object, area };
  }
  return smallest && { object: smallest.object, handle: null };
}

/** What cannot be touched: it is hidden or locked. */
const awayIn = ({ hidden, locked }: Document) => new Set([...(hidden ?? []), ...(locked ?? [])]);
