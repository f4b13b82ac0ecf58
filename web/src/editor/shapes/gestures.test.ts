/** The machines by themselves, with shapes that the product has yet to bring. */
import { describe, expect, it } from 'vitest';
import type { BoxShape } from '../../api/types';
import { boxBetween, type Point } from '../core/geometry';
import { type Sketch, traced } from './gestures';

const IMAGE = { width: 200, height: 100 };
const to = (x: number, y: number, reach_px = 4) => ({ at: { x, y }, image: IMAGE, reach_px });

function clicked(
  gesture: {
    begin: (p: ReturnType<typeof to>) => Sketch;
    extend: (s: Sketch, by: 'press', p: ReturnType<typeof to>) => Sketch | null;
  },
  first: [number, number],
  ...rest: [number, number][]
): Sketch {
  return rest.reduce<Sketch>(
    (sketch, [x, y]) => gesture.extend(sketch, 'press', to(x, y)) ?? sketch,
    gesture.begin(to(...first)),
  );
}

describe('a shape of a fixed number of clicks', () => {
  /** The four extreme points of a thing, in any order, make its box. */
  const extremes = traced<BoxShape>({ least: 4, most: 4 }, (places: readonly Point[]) => {
    const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
    return boxBetween({ x: Math.min(...xs), y: Math.min(...ys) }, { x: Math.max(...xs), y: Math.max(...ys) });
  });

  it('is done with the last of them, without a key', () => {
    const three = clicked(extremes, [50, 10], [90, 40], [40, 80]);
    expect(three.done).toBe(false);
    expect(extremes.shape(three, null, IMAGE)).toBeNull();
    const four = clicked(extremes, [50, 10], [90, 40], [40, 80], [20, 30]);
    expect(four.done).toBe(true);
    expect(extremes.shape(four, null, IMAGE)).toEqual({ type: 'box', x: 20, y: 10, w: 70, h: 70 });
  });
  it('shows what the pointer would make of it', () => {
    const three = clicked(extremes, [50, 10], [90, 40], [40, 80]);
    expect(extremes.shape(three, { x: 20, y: 30 }, IMAGE)).toEqual({ type: 'box', x: 20, y: 10, w: 70, h: 70 });
  });
  it('cannot be ended before, and keeps its places inside the image', () => {
    expect(extremes.finish(clicked(extremes, [50, 10], [90, 40]))).toBeNull();
    expect(clicked(extremes, [-50, 10], [290, 140]).places).toEqual([
      { x: 0, y: 10 },
      { x: 200, y: 100 },
    ]);
  });
});
