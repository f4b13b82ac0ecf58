/** Polygon: the outline of a thing, one ring of corners. */
import type { PolygonShape } from '../../api/types';
import { msg } from '../../i18n/msg';
import { clamp, clampPoint, type Point, roundPx, type Size } from '../core/geometry';
import { MAX_POINTS } from '../core/limits';
import { isFlat, isInRing, meetsItself, overlap, type Ring, ringArea } from '../core/outlines';
import { traced } from './gestures';
import type { Bounds, ShapeFace, ShapeFault } from './shape';

const LEAST_POINTS = 3;
/** Half a pixel over the edge is rounding, more is a mistake. */
const SLACK_PX = 0.5;
/** Below this many square pixels it is a slip of the hand. */
const SMALLEST_AREA = 1;
const CORNER = 'corner:';
const MIDDLE = 'middle:';

const ringOf = ({ points }: PolygonShape): Ring => points.map(([x, y]) => ({ x, y }));
const shaped = (ring: Ring): PolygonShape => ({
  type: 'polygon',
  points: ring.map(({ x, y }) => [roundPx(x), roundPx(y)]),
});

function boundsOf({ points }: PolygonShape): Bounds {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return { left, top, right, bottom };
}

function sizeOf(shape: PolygonShape): Size {
  const { left, top, right, bottom } = boundsOf(shape);
  return { width: right - left, height: bottom - top };
}

function moved(shape: PolygonShape, dx: number, dy: number, image: Size): PolygonShape {
  const { left, top, right, bottom } = boundsOf(shape);
  const x = clamp(dx, -left, Math.max(-left, image.width - right));
  const y = clamp(dy, -top, Math.max(-top, image.height - bottom));
  return shaped(shape.points.map(([px, py]) => ({ x: px + x, y: py + y })));
}

/** The corners that two corners have between them: where a new one may be pulled out. */
function middles(ring: Ring): Point[] {
  return ring.map((a, at) => {
    const b = ring[(at + 1) % ring.length] as Point;
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  });
}

function indexIn(handle: string, prefix: string): number | null {
  return handle.startsWith(prefix) ? Number(handle.slice(prefix.length)) : null;
}

function dragged(shape: PolygonShape, handle: string, to: Point, image: Size): PolygonShape {
  const ring = [...ringOf(shape)];
  const corner = indexIn(handle, CORNER);
  const middle = indexIn(handle, MIDDLE);
  if (corner !== null) ring.splice(corner, 1, clampPoint(to, image));
  else if (middle !== null && ring.length < MAX_POINTS) ring.splice(middle + 1, 0, clampPoint(to, image));
  return shaped(ring);
}

function faults(shape: PolygonShape, image: Size): ShapeFault<PolygonShape>[] {
  const ring = ringOf(shape);
  const found: ShapeFault<PolygonShape>[] = [];
  if (isFlat(ring)) {
    found.push({
      rule: 'outline-not-empty',
      message: msg('This outline holds nothing.'),
      fix: { title: 'Delete it', shape: null },
    });
  } else if (meetsItself(ring)) {
    found.push({
      rule: 'outline-simple',
      message: msg('This outline crosses or touches itself: move a corner.'),
      fix: null,
    });
  }
  if (ring.length > MAX_POINTS) {
    found.push({
      rule: 'outline-not-long',
      message: msg('This outline has too many corners.'),
      fix: { title: 'Delete it', shape: null },
    });
  }
  const { left, top, right, bottom } = boundsOf(shape);
  if (left < -SLACK_PX || top < -SLACK_PX || right > image.width + SLACK_PX || bottom > image.height + SLACK_PX) {
    const cut = shaped(ring.map((point) => clampPoint(point, image)));
    const isWhole = !isFlat(ringOf(cut)) && !meetsItself(ringOf(cut));
    found.push({
      rule: 'outline-inside-image',
      message: msg('This outline reaches past the edge of the image.'),
      fix: isWhole
        ? { title: 'Cut it at the edge', shape: cut }
        : { title: 'Move it inside', shape: moved(shape, 0, 0, image) },
    });
  }
  return found;
}

export const polygon: ShapeFace<PolygonShape> = {
  type: 'polygon',
  icon: 'polygon',
  words: {
    one: msg('Outline'),
    draw: msg('Draw outlines'),
    only: msg('“{cls}” is drawn as an outline.'),
    hint: msg('Click corner by corner. Enter, a double click or the first corner closes; Backspace takes one back.'),
  },
  key: 'O',
  gesture: traced({ least: LEAST_POINTS, most: MAX_POINTS }, (places) => {
    const shape = shaped(places);
    return ringArea(ringOf(shape)) < SMALLEST_AREA ? null : shape;
  }),
  bounds: boundsOf,
  size: sizeOf,
  area: (shape) => ringArea(ringOf(shape)),
  hit: (shape, point) => isInRing(ringOf(shape), point),
  handles: (shape) => {
    const ring = ringOf(shape);
    return [
      ...ring.map((at, index) => ({ id: `${CORNER}${index}`, at })),
      ...middles(ring).map((at, index) => ({ id: `${MIDDLE}${index}`, at, isFaint: true })),
    ];
  },
  dragged,
  dropped: (shape, handle) => {
    const corner = indexIn(handle, CORNER);
    if (corner === null || shape.points.length <= LEAST_POINTS) return null;
    return shaped(ringOf(shape).filter((_, at) => at !== corner));
  },
  moved,
  stretched: (shape, dx, dy, image) => {
    const { left, top, right, bottom } = boundsOf(shape);
    const along = (at: number, from: number, till: number, by: number, most: number) => {
      const long = clamp(till - from + by, 1, Math.max(1, most - from));
      return till > from ? from + ((at - from) * long) / (till - from) : at;
    };
    return shaped(
      ringOf(shape).map(({ x, y }) => ({
        x: along(x, left, right, dx, image.width),
        y: along(y, top, bottom, dy, image.height),
      })),
    );
  },
  turn: null,
  middle: ({ width, height }) => {
    const around = (at: number) => (at * 2 * Math.PI) / 6;
    const reach = Math.min(width, height) / 6;
    return shaped(
      Array.from({ length: 6 }, (_, at) => ({
        x: width / 2 + reach * Math.cos(around(at)),
        y: height / 2 + reach * Math.sin(around(at)),
      })),
    );
  },
  outline: ringOf,
  pose: 'outline',
  anchor: (shape) => {
    const [first = { x: 0, y: 0 }, ...rest] = ringOf(shape);
    return rest.reduce((best, point) => (point.y < best.y ? point : best), first);
  },
  measure: (shape) => {
    const { width, height } = sizeOf(shape);
    return `${Math.round(width)} × ${Math.round(height)}`;
  },
  similarity: (a, b) => (a === b ? 1 : overlap(ringOf(a), ringOf(b))),
  reach_px: 0,
  twin_at: 0.95,
  faults,
};
