/** Holes and parts: drawn onto an outline, held by its handles, refused where they have nothing to do with it. */
import { describe, expect, it } from 'vitest';
import type { PolygonShape } from '../../api/types';
import { wayOf } from '.';
import { polygon } from './polygon';

const IMAGE = { width: 400, height: 300 };
const square = (x: number, y: number, side: number): [number, number][] => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
];
const plain = (points: [number, number][]): PolygonShape => ({ type: 'polygon', points });
const lake = plain(square(10, 10, 100));
const onto = (way: string, shape: PolygonShape, drawn: PolygonShape) =>
  wayOf('polygon', way)?.onto?.(shape, drawn, IMAGE);

describe('an outline with holes and parts', () => {
  const ringed = onto('hole', lake, plain(square(30, 30, 20))) as PolygonShape;
  const both = onto('part', ringed, plain(square(200, 10, 50))) as PolygonShape;

  it('has the hole in the part that holds it', () => {
    expect(ringed.holes).toEqual([square(30, 30, 20)]);
    expect(polygon.area(ringed)).toBe(10_000 - 400);
    const second = onto('hole', both, plain(square(210, 20, 10))) as PolygonShape;
    expect(second.parts?.[0]?.holes).toEqual([square(210, 20, 10)]);
    expect(polygon.hit(both, { x: 40, y: 40 }, 1)).toBe(false);
    expect(polygon.hit(both, { x: 220, y: 40 }, 1)).toBe(true);
    expect(polygon.faults(second, IMAGE)).toEqual([]);
  });
  it('takes no hole that crosses it, lies outside or in another hole, and no part that meets it', () => {
    for (const hole of [square(90, 90, 40), square(200, 200, 10), square(35, 35, 5)])
      expect(onto('hole', ringed, plain(hole))).toBeNull();
    expect(onto('part', ringed, plain(square(90, 90, 40)))).toBeNull();
    // An island in the lake is a part.
    expect(onto('part', ringed, plain(square(35, 35, 5)))).not.toBeNull();
  });
  it('is held by the corners of each of its outlines', () => {
    const dragged = polygon.dragged(both, 'corner:1.0', { x: 28, y: 29 }, IMAGE, false);
    expect(dragged.holes?.[0]?.[0]).toEqual([28, 29]);
    expect(dragged.points).toEqual(both.points);
    const pulled = polygon.dragged(both, 'middle:2.0', { x: 225, y: 5 }, IMAGE, false);
    expect(pulled.parts?.[0]?.points).toHaveLength(5);
    const ids = polygon.handles(both, 1).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
  it('loses a hole of three corners with one of them', () => {
    const three = onto(
      'hole',
      lake,
      plain([
        [30, 30],
        [50, 30],
        [50, 50],
      ]),
    ) as PolygonShape;
    expect(polygon.dropped?.(three, 'corner:1.2')?.holes).toBeUndefined();
    expect(polygon.dropped?.(lake, 'corner:3')?.points).toHaveLength(3);
  });
  it('is written as before where there are none', () => {
    expect(Object.keys(polygon.moved(lake, 5, 5, IMAGE)).sort()).toEqual(['points', 'type']);
  });
});
