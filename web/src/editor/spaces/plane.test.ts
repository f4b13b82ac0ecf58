import { describe, expect, it } from 'vitest';
import { fitted, MAX_SCALE, pan, pinched, toImage, toScreen, zoomAt } from './plane';

const screen = { width: 800, height: 600 };
const image = { width: 400, height: 100 };

describe('the viewport', () => {
  it('fits the whole image in the middle', () => {
    const view = fitted(image, screen);
    const middle = toScreen(view, { x: 200, y: 50 });
    expect(middle.x).toBeCloseTo(400);
    expect(middle.y).toBeCloseTo(300);
    expect(toScreen(view, { x: 0, y: 0 }).x).toBeGreaterThanOrEqual(0);
  });

  it('keeps the point under the pointer when it zooms', () => {
    const view = fitted(image, screen);
    const at = { x: 123, y: 321 };
    const under = toImage(view, at);
    const closer = zoomAt(view, at, 3, 0.01);
    expect(toImage(closer, at).x).toBeCloseTo(under.x);
    expect(toImage(closer, at).y).toBeCloseTo(under.y);
    expect(closer.scale).toBeCloseTo(view.scale * 3);
  });

  it('keeps what is under two fingers under them as they move apart and along', () => {
    const view = fitted(image, screen);
    const before = [
      { x: 300, y: 300 },
      { x: 400, y: 300 },
    ] as const;
    const after = [
      { x: 280, y: 340 },
      { x: 480, y: 340 },
    ] as const;
    const next = pinched(view, before, after, 0.01);
    expect(next.scale).toBeCloseTo(view.scale * 2);
    for (const at of [0, 1] as const) {
      expect(toImage(next, after[at]).x).toBeCloseTo(toImage(view, before[at]).x);
      expect(toImage(next, after[at]).y).toBeCloseTo(toImage(view, before[at]).y);
    }
    expect(pinched(view, [before[0], before[0]], after, 0.01).scale).toBe(view.scale);
  });

  it('does not zoom past its limits', () => {
    const view = fitted(image, screen);
    expect(zoomAt(view, { x: 0, y: 0 }, 1e9, 0.01).scale).toBe(MAX_SCALE);
    expect(zoomAt(view, { x: 0, y: 0 }, 1e-9, 0.01).scale).toBe(0.01);
  });

  it('pans by screen pixels', () => {
    const view = fitted(image, screen);
    expect(toScreen(pan(view, 10, -5), { x: 0, y: 0 }).x).toBeCloseTo(toScreen(view, { x: 0, y: 0 }).x + 10);
  });
});
