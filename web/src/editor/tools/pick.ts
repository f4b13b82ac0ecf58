import type { LabelObject } from '../../api/types';
import { type Document, objectsOf } from '../core/document';
import { contains, HANDLES, type Handle, handlePoint, knobPoint, type Point } from '../core/geometry';

export interface Picked {
  readonly object: LabelObject;
  readonly handle: Handle | 'knob' | null;
}

/**
 * What lies under a point (source pixels). Handles of the one selected object come first, within `reach_px`
 * (source pixels), its knob on an arm of `arm_px` among them; then the smallest box that contains the point, so that a
 * box inside another can be reached.
 */
export function pick(document: Document, point: Point, reach_px: number, arm_px: number): Picked | null {
  const objects = objectsOf(document);
  const only =
    document.selected.length === 1 ? objects.find((object) => object.id === document.selected[0]) : undefined;
  if (only) {
    let nearest: { handle: Handle | 'knob'; distance: number } | null = null;
    for (const handle of [...(Object.keys(HANDLES) as Handle[]), 'knob' as const]) {
      const at = handle === 'knob' ? knobPoint(only.shape, arm_px) : handlePoint(only.shape, handle);
      const distance = Math.hypot(at.x - point.x, at.y - point.y);
      if (distance <= reach_px && (!nearest || distance < nearest.distance)) nearest = { handle, distance };
    }
    if (nearest) return { object: only, handle: nearest.handle };
  }
  let smallest: LabelObject | null = null;
  for (const object of objects) {
    if (!contains(object.shape, point)) continue;
    if (!smallest || object.shape.w * object.shape.h < smallest.shape.w * smallest.shape.h) smallest = object;
  }
  return smallest ? { object: smallest, handle: null } : null;
}
