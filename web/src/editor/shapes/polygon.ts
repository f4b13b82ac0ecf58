/** Polygon: the outline of a thing, with the holes in it and its further parts. */
import type { PolygonShape } from '../../api/types';
import { msg } from '../../i18n/msg';
import { joined, sliced } from '../core/cutting';
import { boxBetween, clamp, clampPoint, type Point, type Size } from '../core/geometry';
import { MAX_POINTS } from '../core/limits';
import { isFlat, isInRing, meetsItself, overlap, type Ring, ringArea, ringsMeet, simplerRing } from '../core/outlines';
import { type Part, partsOf, polygonOf, ringsOf, written } from '../core/polygons';
import { dragged as draggedBox, traced } from './gestures';
import { ringBetween } from './moving';
import type { Bounds, ShapeFace, ShapeFault } from './shape';

const LEAST_POINTS = 3;
/** Half a pixel over the edge is rounding, more is a mistake. */
const SLACK_PX = 0.5;
/** Below this many square pixels it is a slip of the hand. */
const SMALLEST_AREA = 1;
const CORNER = 'corner:';
const MIDDLE = 'middle:';

/** The same polygon with each outline changed; one that comes to nothing goes, a part with all its holes. */
function mapped(shape: PolygonShape, change: (ring: Ring, at: number) => Ring | null): PolygonShape | null {
  let at = -1;
  const parts: Part[] = [];
  for (const part of partsOf(shape)) {
    const [outer, ...holes] = part.map((ring) => {
      at += 1;
      return change(ring, at);
    });
    if (outer) parts.push([outer, ...holes.filter((hole): hole is Ring => hole !== null)]);
  }
  return polygonOf(parts);
}

const shaped = (ring: Ring): PolygonShape => ({ type: 'polygon', points: written(ring) });

const knownBounds = new WeakMap<PolygonShape, Bounds>();
function boundsOf(shape: PolygonShape): Bounds {
  const had = knownBounds.get(shape);
  if (had) return had;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [outer] of partsOf(shape)) {
    for (const { x, y } of outer) {
      left = Math.min(left, x);
      top = Math.min(top, y);
      right = Math.max(right, x);
      bottom = Math.max(bottom, y);
    }
  }
  const found = { left, top, right, bottom };
  knownBounds.set(shape, found);
  return found;
}

function sizeOf(shape: PolygonShape): Size {
  const { left, top, right, bottom } = boundsOf(shape);
  return { width: right - left, height: bottom - top };
}

function moved(shape: PolygonShape, dx: number, dy: number, image: Size): PolygonShape {
  const { left, top, right, bottom } = boundsOf(shape);
  const x = clamp(dx, -left, Math.max(-left, image.width - right));
  const y = clamp(dy, -top, Math.max(-top, image.height - bottom));
  return mapped(shape, (ring) => ring.map((at) => ({ x: at.x + x, y: at.y + y }))) ?? shape;
}

const isInPart = ([outer, ...holes]: Part, at: Point) =>
  isInRing(outer, at) && !holes.some((hole) => isInRing(hole, at));
const areaOf = (shape: PolygonShape) =>
  partsOf(shape).reduce(
    (sum, [outer, ...holes]) => sum + ringArea(outer) - holes.reduce((cut, hole) => cut + ringArea(hole), 0),
    0,
  );

/** The corners that two corners have between them: where a new one may be pulled out. */
function middles(ring: Ring): Point[] {
  return ring.map((a, at) => {
    const b = ring[(at + 1) % ring.length] as Point;
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  });
}

/** Handles of the first outline are numbered by themselves, those of others as "ring.corner". */
const named = (prefix: string, ring: number, corner: number) => `${prefix}${ring > 0 ? `${ring}.` : ''}${corner}`;
function indexIn(handle: string, prefix: string): { ring: number; corner: number } | null {
  if (!handle.startsWith(prefix)) return null;
  const [ring, corner] = handle.slice(prefix.length).split('.').map(Number);
  return corner === undefined ? { ring: 0, corner: ring ?? 0 } : { ring: ring ?? 0, corner };
}

function dragged(shape: PolygonShape, handle: string, to: Point, image: Size): PolygonShape {
  const corner = indexIn(handle, CORNER);
  const middle = indexIn(handle, MIDDLE);
  const at = clampPoint(to, image);
  const change = (ring: Ring, index: number): Ring => {
    if (corner?.ring === index) return ring.with(corner.corner, at);
    if (middle?.ring === index && countOf(shape) < MAX_POINTS) return ring.toSpliced(middle.corner + 1, 0, at);
    return ring;
  };
  return mapped(shape, change) ?? shape;
}

