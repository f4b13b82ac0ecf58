/** The plane of a picture. Where it lies on the screen: screen = image * scale + offset, both in CSS pixels. */

import { clamp, type Point, type Size } from '../core/geometry';
import type { Space } from './space';

export interface Viewport {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export const MAX_SCALE = 64;
const FIT_MARGIN_PX = 24;
/** Small pictures are enlarged to be seen, but not so far that a digit fills a wall. */
const MAX_FIT_SCALE = 24;

/** The whole image, centred, with a margin. */
export function fitted(image: Size, screen: Size): Viewport {
  const room = { width: screen.width - 2 * FIT_MARGIN_PX, height: screen.height - 2 * FIT_MARGIN_PX };
  const scale = clamp(Math.min(room.width / image.width, room.height / image.height), 0.001, MAX_FIT_SCALE);
  return {
    scale,
    x: (screen.width - image.width * scale) / 2,
    y: (screen.height - image.height * scale) / 2,
  };
}

export function toImage(view: Viewport, screen: Point): Point {
  return { x: (screen.x - view.x) / view.scale, y: (screen.y - view.y) / view.scale };
}

export function toScreen(view: Viewport, image: Point): Point {
  return { x: image.x * view.scale + view.x, y: image.y * view.scale + view.y };
}

/** Zooms by `factor`, the image point under `at` (screen) staying where it is. */
export function zoomAt(view: Viewport, at: Point, factor: number, minScale: number): Viewport {
  const scale = clamp(view.scale * factor, Math.min(minScale, view.scale), MAX_SCALE);
  const under = toImage(view, at);
  return { scale, x: at.x - under.x * scale, y: at.y - under.y * scale };
}

export function pan(view: Viewport, dx: number, dy: number): Viewport {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** The view after two fingers went from `before` to `after` (screen pixels): what was under them stays under them. */
export function pinched(
  view: Viewport,
  before: readonly [Point, Point],
  after: readonly [Point, Point],
  least: number,
): Viewport {
  const middle = ([a, b]: readonly [Point, Point]): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const apart = ([a, b]: readonly [Point, Point]) => Math.hypot(a.x - b.x, a.y - b.y);
  const from = middle(before);
  const to = middle(after);
  const zoomed = zoomAt(view, from, apart(before) > 0 ? apart(after) / apart(before) : 1, least);
  return pan(zoomed, to.x - from.x, to.y - from.y);
}

/** A hundredth of the screen's pixels is as far away as anybody looks from. */
const LEAST_SCALE = 0.02;

export const plane: Space<Viewport, Point, Size> = {
  fitted,
  toItem: toImage,
  toScreen,
  zoomed: (view, at, factor) => zoomAt(view, at, factor, LEAST_SCALE),
  panned: pan,
  pinched: (view, before, after) => pinched(view, before, after, LEAST_SCALE),
};
