/** Outlines: closed rings of points, in source pixels; the last is joined to the first. */
import Flatbush from 'flatbush';
import type { Point } from './geometry';

export type Ring = readonly Point[];

/** Fewer sides than this are compared each with each. */
const FEW_SIDES = 24;
/** Lines of the scan by which two outlines are compared. */
const SCAN_LINES = 96;

export function ringArea(ring: Ring): number {
  const twice = ring.reduce((sum, { x, y }, at) => {
    const next = ring[(at + 1) % ring.length] as Point;
    return sum + x * next.y - next.x * y;
  }, 0);
  return Math.abs(twice) / 2;
}

export function isInRing(ring: Ring, { x, y }: Point): boolean {
  let inside = false;
  ring.forEach((a, at) => {
    const b = ring[(at + 1) % ring.length] as Point;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  });
  return inside;
}

/** Without corners that are set twice in a row, the first again at the end among them. */
function distinct(ring: Ring): Point[] {
  return ring.filter((point, at) => {
    const before = ring[(at + ring.length - 1) % ring.length] as Point;
    return ring.length === 1 || point.x !== before.x || point.y !== before.y;
  });
}

/** Which way one turns at b on the way from a to c: the sign tells the side, 0 is straight on or back. */
const bend = (a: Point, b: Point, c: Point) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);

function isBetween(a: Point, b: Point, at: Point): boolean {
  return (
    Math.min(a.x, b.x) <= at.x && at.x <= Math.max(a.x, b.x) && Math.min(a.y, b.y) <= at.y && at.y <= Math.max(a.y, b.y)
  );
}

/** Whether two sides have a point in common, an end of one among them. */
function meet(a: Point, b: Point, c: Point, d: Point): boolean {
  const [ofC, ofD, ofA, ofB] = [bend(a, b, c), bend(a, b, d), bend(c, d, a), bend(c, d, b)];
  if (((ofC > 0 && ofD < 0) || (ofC < 0 && ofD > 0)) && ((ofA > 0 && ofB < 0) || (ofA < 0 && ofB > 0))) return true;
  return (
    (ofC === 0 && isBetween(a, b, c)) ||
    (ofD === 0 && isBetween(a, b, d)) ||
    (ofA === 0 && isBetween(c, d, a)) ||
    (ofB === 0 && isBetween(c, d, b))
  );
}

/** The corner at which an outline first meets itself (crosses, touches, or goes back on itself); null where it does not. */
export function meetsItself(ring: Ring): Point | null {
  const corners = distinct(ring);
  const count = corners.length;
  const corner = (at: number) => corners[at % count] as Point;
  for (let at = 0; at < count; at += 1) {
    const [a, b, c] = [corner(at), corner(at + 1), corner(at + 2)];
    const goesBack = bend(a, b, c) === 0 && (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y) < 0;
    if (goesBack) return b;
  }
  if (count < 4) return null;
  const isFault = (one: number, other: number) => {
    const steps = (other - one + count) % count;
    // Neighbours share a corner; that they go back on each other was asked above.
    if (steps <= 1 || steps === count - 1) return false;
    return meet(corner(one), corner(one + 1), corner(other), corner(other + 1));
  };
  if (count < FEW_SIDES) {
    for (let one = 0; one < count; one += 1)
      for (let other = one + 2; other < count; other += 1) if (isFault(one, other)) return corner(one);
    return null;
  }
  const tree = new Flatbush(count);
  const sides = corners.map((a, at) => {
    const b = corner(at + 1);
    return [Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y)] as const;
  });
  for (const side of sides) tree.add(...side);
  tree.finish();
  for (const [one, side] of sides.entries()) {
    let found = false;
    tree.search(...side, (other) => {
      if (!found && other > one) found = isFault(one, other);
      return false;
    });
    if (found) return corner(one);
  }
  return null;
}

/** Whether all its corners lie in one line (or there are fewer than three). */
export function isFlat(ring: Ring): boolean {
  const corners = distinct(ring);
  const [a] = corners;
  const b = corners.find((point) => a && (point.x !== a.x || point.y !== a.y));
  return !a || !b || corners.every((point) => bend(a, b, point) === 0);
}

