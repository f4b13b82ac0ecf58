import { describe, expect, it } from 'vitest';
import { contoursOf } from './contours';
import type { Point } from './geometry';
import {
  areaOf,
  areTilesWritten,
  bitsOf,
  boundsOfTiles,
  filledTiles,
  floodTiles,
  holds,
  movedTiles,
  overlapOfTiles,
  painted,
  runsOf,
  strokeTiles,
  TILE_PX,
} from './masks';
import { isInRing, ringArea } from './outlines';

const SIZE = { width: 700, height: 600 };
const ring = (...points: [number, number][]): Point[] => points.map(([x, y]) => ({ x, y }));
const square = (x: number, y: number, side: number) => ring([x, y], [x + side, y], [x + side, y + side], [x, y + side]);
const filled = (...rings: Point[][]) => filledTiles(rings, SIZE);

describe('painted pixels', () => {
  it('are written in one way, which gives the same pixels again', () => {
    const tiles = filled(square(200.2, 100, 300));
    expect(areTilesWritten(tiles)).toBe(true);
    expect(tiles).toHaveLength(4);
    for (const tile of tiles) expect(runsOf(bitsOf(tile))).toEqual(tile.runs);
    expect(areaOf(tiles)).toBe(300 * 300);
    expect(boundsOfTiles(tiles)).toEqual({ left: 200, top: 100, right: 500, bottom: 400 });
    const full = { column: 0, row: 0, runs: [0, TILE_PX * TILE_PX] };
    expect(runsOf(bitsOf(full))).toEqual(full.runs);
    expect(areTilesWritten([full, full])).toBe(false);
  });

  it('are those whose middle an outline holds, without those that a hole holds', () => {
    const tiles = filled(square(10, 10, 40), square(20, 20, 10));
    expect(areaOf(tiles)).toBe(1600 - 100);
    expect(holds(tiles, { x: 15, y: 15 })).toBe(true);
    expect(holds(tiles, { x: 25, y: 25 })).toBe(false);
    expect(holds(tiles, { x: 300, y: 15 })).toBe(false);
  });

  it('are as wide as the brush along its way, and end at the edge of the picture', () => {
    const tiles = strokeTiles(ring([100, 100], [400, 300]), 10, SIZE);
    const long = Math.hypot(300, 200);
    expect(areaOf(tiles)).toBeGreaterThan(20 * long);
    expect(areaOf(tiles)).toBeLessThan(20 * long + Math.PI * 121);
    for (const share of [0, 0.3, 0.7, 1]) {
      const at = { x: 100 + 300 * share, y: 100 + 200 * share };
      expect(holds(tiles, at)).toBe(true);
      expect(holds(tiles, { x: at.x + 9, y: at.y - 12 })).toBe(false);
    }
    expect(boundsOfTiles(strokeTiles(ring([-3, -3], [900, 20]), 10, SIZE))).toMatchObject({
      left: 0,
      top: 0,
      right: 700,
    });
    expect(areaOf(strokeTiles(ring([50.5, 50.5]), 0.5, SIZE))).toBe(1);
  });

  it('change only the tiles they fall in, which an undo then keeps', () => {
    const before = filled(square(10, 10, 500));
    const after = painted(before, strokeTiles(ring([600, 20]), 5, SIZE), false);
    expect(after.filter((tile) => before.includes(tile))).toHaveLength(before.length);
    const erased = painted(before, filled(square(20, 20, 30)), true);
    expect(erased.filter((tile) => !before.includes(tile))).toHaveLength(1);
    expect(areaOf(erased)).toBe(areaOf(before) - 900);
    expect(painted(before, filled(square(100, 100, 20)), false)).toEqual(before);
    expect(painted(before, filled(square(0, 0, 590)), true)).toEqual([]);
  });

  it('overlap by the share of what both hold', () => {
    expect(overlapOfTiles(filled(square(200, 200, 100)), filled(square(250, 200, 100)))).toBeCloseTo(1 / 3);
    expect(overlapOfTiles(filled(square(0, 0, 10)), filled(square(600, 500, 10)))).toBe(0);
  });

  it('move by whole pixels', () => {
    const tiles = filled(square(250, 250, 20));
    expect(movedTiles(tiles, 10, -20, SIZE)).toEqual(filled(square(260, 230, 20)));
  });

  it('are taken by colour as far as it hangs together', () => {
    const [width, height] = [60, 50];
    const data = new Uint8ClampedArray(4 * width * height).fill(20);
    for (let y = 10; y < 30; y += 1)
      for (let x = 10; x < 40; x += 1) data.fill(200 + (x % 3), 4 * (y * width + x), 4 * (y * width + x) + 3);
    const tiles = floodTiles({ data, width, height } as ImageData, { x: 15.5, y: 12.5 }, 4);
    expect(boundsOfTiles(tiles)).toEqual({ left: 10, top: 10, right: 40, bottom: 30 });
    expect(areaOf(tiles)).toBe(600);
    expect(areaOf(floodTiles({ data, width, height } as ImageData, { x: 0, y: 0 }, 4))).toBe(60 * 50 - 600);
  });
});

describe('the outlines of pixels', () => {
  it('go along their edges, around holes and parts apart', () => {
    const found = contoursOf(filled(square(200, 200, 100), square(220, 220, 30), square(400, 400, 10)));
    expect(found).toHaveLength(2);
    const [ringed, part] = found.sort((a, b) => ringArea(b[0]) - ringArea(a[0]));
    expect(ringed?.map(ringArea)).toEqual([10_000, 900]);
    expect(ringed?.[0]).toHaveLength(4);
    expect(part?.map(ringArea)).toEqual([100]);
  });

  it('are two where pixels meet in a corner alone, and give the pixels back', () => {
    const steps = filled(square(10, 10, 5), square(15, 15, 5));
    expect(contoursOf(steps)).toHaveLength(2);
    const blob = painted(
      strokeTiles(ring([100, 100], [300, 180], [120, 300]), 23, SIZE),
      filled(square(140, 140, 9)),
      true,
    );
    const rings = contoursOf(blob).flat();
    expect(filledTiles(rings, SIZE)).toEqual(blob);
    expect(contoursOf([])).toEqual([]);
  });

  it('give each hole to the outline that holds it', () => {
    const nested = filled(square(0, 0, 100), square(10, 10, 80), square(20, 20, 60), square(30, 30, 40));
    const found = contoursOf(nested);
    expect(found.map((part) => part.map(ringArea))).toEqual([
      [10_000, 6400],
      [3600, 1600],
    ]);
    for (const [outer, hole] of found) expect(isInRing(outer, hole?.[0] as Point)).toBe(true);
  });
});
