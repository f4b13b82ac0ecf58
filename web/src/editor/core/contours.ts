/** The outlines of painted pixels, along their edges: what turns a mask into a polygon. */
import type { Point } from './geometry';
import { boundsOfTiles, eachSpan, type Tile } from './masks';
import { isInRing, type Ring, ringArea } from './outlines';

/** One part of what is painted: its outline, then its holes. */
export type Contour = readonly [outer: Ring, ...holes: Ring[]];

/**
 * Each edge between a set pixel and one that is not is walked once, the set one to its right; where two set pixels meet
 * in a corner alone the walk turns right, so that they are two parts. Corners in the middle of a straight edge are left out.
 */
export function contoursOf(tiles: readonly Tile[]): Contour[] {
  if (tiles.length === 0) return [];
  const { left, top, right, bottom } = boundsOfTiles(tiles);
  const width = right - left + 2;
  const height = bottom - top + 2;
  const set = new Uint8Array(width * height);
  eachSpan(tiles, (y, x0, x1) =>
    set.fill(1, (y - top + 1) * width + x0 - left + 1, (y - top + 1) * width + x1 - left + 1),
  );
  const is = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && set[y * width + x] === 1;
  // An edge begins at a corner (x, y) and goes right, down, left or up: 0..3.
  const steps = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ] as const;
  /** Whether the edge from a corner in a direction has a set pixel to its right and none to its left. */
  const isEdge = (x: number, y: number, way: number): boolean => {
    switch (way) {
      case 0:
        return is(x, y) && !is(x, y - 1);
      case 1:
        return is(x - 1, y) && !is(x, y);
      case 2:
        return is(x - 1, y - 1) && !is(x - 1, y);
      default:
        return is(x, y - 1) && !is(x - 1, y - 1);
    }
  };
  const walked = new Uint8Array((width + 1) * (height + 1));
  const rings: Ring[] = [];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      // Every outline has an edge that goes right.
      if (walked[y * (width + 1) + x] === 1 || !isEdge(x, y, 0)) continue;
      const ring: Point[] = [];
      let [cx, cy, way] = [x, y, 0];
      do {
        if (way === 0) walked[cy * (width + 1) + cx] = 1;
        const [dx, dy] = steps[way] as readonly [number, number];
        cx += dx;
        cy += dy;
        const next = [(way + 1) % 4, way, (way + 3) % 4].find((turn) => isEdge(cx, cy, turn)) ?? way;
        if (next !== way) ring.push({ x: cx + left - 1, y: cy + top - 1 });
        way = next;
      } while (cx !== x || cy !== y || way !== 0);
      rings.push(ring);
    }
  }
  return nested(rings);
}

const signed = (ring: Ring) =>
  ring.reduce((sum, { x, y }, at) => {
    const next = ring[(at + 1) % ring.length] as Point;
    return sum + x * next.y - next.x * y;
  }, 0);

/** Outer outlines run one way round, holes the other; each hole goes to the smallest outline that holds it. */
function nested(rings: readonly Ring[]): Contour[] {
  const outer = rings.filter((ring) => signed(ring) > 0).sort((a, b) => ringArea(a) - ringArea(b));
  const holes = outer.map((): Ring[] => []);
  for (const hole of rings.filter((ring) => signed(ring) < 0)) {
    const [a, b] = [hole[0] as Point, hole[1] as Point];
    // A little to the side of the hole's own edge, where the thing is: corners of holes may lie on other outlines.
    const long = Math.hypot(b.x - a.x, b.y - a.y);
    const at = {
      x: (a.x + b.x) / 2 - ((b.y - a.y) / long) * 0.5,
      y: (a.y + b.y) / 2 + ((b.x - a.x) / long) * 0.5,
    };
    const holder = outer.findIndex((ring) => isInRing(ring, at));
    if (holder >= 0) holes[holder]?.push(hole);
  }
  return outer.map((ring, n): Contour => [ring, ...(holes[n] ?? [])]).reverse();
}
