import { describe, expect, it } from 'vitest';
import type { PolygonShape } from '../../api/types';
import { polygon } from '../shapes/polygon';
import { joined, sliced } from './cutting';

const square = (x: number, y: number, side: number): [number, number][] => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
];
const shape = (points: [number, number][], holes?: [number, number][][]): PolygonShape => ({
  type: 'polygon',
  points,
  ...(holes ? { holes } : {}),
});
const IMAGE = { width: 400, height: 400 };

describe('polygons', () => {
  it('are cut in two along a line, however it bends', () => {
    const whole = shape(square(100, 100, 100), [square(110, 110, 10)]);
    const line = [
      { x: 90, y: 150 },
      { x: 150, y: 160 },
      { x: 210, y: 140 },
    ];
    const found = sliced(whole, line);
    expect(found).not.toBeNull();
    const [one, other] = found as [PolygonShape, PolygonShape];
    expect(polygon.area(one) + polygon.area(other)).toBeCloseTo(polygon.area(whole), 0);
    expect(Math.min(polygon.area(one), polygon.area(other))).toBeGreaterThan(4000);
    for (const half of [one, other]) expect(polygon.faults(half, IMAGE)).toEqual([]);
    expect([...(one.holes ?? []), ...(other.holes ?? [])]).toHaveLength(1);
  });
  it('are cut by a line that begins and ends within them as if it went on', () => {
    const found = sliced(shape(square(100, 100, 100)), [
      { x: 140, y: 120 },
      { x: 140, y: 130 },
    ]);
    expect(found?.map((half) => Math.round(polygon.area(half))).sort()).toEqual([4000, 6000]);
  });
  it('are not cut by a line beside them', () => {
    const beside = [
      { x: 10, y: 10 },
      { x: 10, y: 90 },
    ];
    expect(sliced(shape(square(100, 100, 100)), beside)).toBeNull();
  });
  it('are put together where they meet, and stay parts where they do not', () => {
    const two = joined([shape(square(0, 0, 10)), shape(square(5, 0, 10)), shape(square(100, 100, 10))]);
    expect(two && polygon.area(two)).toBeCloseTo(250);
    expect(two?.parts).toHaveLength(1);
  });
});