/** Where a horizontal line enters and leaves what outlines hold together (even and odd), in order. */
export function spansAt(rings: readonly Ring[], y: number): number[] {
  const found: number[] = [];
  for (const ring of rings) {
    ring.forEach((a, at) => {
      const b = ring[(at + 1) % ring.length] as Point;
      if (a.y > y !== b.y > y) found.push(((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x);
    });
  }
  return found.sort((a, b) => a - b);
}

function spannedBy(spans: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at + 1 < spans.length; at += 2) sum += (spans[at + 1] as number) - (spans[at] as number);
  return sum;
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0, j = 0; i + 1 < a.length && j + 1 < b.length; ) {
    const [from, to] = [Math.max(a[i] as number, b[j] as number), Math.min(a[i + 1] as number, b[j + 1] as number)];
    if (to > from) sum += to - from;
    if ((a[i + 1] as number) < (b[j + 1] as number)) i += 2;
    else j += 2;
  }
  return sum;
}

/** Intersection over union of what outlines hold, 0..1, measured along the lines of a scan. */
export function overlap(a: readonly Ring[], b: readonly Ring[]): number {
  let [top, bottom] = [Infinity, -Infinity];
  for (const ring of [...a, ...b]) {
    for (const { y } of ring) {
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  const step = (bottom - top) / SCAN_LINES;
  let common = 0;
  let either = 0;
  for (let line = 0; line < SCAN_LINES; line += 1) {
    const y = top + (line + 0.5) * step;
    const [first, second] = [spansAt(a, y), spansAt(b, y)];
    const both = commonLength(first, second);
    common += both;
    either += spannedBy(first) + spannedBy(second) - both;
  }
  return either > 0 ? common / either : 0;
}

const boxOf = (ring: Ring) => {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of ring) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return { left, top, right, bottom };
};

/** Whether two outlines have a point in common. */
export function ringsMeet(a: Ring, b: Ring): boolean {
  const [one, other] = [boxOf(a), boxOf(b)];
  if (one.left > other.right || other.left > one.right || one.top > other.bottom || other.top > one.bottom)
    return false;
  return a.some((from, at) => {
    const to = a[(at + 1) % a.length] as Point;
    if (Math.max(from.y, to.y) < other.top || Math.min(from.y, to.y) > other.bottom) return false;
    return b.some((c, next) => meet(from, to, c, b[(next + 1) % b.length] as Point));
  });
}

/** How far a place is from the side between two others. */
export function distanceToSide(a: Point, b: Point, { x, y }: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const long = dx * dx + dy * dy;
  const share = long > 0 ? Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / long)) : 0;
  return Math.hypot(a.x + share * dx - x, a.y + share * dy - y);
}

/** The line in fewer points, none of which lies further off than `slack` (Douglas and Peucker, 1973); its ends stay. */
export function simplerLine(line: readonly Point[], slack: number): Point[] {
  const kept = new Uint8Array(line.length).fill(0);
  kept[0] = kept[line.length - 1] = 1;
  const open: [number, number][] = [[0, line.length - 1]];
  for (let span = open.pop(); span; span = open.pop()) {
    const [from, till] = span;
    let [far, at] = [slack, -1];
    for (let between = from + 1; between < till; between += 1) {
      const off = distanceToSide(line[from] as Point, line[till] as Point, line[between] as Point);
      if (off > far) [far, at] = [off, between];
    }
    if (at < 0) continue;
    kept[at] = 1;
    open.push([from, at], [at, till]);
  }
  return line.filter((_, at) => kept[at]);
}

/** The same of a closed outline; as it was where too little of it would be left. */
export function simplerRing(ring: Ring, slack: number): Ring {
  const first = ring[0];
  if (!first || ring.length < 4) return ring;
  // From its first corner to the one furthest from it and back: both are corners of any outline.
  let half = 0;
  ring.forEach((point, at) => {
    const before = ring[half] as Point;
    if (Math.hypot(point.x - first.x, point.y - first.y) > Math.hypot(before.x - first.x, before.y - first.y))
      half = at;
  });
  const there = simplerLine(ring.slice(0, half + 1), slack);
  const back = simplerLine([...ring.slice(half), first], slack);
  const found = [...there.slice(0, -1), ...back.slice(0, -1)];
  return found.length >= 3 && !isFlat(found) && !meetsItself(found) ? found : ring;
}

/** How long a line is, px. */
export function lengthOf(line: readonly Point[]): number {
  return line.slice(1).reduce((sum, { x, y }, n) => {
    const before = line[n] as Point;
    return sum + Math.hypot(x - before.x, y - before.y);
  }, 0);
}
