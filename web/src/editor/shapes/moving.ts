/**
 * How lines and outlines go over into each other between two keyframes: the server's own way (`labels/shapes/moving.py`),
 * held together by the same cases.
 */
import type { Point } from '../core/geometry';

type Ring = readonly (readonly [number, number])[];

/** Places along each of two outlines that have no counterparts, where neither has more. */
const SAMPLES = 64;

export const mixed = (a: number, b: number, share: number): number => a + (b - a) * share;

/** Between two angles, the shorter way round; `period_rad`: after which the shape looks the same. */
export function turnedBetween(a_rad: number, b_rad: number, share: number, period_rad = 2 * Math.PI): number {
  const way = (((b_rad - a_rad) % period_rad) + period_rad) % period_rad;
  return a_rad + (way > period_rad / 2 ? way - period_rad : way) * share;
}

const pointed = (ring: Ring): Point[] => ring.map(([x, y]) => ({ x, y }));
const paired = (points: readonly Point[]): [number, number][] => points.map(({ x, y }) => [x, y]);

function each(a: readonly Point[], b: readonly Point[], share: number): Point[] {
  return a.map(({ x, y }, at) => ({ x: mixed(x, b[at]?.x ?? x, share), y: mixed(y, b[at]?.y ?? y, share) }));
}

/** So many places in equal steps from the first to the last. */
function walked(points: readonly Point[], samples: number): Point[] {
  const gone = [0];
  for (let at = 1; at < points.length; at += 1) {
    const [from, to] = [points[at - 1] as Point, points[at] as Point];
    gone.push((gone[at - 1] ?? 0) + Math.hypot(to.x - from.x, to.y - from.y));
  }
  const total = gone.at(-1) ?? 0;
  const out: Point[] = [];
  let at = 0;
  for (let n = 0; n < samples; n += 1) {
    const wanted = (total * n) / (samples - 1);
    while (at < points.length - 2 && (gone[at + 1] ?? 0) < wanted) at += 1;
    const [from, to] = [points[at] as Point, (points[at + 1] ?? points[at]) as Point];
    const length = (gone[at + 1] ?? 0) - (gone[at] ?? 0);
    const share = length > 0 ? Math.min(1, (wanted - (gone[at] ?? 0)) / length) : 0;
    out.push({ x: mixed(from.x, to.x, share), y: mixed(from.y, to.y, share) });
  }
  return out;
}

const apart = (a: readonly Point[], b: readonly Point[], start = 0): number =>
  a.reduce((sum, { x, y }, at) => {
    const other = b[(at + start) % b.length] as Point;
    return sum + (x - other.x) ** 2 + (y - other.y) ** 2;
  }, 0);

const signed = (ring: readonly Point[]): number =>
  ring.reduce((sum, { x, y }, at) => {
    const next = ring[(at + 1) % ring.length] as Point;
    return sum + x * next.y - next.x * y;
  }, 0);

/** Of open lines. */
export function lineBetween(a: Ring, b: Ring, share: number): [number, number][] {
  if (a.length === b.length) return paired(each(pointed(a), pointed(b), share));
  const samples = Math.max(SAMPLES, a.length, b.length);
  const first = walked(pointed(a), samples);
  const second = walked(pointed(b), samples);
  const back = [...second].reverse();
  return paired(each(first, apart(first, back) < apart(first, second) ? back : second, share));
}

/** Of closed outlines. */
export function ringBetween(a: Ring, b: Ring, share: number): [number, number][] {
  if (a.length === b.length) return paired(each(pointed(a), pointed(b), share));
  const samples = Math.max(SAMPLES, a.length, b.length);
  const closed = (ring: Ring) =>
    walked(pointed([...ring, ring[0] as readonly [number, number]]), samples + 1).slice(0, -1);
  const first = closed(a);
  let second = closed(b);
  if (signed(first) * signed(second) < 0) second = [...second].reverse();
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let start = 0; start < samples; start += 1) {
    const cost = apart(first, second, start);
    if (cost < least) [best, least] = [start, cost];
  }
  const turned = second.map((_, at) => second[(at + best) % samples] as Point);
  return paired(each(first, turned, share));
}
