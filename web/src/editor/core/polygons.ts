/** Polygons as parts, each an outline and the holes in it. */
import type { PolygonShape } from '../../api/types';
import { roundPx } from './geometry';
import type { Ring } from './outlines';

/** A part of a polygon: its outline, then its holes. */
export type Part = readonly [outer: Ring, ...holes: Ring[]];

const read = (points: readonly (readonly [number, number])[]): Ring => points.map(([x, y]) => ({ x, y }));
export const written = (ring: Ring): [number, number][] => ring.map(({ x, y }) => [roundPx(x), roundPx(y)]);

const known = new WeakMap<PolygonShape, readonly Part[]>();
export function partsOf(shape: PolygonShape): readonly Part[] {
  let parts = known.get(shape);
  if (!parts) {
    parts = [shape, ...(shape.parts ?? [])].map((one): Part => [read(one.points), ...(one.holes ?? []).map(read)]);
    known.set(shape, parts);
  }
  return parts;
}

/** All outlines in the order in which handles number them. */
export const ringsOf = (shape: PolygonShape): Ring[] => partsOf(shape).flat();

/** A polygon of these parts; null of none. */
export function polygonOf(parts: readonly Part[]): PolygonShape | null {
  const [first, ...others] = parts.map(([outer, ...holes]) => ({
    points: written(outer),
    ...(holes.length > 0 ? { holes: holes.map(written) } : {}),
  }));
  return first ? { type: 'polygon', ...first, ...(others.length > 0 ? { parts: others } : {}) } : null;
}
