/** Box: an upright or turned rectangle. */
import type { BoxShape } from '../../api/types';
import { msg } from '../../i18n/msg';
import {
  boxBetween,
  centre,
  clampPoint,
  contains,
  HANDLES,
  handlePoint,
  iou,
  knobPoint,
  moved,
  type Point,
  resized,
  rotationTowards,
  type Size,
  snapped,
  turn,
  turnedTo,
} from '../core/geometry';
import { dragged, traced } from './gestures';
import { mixed, turnedBetween } from './moving';
import type { ShapeFace, ShapeFault } from './shape';

const KNOB = 'knob';
/** What Shift snaps a turn to. */
export const SNAP_RAD = Math.PI / 12;
/** Below this many source pixels a drag is a click. */
const SMALLEST_DRAG_PX = 2;
/** Below this a box is a slip of the hand, not an object. */
const SMALLEST_BOX_PX = 1;
/** Half a pixel over the edge is rounding, more is a mistake: the server's own measure. */
const SLACK_PX = 0.5;
const DEGREES = 180 / Math.PI;

type Corner = keyof typeof HANDLES;
const corners = (shape: BoxShape): Point[] =>
  (['nw', 'ne', 'se', 'sw'] as const).map((corner) => handlePoint(shape, corner));

function isInside({ x, y }: Point, image: Size): boolean {
  return x >= -SLACK_PX && y >= -SLACK_PX && x <= image.width + SLACK_PX && y <= image.height + SLACK_PX;
}

/** An upright box lies inside its image; a turned one may hang over the edge, but its centre may not. */
function outside(shape: BoxShape, image: Size): ShapeFault<BoxShape> | null {
  const far = { x: shape.x + shape.w, y: shape.y + shape.h };
  if (shape.rotation_rad) {
    if (isInside(centre(shape), image)) return null;
    return {
      rule: 'box-inside-image',
      message: msg('The centre of this box lies outside the image.'),
      fix: { title: 'Move it inside', shape: moved(shape, 0, 0, image) },
    };
  }
  if (isInside(shape, image) && isInside(far, image)) return null;
  return {
    rule: 'box-inside-image',
    message: msg('This box reaches past the edge of the image.'),
    fix: { title: 'Cut it at the edge', shape: boxBetween(clampPoint(shape, image), clampPoint(far, image)) },
  };
}

export const box: ShapeFace<BoxShape> = {
  type: 'box',
  icon: 'box',
  words: { one: msg('Box'), draw: msg('Draw boxes'), only: msg('“{cls}” is drawn as a box.') },
  key: 'B',
  gesture: dragged((from, to, image) => {
    const shape = boxBetween(clampPoint(from, image), clampPoint(to, image));
    return Math.max(shape.w, shape.h) < SMALLEST_DRAG_PX || Math.min(shape.w, shape.h) < 1 ? null : shape;
  }),
  ways: [
    {
      id: 'extremes',
      icon: 'extremes',
      title: msg('Draw a box by its four extreme points'),
      key: 'Shift+B',
      hint: msg('Click the highest, lowest, leftmost and rightmost point of the thing, in any order.'),
      gesture: traced({ least: 4, most: 4 }, (places) => {
        const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
        const shape = boxBetween(
          { x: Math.min(...xs), y: Math.min(...ys) },
          { x: Math.max(...xs), y: Math.max(...ys) },
        );
        return Math.min(shape.w, shape.h) < 1 ? null : shape;
      }),
    },
  ],
  bounds: (shape) => {
    const around = shape.rotation_rad ? corners(shape) : [shape, { x: shape.x + shape.w, y: shape.y + shape.h }];
    const xs = around.map(({ x }) => x);
    const ys = around.map(({ y }) => y);
    return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
  },
  size: ({ w, h }) => ({ width: w, height: h }),
  area: (shape) => shape.w * shape.h,
  hit: contains,
  handles: (shape, arm_px) => [
    ...(Object.keys(HANDLES) as Corner[]).map((id) => ({ id, at: handlePoint(shape, id) })),
    { id: KNOB, at: knobPoint(shape, arm_px), arm: handlePoint(shape, 'n') },
  ],
  dragged: (shape, handle, to, image, snaps) => {
    if (handle !== KNOB) return resized(shape, handle as Corner, to, image);
    const angle_rad = rotationTowards(shape, to);
    return turnedTo(shape, snaps ? snapped(angle_rad, SNAP_RAD) : angle_rad);
  },
  moved,
  stretched: (shape, dx, dy, image) => {
    const corner = handlePoint(shape, 'se');
    // To the right of the box, as it stands: a turned box grows along its own sides.
    const step = turn({ x: dx, y: dy }, { x: 0, y: 0 }, shape.rotation_rad ?? 0);
    return resized(shape, 'se', { x: corner.x + step.x, y: corner.y + step.y }, image);
  },
  turn: { of: (shape) => shape.rotation_rad ?? 0, to: turnedTo },
  middle: ({ width, height }) => ({
    type: 'box',
    x: width * 0.375,
    y: height * 0.375,
    w: width / 4,
    h: height / 4,
  }),
  paths: (shape) => [{ points: corners(shape), closed: true }],
  rings: (shape) => [corners(shape)],
  corners,
  pose: 'outline',
  anchor: (shape) => handlePoint(shape, 'nw'),
  measure: (shape) => {
    const turned = shape.rotation_rad ? ` · ${Math.round(shape.rotation_rad * DEGREES * 10) / 10}°` : '';
    return `${Math.round(shape.w)} × ${Math.round(shape.h)}${turned}`;
  },
  between: (a, b, share) => ({
    ...a,
    x: mixed(a.x, b.x, share),
    y: mixed(a.y, b.y, share),
    w: mixed(a.w, b.w, share),
    h: mixed(a.h, b.h, share),
    ...(a.rotation_rad || b.rotation_rad
      ? { rotation_rad: turnedBetween(a.rotation_rad ?? 0, b.rotation_rad ?? 0, share) }
      : {}),
  }),
  similarity: iou,
  reach_px: 0,
  twin_at: 0.95,
  faults: (shape, image) => {
    const found: ShapeFault<BoxShape>[] = [];
    if (shape.w < SMALLEST_BOX_PX || shape.h < SMALLEST_BOX_PX) {
      found.push({
        rule: 'box-not-tiny',
        message: msg('This box is smaller than a pixel.'),
        fix: { title: 'Delete it', shape: null },
      });
    }
    const out = outside(shape, image);
    return out ? [...found, out] : found;
  },
};
