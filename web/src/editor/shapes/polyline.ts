/** Polyline: a line of several points, such as the edge of a lane. */
import type { PolylineShape } from '../../api/types';
import { msg } from '../../i18n/msg';
import { clamp, clampPoint, type Point, roundPx, type Size } from '../core/geometry';
import { MAX_POINTS } from '../core/limits';
import { distanceToSide, lengthOf, simplerLine } from '../core/outlines';
import { traced } from './gestures';
import { lineBetween } from './moving';
import type { Bounds, ShapeFace, ShapeFault } from './shape';

const LEAST_POINTS = 2;
/** The server's own: the similarity falls in a line from 1 on the same line to 0 at this mean distance. */
const REACH_PX = 20;
/** Places along each line from which the other is measured. */
const SAMPLES = 64;
const SLACK_PX = 0.5;
const CORNER = 'corner:';
const MIDDLE = 'middle:';

const lineOf = ({ points }: PolylineShape): Point[] => points.map(([x, y]) => ({ x, y }));
const shaped = (line: readonly Point[]): PolylineShape => ({
  type: 'polyline',
  points: line.map(({ x, y }) => [roundPx(x), roundPx(y)]),
});

const known = new WeakMap<PolylineShape, Bounds>();
function boundsOf(shape: PolylineShape): Bounds {
  let bounds = known.get(shape);
  if (!bounds) {
    const xs = shape.points.map(([x]) => x);
    const ys = shape.points.map(([, y]) => y);
    bounds = { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
    known.set(shape, bounds);
  }
  return bounds;
}

const sizeOf = (shape: PolylineShape): Size => {
  const { left, top, right, bottom } = boundsOf(shape);
  return { width: right - left, height: bottom - top };
};

function moved(shape: PolylineShape, dx: number, dy: number, image: Size): PolylineShape {
  const { left, top, right, bottom } = boundsOf(shape);
  const x = clamp(dx, -left, Math.max(-left, image.width - right));
  const y = clamp(dy, -top, Math.max(-top, image.height - bottom));
  return shaped(lineOf(shape).map((at) => ({ x: at.x + x, y: at.y + y })));
}

function distanceTo(line: readonly Point[], at: Point): number {
  let least = Infinity;
  for (let n = 0; n + 1 < line.length; n += 1)
    least = Math.min(least, distanceToSide(line[n] as Point, line[n + 1] as Point, at));
  return least;
}

/** Places at even steps of the way along a line, both ends among them. */
function walked(line: readonly Point[]): Point[] {
  const step = lengthOf(line) / (SAMPLES - 1);
  const found: Point[] = [];
  let [gone, n] = [0, 0];
  for (let place = 0; place < SAMPLES; place += 1) {
    const wanted = place * step;
    for (;;) {
      const [a, b] = [line[n] as Point, line[n + 1] as Point];
      const long = Math.hypot(b.x - a.x, b.y - a.y);
      if (gone + long < wanted && n + 2 < line.length) {
        gone += long;
        n += 1;
        continue;
      }
      const share = long > 0 ? Math.min(1, (wanted - gone) / long) : 0;
      found.push({ x: a.x + share * (b.x - a.x), y: a.y + share * (b.y - a.y) });
      break;
    }
  }
  return found;
}

const meanDistance = (a: readonly Point[], b: readonly Point[]) =>
  walked(a).reduce((sum, at) => sum + distanceTo(b, at), 0) / SAMPLES;

function similarity(a: PolylineShape, b: PolylineShape): number {
  if (a === b) return 1;
  const [first, second] = [lineOf(a), lineOf(b)];
  const apart = Math.max(meanDistance(first, second), meanDistance(second, first));
  return Math.max(0, 1 - apart / REACH_PX);
}

function indexIn(handle: string, prefix: string): number | null {
  return handle.startsWith(prefix) ? Number(handle.slice(prefix.length)) : null;
}

function faults(shape: PolylineShape, image: Size): ShapeFault<PolylineShape>[] {
  const found: ShapeFault<PolylineShape>[] = [];
  const line = lineOf(shape);
  if (lengthOf(line) <= 0) {
    found.push({
      rule: 'line-not-empty',
      message: msg('This line has no length.'),
      fix: { title: 'Delete it', shape: null },
    });
  }
  if (line.length > MAX_POINTS) {
    found.push({
      rule: 'line-not-long',
      message: msg('This line has too many points.'),
      fix: { title: 'Simplify it', shape: shaped(simplerLine(line, 1)) },
    });
  }
  if (line.some((at) => Math.hypot(at.x - clampPoint(at, image).x, at.y - clampPoint(at, image).y) > SLACK_PX)) {
    found.push({
      rule: 'line-inside-image',
      message: msg('This line reaches past the edge of the image.'),
      fix: { title: 'Cut it at the edge', shape: shaped(line.map((at) => clampPoint(at, image))) },
    });
  }
  return found;
}

export const polyline: ShapeFace<PolylineShape> = {
  type: 'polyline',
  icon: 'polyline',
  words: {
    one: msg('Line'),
    draw: msg('Draw lines'),
    only: msg('“{cls}” is drawn as a line.'),
    hint: msg('Click point by point, or hold Shift and move. Enter or a double click ends the line.'),
  },
  key: 'L',
  gesture: traced({ least: LEAST_POINTS, most: MAX_POINTS, closes: false }, (places) => {
    const shape = shaped(places);
    return lengthOf(lineOf(shape)) < 1 ? null : shape;
  }),
  bounds: boundsOf,
  size: sizeOf,
  // Between a point and a thing: where both lie under the pointer, the line is meant.
  area: () => 0,
  hit: (shape, at, reach_px) => distanceTo(lineOf(shape), at) <= reach_px,
  handles: (shape) => {
    const line = lineOf(shape);
    return [
      ...line.map((at, index) => ({ id: `${CORNER}${index}`, at })),
      ...line.slice(1).map((b, index) => {
        const a = line[index] as Point;
        return { id: `${MIDDLE}${index}`, at: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, isFaint: true };
      }),
    ];
  },
  dragged: (shape, handle, to, image) => {
    const line = lineOf(shape);
    const corner = indexIn(handle, CORNER);
    const middle = indexIn(handle, MIDDLE);
    if (corner !== null) line.splice(corner, 1, clampPoint(to, image));
    else if (middle !== null && line.length < MAX_POINTS) line.splice(middle + 1, 0, clampPoint(to, image));
    return shaped(line);
  },
  dropped: (shape, handle) => {
    const corner = indexIn(handle, CORNER);
    if (corner === null || shape.points.length <= LEAST_POINTS) return null;
    return shaped(lineOf(shape).filter((_, at) => at !== corner));
  },
  moved,
  stretched: (shape, dx, dy, image) => {
    const { left, top, right, bottom } = boundsOf(shape);
    const along = (at: number, from: number, till: number, by: number, most: number) => {
      const long = clamp(till - from + by, 1, Math.max(1, most - from));
      return till > from ? from + ((at - from) * long) / (till - from) : at;
    };
    return shaped(
      lineOf(shape).map(({ x, y }) => ({
        x: along(x, left, right, dx, image.width),
        y: along(y, top, bottom, dy, image.height),
      })),
    );
  },
  turn: null,
  middle: ({ width, height }) =>
    shaped([
      { x: width * 0.375, y: height * 0.5 },
      { x: width * 0.5, y: height * 0.5 },
      { x: width * 0.625, y: height * 0.5 },
    ]),
  paths: (shape) => [{ points: lineOf(shape), closed: false }],
  pose: 'line',
  corners: lineOf,
  count: ({ points }) => points.length,
  simpler: (shape, slack_px) => shaped(simplerLine(lineOf(shape), slack_px)),
  anchor: (shape) => lineOf(shape)[0] ?? { x: 0, y: 0 },
  measure: (shape) => `${Math.round(lengthOf(lineOf(shape)))} px`,
  between: (a, b, share) => ({ ...a, points: lineBetween(a.points, b.points, share) }),
  similarity,
  reach_px: REACH_PX,
  twin_at: 0.9,
  faults,
};
