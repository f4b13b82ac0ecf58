import { describe, expect, it } from 'vitest';
import { IMAGE } from '../testing';
import {
  boxBetween,
  centre,
  contains,
  handlePoint,
  iou,
  knobPoint,
  moved,
  resized,
  rotationTowards,
  snapped,
  turn,
  turnedTo,
} from './geometry';

const square = { type: 'box' as const, x: 10, y: 10, w: 20, h: 20 };

describe('boxes in the plane', () => {
  it('are the same whichever corner a drag begins at', () => {
    expect(boxBetween({ x: 30, y: 5 }, { x: 10, y: 25 })).toEqual({ type: 'box', x: 10, y: 5, w: 20, h: 20 });
  });

  it('stop at the edge of the image when moved', () => {
    expect(moved(square, 1000, -1000, IMAGE)).toMatchObject({ x: 180, y: 0, w: 20, h: 20 });
  });

  it('turn over when a handle is dragged past the other side', () => {
    expect(resized(square, 'e', { x: 2, y: 0 }, IMAGE)).toMatchObject({ x: 2, w: 8, y: 10, h: 20 });
  });

  it('keep the opposite corner still when a turned box is resized', () => {
    const turned = { ...square, rotation_rad: 0.6 };
    const held = handlePoint(turned, 'nw');
    const next = resized(turned, 'se', { x: 45, y: 48 }, IMAGE);
    expect(handlePoint(next, 'nw').x).toBeCloseTo(held.x, 1);
    expect(handlePoint(next, 'nw').y).toBeCloseTo(held.y, 1);
    expect(handlePoint(next, 'se').x).toBeCloseTo(45, 1);
    expect(handlePoint(next, 'se').y).toBeCloseTo(48, 1);
  });

  it('contain points in their own frame', () => {
    const diamond = { ...square, rotation_rad: Math.PI / 4 };
    expect(contains(square, { x: 11, y: 11 })).toBe(true);
    expect(contains(diamond, { x: 11, y: 11 })).toBe(false);
    expect(contains(diamond, { x: 20, y: 7 })).toBe(true);
  });

  it('turn a point around and back', () => {
    const there = turn({ x: 3, y: 4 }, centre(square), 1.1);
    const back = turn(there, centre(square), -1.1);
    expect(back.x).toBeCloseTo(3);
    expect(back.y).toBeCloseTo(4);
  });

  it('overlap by their share of the union', () => {
    expect(iou(square, square)).toBe(1);
    expect(iou(square, { ...square, x: 20 })).toBeCloseTo(1 / 3);
    expect(iou(square, { ...square, x: 100 })).toBe(0);
  });
});

describe('turned boxes', () => {
  const long = { type: 'box' as const, x: 40, y: 40, w: 40, h: 20 };

  it('point their top at the knob, whatever their angle', () => {
    for (const angle_rad of [-2.5, -Math.PI / 2, 0.3, 1.2, 3]) {
      const box = turnedTo(long, angle_rad);
      expect(rotationTowards(box, knobPoint(box, 12))).toBeCloseTo(angle_rad, 3);
    }
    expect(rotationTowards(long, knobPoint(long, 12))).toBeCloseTo(0, 6);
  });

  it('snap to the nearest step, the same to the left and to the right', () => {
    const step = Math.PI / 12;
    expect(snapped(0.3, step)).toBeCloseTo(step, 6);
    expect(snapped(-0.3, step)).toBeCloseTo(-step, 6);
    expect(snapped(0.1, step)).toBe(0);
  });

  it('keep their centre within the image when moved', () => {
    const box = turnedTo(long, 0.5);
    const away = centre(moved(box, 1000, -1000, IMAGE));
    expect(away.x).toBeCloseTo(IMAGE.width);
    expect(away.y).toBeCloseTo(0);
  });

  it('overlap as polygons do', () => {
    const square = { type: 'box' as const, x: 0, y: 0, w: 10, h: 10 };
    expect(iou(turnedTo(long, 0.7), turnedTo(long, 0.7))).toBeCloseTo(1, 6);
    // A square and itself turned by an eighth share a regular octagon: 2 (sqrt 2 - 1) of its area.
    const shared = 2 * (Math.SQRT2 - 1);
    expect(iou(square, turnedTo(square, Math.PI / 4))).toBeCloseTo(shared / (2 - shared), 3);
    expect(iou(turnedTo(square, 0.4), { ...square, x: 40 })).toBe(0);
    expect(iou(square, turnedTo(square, Math.PI / 2))).toBeCloseTo(1, 3);
  });
});
