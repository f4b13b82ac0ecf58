/** Polygons put together and cut apart. */
import polygonClipping, { type MultiPolygon, type Polygon } from 'polygon-clipping';
import type { PolygonShape } from '../../api/types';
import type { Point } from './geometry';
import { lengthOf, meetsItself, type Ring, ringArea } from './outlines';
import { partsOf, polygonOf } from './polygons';

/** Below this many square pixels a piece is what rounding leaves. */
const SMALLEST_PIECE = 1;

const pairs = (ring: Ring): [number, number][] => ring.map(({ x, y }) => [x, y]);
const regionOf = (shape: PolygonShape): MultiPolygon => partsOf(shape).map((part): Polygon => part.map(pairs));
/** Without the corner that closes a ring by standing twice. */
const ringOf = (points: Polygon[number]): Ring => points.slice(0, -1).map(([x, y]) => ({ x, y }));

function partsIn(region: MultiPolygon): [Ring, ...Ring[]][] {
  return region.flatMap(([outer, ...holes]) => {
    const ring = outer && ringOf(outer);
    if (!ring || ringArea(ring) < SMALLEST_PIECE) return [];
    return [[ring, ...holes.map(ringOf).filter((hole) => ringArea(hole) >= SMALLEST_PIECE)]];
  });
}

/** What any of them covers, as one polygon; null where that is nothing. */
export function joined(shapes: readonly PolygonShape[]): PolygonShape | null {
  const [first, ...others] = shapes.map(regionOf);
  return first ? polygonOf(partsIn(polygonClipping.union(first, ...others))) : null;
}

/** The polygon without what others cover; null where nothing is left. */
export function without(shape: PolygonShape, others: readonly PolygonShape[]): PolygonShape | null {
  return polygonOf(partsIn(polygonClipping.difference(regionOf(shape), ...others.map(regionOf))));
}

/**
 * The two sides of a line through a polygon, each a polygon; null where the line does not divide it. The line is drawn on
 * at both ends past everything, and closed around one side.
 */
export function sliced(shape: PolygonShape, line: readonly Point[]): [PolygonShape, PolygonShape] | null {
  if (line.length < 2 || lengthOf(line) <= 0) return null;
  const all = [...partsOf(shape).flat(2), ...line];
  const [xs, ys] = [all.map(({ x }) => x), all.map(({ y }) => y)];
  const middle = { x: (Math.min(...xs) + Math.max(...xs)) / 2, y: (Math.min(...ys) + Math.max(...ys)) / 2 };
  const far = 2 * (Math.max(...xs) - Math.min(...xs) + Math.max(...ys) - Math.min(...ys)) + 10;
  const through = [beyond(line[1], line[0], far), ...line, beyond(line.at(-2), line.at(-1), far)];
  const angle = ({ x, y }: Point) => Math.atan2(y - middle.y, x - middle.x);
  // Back around the outside, clockwise, from the last end to the first.
  const [from, till] = [angle(through.at(-1) as Point), angle(through[0] as Point)];
  const turn = (till - from + 4 * Math.PI) % (2 * Math.PI) || 2 * Math.PI;
  const around = Array.from({ length: 15 }, (_, n) => {
    const at = from + (turn * (n + 1)) / 16;
    return { x: middle.x + 2 * far * Math.cos(at), y: middle.y + 2 * far * Math.sin(at) };
  });
  const side: Ring = [...through, ...around];
  if (meetsItself(side)) return null;
  const region = regionOf(shape);
  const one = polygonOf(partsIn(polygonClipping.intersection(region, [pairs(side)])));
  const other = polygonOf(partsIn(polygonClipping.difference(region, [pairs(side)])));
  return one && other ? [one, other] : null;
}

/** From `from` through `to` and on, so far. */
function beyond(from: Point | undefined, to: Point | undefined, far: number): Point {
  const [a, b] = [from ?? { x: 0, y: 0 }, to ?? { x: 0, y: 0 }];
  const long = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  return { x: b.x + ((b.x - a.x) / long) * far, y: b.y + ((b.y - a.y) / long) * far };
}
