import { describe, expect, it } from 'vitest';
import type { Point } from './geometry';
import { isFlat, isInRing, meetsItself, overlap, ringArea } from './outlines';

const ring = (...points: [number, number][]): Point[] => points.map(([x, y]) => ({ x, y }));
const square = (x: number, y: number, side: number) => ring([x, y], [x + side, y], [x + side, y + side], [x, y + side]);
/** Corners around a middle: crosses itself nowhere. */
const star = (corners: number, x = 500, y = 500, far = 400): Point[] =>
  Array.from({ length: corners }, (_, at) => {
    const angle = (at / corners) * 2 * Math.PI;
    const reach = far * (at % 2 ? 0.6 : 1);
    return { x: x + reach * Math.cos(angle), y: y + reach * Math.sin(angle) };
  });

describe('an outline', () => {
  it('holds what is inside, notches left out', () => {
    const notched = ring([0, 0], [30, 0], [30, 30], [15, 10], [0, 30]);
    expect(isInRing(notched, { x: 15, y: 5 })).toBe(true);
    expect(isInRing(notched, { x: 15, y: 25 })).toBe(false);
    expect(ringArea(notched)).toBe(600);
    expect(ringArea([...notched].reverse())).toBe(600);
  });

  it.each<[string, Point[], boolean]>([
    ['a square', square(0, 0, 10), false],
    ['a triangle', ring([0, 0], [10, 0], [5, 5]), false],
    ['a corner set twice', ring([0, 0], [10, 0], [10, 0], [5, 5]), false],
    ['its first corner again at the end', ring([0, 0], [10, 0], [5, 5], [0, 0]), false],
    ['a corner on a straight side', ring([0, 0], [5, 0], [10, 0], [5, 5]), false],
    ['sides that cross', ring([0, 0], [10, 10], [10, 0], [0, 10]), true],
    ['a corner on a side of its own', ring([0, 0], [40, 0], [40, 20], [20, 0], [0, 20]), true],
    ['two parts that share a corner', ring([0, 0], [10, 10], [20, 0], [20, 20], [10, 10], [0, 20]), true],
    ['a spike back on itself', ring([0, 0], [20, 0], [30, 0], [20, 0], [20, 20]), true],
    ['a side along another', ring([0, 0], [30, 0], [30, 20], [20, 0], [10, 0], [0, 20]), true],
    ['many corners', star(300), false],
    ['many corners, one pulled across', star(300).map((p, at) => (at === 40 ? { x: 100, y: 480 } : p)), true],
  ])('meets itself or not: %s', (_, points, meets) => {
    expect(meetsItself(points) !== null).toBe(meets);
    expect(meetsItself([...points].reverse()) !== null).toBe(meets);
    const turned = [...points.slice(2), ...points.slice(0, 2)];
    expect(meetsItself(turned) !== null).toBe(meets);
  });

  it('finds the same with few sides as with a tree of many', () => {
    // Random closed paths nearly always cross; the straight way (every pair) is what the tree must agree with.
    let seed = 7;
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed / 2147483648;
    };
    for (let round = 0; round < 40; round += 1) {
      const points = star(40, 500, 500, 400).map(({ x, y }) => ({
        x: x + (random() - 0.5) * 120,
        y: y + (random() - 0.5) * 120,
      }));
      const crossed = points.some((a, one) =>
        points.some((c, other) => {
          const [b, d] = [points[(one + 1) % 40] as Point, points[(other + 1) % 40] as Point];
          if (Math.abs(one - other) <= 1 || Math.abs(one - other) === 39) return false;
          const side = (p: Point, q: Point, r: Point) =>
            Math.sign((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
          return side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b);
        }),
      );
      expect(meetsItself(points) !== null).toBe(crossed);
    }
  });

  it('is flat in one line, or with fewer than three places', () => {
    expect(isFlat(ring([0, 0], [5, 5], [9, 9]))).toBe(true);
    expect(isFlat(ring([3, 3], [3, 3], [3, 3]))).toBe(true);
    expect(isFlat([])).toBe(true);
    expect(isFlat(ring([0, 0], [5, 5], [9, 8]))).toBe(false);
  });

  it('overlaps another by the share of what both hold', () => {
    expect(overlap([square(0, 0, 10)], [square(0, 0, 10)])).toBeCloseTo(1);
    expect(overlap([square(0, 0, 10)], [square(5, 0, 10)])).toBeCloseTo(1 / 3, 2);
    expect(overlap([square(0, 0, 10)], [square(20, 0, 10)])).toBe(0);
    const cup = ring([0, 0], [30, 0], [30, 30], [20, 30], [20, 10], [10, 10], [10, 30], [0, 30]);
    expect(overlap([cup], [square(0, 0, 30)])).toBeCloseTo(700 / 900, 2);
    expect(overlap([cup], [ring([10, 10], [20, 10], [20, 30], [10, 30])])).toBeCloseTo(0, 5);
  });
});