const countOf = (shape: PolygonShape) => ringsOf(shape).reduce((sum, ring) => sum + ring.length, 0);

/** Whether each hole lies in its own part and in no other hole, and no part within another. */
function isNested(parts: readonly Part[]): boolean {
  return parts.every(([outer, ...holes], n) => {
    const first = outer[0] as Point;
    if (parts.some((other, m) => m !== n && isInPart(other, first))) return false;
    return holes.every((hole, h) => {
      const at = hole[0] as Point;
      return isInRing(outer, at) && !holes.some((other, o) => o !== h && isInRing(other, at));
    });
  });
}

function whole(shape: PolygonShape): string | null {
  const rings = ringsOf(shape);
  if (rings.some(isFlat)) return 'flat';
  if (rings.some(meetsItself)) return 'crossed';
  for (const [at, ring] of rings.entries())
    for (const other of rings.slice(at + 1)) if (ringsMeet(ring, other)) return 'crossed';
  return rings.length === 1 || isNested(partsOf(shape)) ? null : 'nested';
}

function faults(shape: PolygonShape, image: Size): ShapeFault<PolygonShape>[] {
  const found: ShapeFault<PolygonShape>[] = [];
  const wrong = whole(shape);
  if (wrong === 'flat') {
    // Holes and parts that hold nothing go; where the first outline does, nothing is left to keep.
    const kept = isFlat(partsOf(shape)[0]?.[0] ?? []) ? null : mapped(shape, (ring) => (isFlat(ring) ? null : ring));
    found.push({
      rule: 'outline-not-empty',
      message: msg('This outline holds nothing.'),
      fix: { title: 'Delete it', shape: kept },
    });
  } else if (wrong === 'crossed') {
    found.push({
      rule: 'outline-simple',
      message: msg('This outline crosses or touches itself: move a corner.'),
      fix: null,
    });
  } else if (wrong === 'nested') {
    found.push({
      rule: 'outline-nested',
      message: msg('A hole lies outside of its outline, or a part within another.'),
      fix: { title: 'Fill the holes', shape: polygonOf(partsOf(shape).map(([outer]) => [outer])) },
    });
  }
  if (countOf(shape) > MAX_POINTS) {
    found.push({
      rule: 'outline-not-long',
      message: msg('This outline has too many corners.'),
      fix: { title: 'Simplify it', shape: simpler(shape, 1) },
    });
  }
  const { left, top, right, bottom } = boundsOf(shape);
  if (left < -SLACK_PX || top < -SLACK_PX || right > image.width + SLACK_PX || bottom > image.height + SLACK_PX) {
    const cut = mapped(shape, (ring) => ring.map((point) => clampPoint(point, image))) ?? shape;
    found.push({
      rule: 'outline-inside-image',
      message: msg('This outline reaches past the edge of the image.'),
      fix:
        whole(cut) === null
          ? { title: 'Cut it at the edge', shape: cut }
          : { title: 'Move it inside', shape: moved(shape, 0, 0, image) },
    });
  }
  return found;
}

function simpler(shape: PolygonShape, slack_px: number): PolygonShape {
  const found = mapped(shape, (ring) => simplerRing(ring, slack_px));
  return found && whole(found) === null ? found : shape;
}

const HINT = msg(
  'Click corner by corner, or hold Shift and move. Enter, a double click or the first corner closes; Backspace takes one back.',
);

const outlined = traced<PolygonShape>({ least: LEAST_POINTS, most: MAX_POINTS }, (places) => {
  const shape = shaped(places);
  return areaOf(shape) < SMALLEST_AREA ? null : shape;
});

/** With a hole where another was drawn, in the part that holds it. */
function withHole(shape: PolygonShape, drawn: PolygonShape): PolygonShape | null {
  const [hole] = ringsOf(drawn);
  const first = hole?.[0];
  if (!hole || !first) return null;
  const parts = partsOf(shape);
  const holder = parts.findIndex((part) => isInPart(part, first));
  if (holder < 0) return null;
  const found = polygonOf(parts.map((part, at): Part => (at === holder ? [...part, hole] : part)));
  return found && whole(found) === null ? found : null;
}

function withPart(shape: PolygonShape, drawn: PolygonShape): PolygonShape | null {
  const found = polygonOf([...partsOf(shape), ...partsOf(drawn)]);
  return found && whole(found) === null ? found : null;
}

export const polygon: ShapeFace<PolygonShape> = {
  type: 'polygon',
  icon: 'polygon',
  words: {
    one: msg('Outline'),
    draw: msg('Draw outlines'),
    only: msg('“{cls}” is drawn as an outline.'),
    hint: HINT,
  },
  key: 'O',
  gesture: outlined,
  ways: [
    {
      id: 'hole',
      icon: 'hole',
      title: msg('Cut a hole into the selected outline'),
      key: 'Shift+O',
      gesture: outlined,
      hint: HINT,
      onto: withHole,
      needsOne: true,
    },
    {
      id: 'part',
      icon: 'parts',
      title: msg('Add a part to the selected outline'),
      key: 'Alt+O',
      gesture: outlined,
      hint: HINT,
      onto: withPart,
      needsOne: true,
    },
    {
      id: 'rectangle',
      icon: 'box',
      title: msg('Draw an outline as a rectangle'),
      key: 'Alt+Shift+O',
      gesture: draggedBox((from, to, image) => {
        const { x, y, w, h } = boxBetween(clampPoint(from, image), clampPoint(to, image));
        if (w < 1 || h < 1) return null;
        return shaped([
          { x, y },
          { x: x + w, y },
          { x: x + w, y: y + h },
          { x, y: y + h },
        ]);
      }),
    },
  ],
  bounds: boundsOf,
  size: sizeOf,
  area: areaOf,
  hit: (shape, point) => partsOf(shape).some((part) => isInPart(part, point)),
  handles: (shape) =>
    ringsOf(shape).flatMap((ring, n) => [
      ...ring.map((at, index) => ({ id: named(CORNER, n, index), at })),
      ...middles(ring).map((at, index) => ({ id: named(MIDDLE, n, index), at, isFaint: true })),
    ]),
  dragged,
  dropped: (shape, handle) => {
    const corner = indexIn(handle, CORNER);
    if (!corner) return null;
    const drop = (ring: Ring, at: number): Ring | null => {
      if (at !== corner.ring) return ring;
      return ring.length > LEAST_POINTS ? ring.toSpliced(corner.corner, 1) : null;
    };
    return mapped(shape, drop);
  },
  moved,
  stretched: (shape, dx, dy, image) => {
    const { left, top, right, bottom } = boundsOf(shape);
    const along = (at: number, from: number, till: number, by: number, most: number) => {
      const long = clamp(till - from + by, 1, Math.max(1, most - from));
      return till > from ? from + ((at - from) * long) / (till - from) : at;
    };
    const stretch = (ring: Ring) =>
      ring.map(({ x, y }) => ({
        x: along(x, left, right, dx, image.width),
        y: along(y, top, bottom, dy, image.height),
      }));
    return mapped(shape, stretch) ?? shape;
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
  paths: (shape) => ringsOf(shape).map((points) => ({ points, closed: true })),
  pose: 'outline',
  corners: cornersOf,
  count: countOf,
  rings: ringsOf,
  cut: sliced,
  joined,
  simpler,
  anchor: (shape) => {
    const [first = { x: 0, y: 0 }, ...rest] = cornersOf(shape);
    return rest.reduce((best, point) => (point.y < best.y ? point : best), first);
  },
  measure: (shape) => {
    const { width, height } = sizeOf(shape);
    return `${Math.round(width)} × ${Math.round(height)}`;
  },
  between: (a, b, share) => {
    const holesOf = ({ holes = [], parts = [] }: PolygonShape) => [holes, ...parts.map((part) => part.holes ?? [])];
    const [mine, theirs] = [holesOf(a), holesOf(b)];
    // With other holes or parts nobody knows which becomes which: it stands still until the next key.
    if (mine.length !== theirs.length || mine.some((holes, at) => holes.length !== theirs[at]?.length)) return a;
    const rings = (one: readonly [number, number][][] = [], other: readonly [number, number][][] = []) =>
      one.map((ring, at) => ringBetween(ring, other[at] ?? ring, share));
    return {
      ...a,
      points: ringBetween(a.points, b.points, share),
      ...(a.holes?.length ? { holes: rings(a.holes, b.holes) } : {}),
      ...(a.parts?.length
        ? {
            parts: a.parts.map((part, at) => ({
              ...part,
              points: ringBetween(part.points, b.parts?.[at]?.points ?? part.points, share),
              ...(part.holes?.length ? { holes: rings(part.holes, b.parts?.[at]?.holes) } : {}),
            })),
          }
        : {}),
    };
  },
  similarity: (a, b) => (a === b ? 1 : overlap(ringsOf(a), ringsOf(b))),
  reach_px: 0,
  twin_at: 0.95,
  faults,
};

function cornersOf(shape: PolygonShape): readonly Point[] {
  return ringsOf(shape).flat();
}
