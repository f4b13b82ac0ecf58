/** Ellipse: by the rectangle around it before it is turned, dragged and turned as a box is. */
import type { BoxShape, EllipseShape } from '../../api/types';
import { msg } from '../../i18n/msg';
import {
  boxBetween,
  clamp,
  clampPoint,
  HANDLES,
  handlePoint,
  knobPoint,
  type Point,
  resized,
  rotationTowards,
  roundPx,
  type Size,
  snapped,
  toBoxFrame,
  turn,
  turnedTo,
} from '../core/geometry';
import { overlap } from '../core/outlines';
import { SNAP_RAD } from './box';
import { dragged } from './gestures';
import { mixed, turnedBetween } from './moving';
import type { ShapeFace, ShapeFault } from './shape';

const KNOB = 'knob';
const SIDES = 64;
const SMALLEST_DRAG_PX = 2;
const SLACK_PX = 0.5;
const DEGREES = 180 / Math.PI;

const boxOf = ({ x, y, rx, ry, rotation_rad }: EllipseShape): BoxShape => ({
  type: 'box',
  x: x - rx,
  y: y - ry,
  w: 2 * rx,
  h: 2 * ry,
  ...(rotation_rad ? { rotation_rad } : {}),
});
const within = ({ x, y, w, h, rotation_rad }: BoxShape): EllipseShape => ({
  type: 'ellipse',
  x: roundPx(x + w / 2),
  y: roundPx(y + h / 2),
  rx: roundPx(w / 2),
  ry: roundPx(h / 2),
  ...(rotation_rad ? { rotation_rad } : {}),
});

function around({ x, y, rx, ry, rotation_rad = 0 }: EllipseShape): Point[] {
  return Array.from({ length: SIDES }, (_, n) => {
    const angle = (2 * Math.PI * n) / SIDES;
    return turn({ x: x + rx * Math.cos(angle), y: y + ry * Math.sin(angle) }, { x, y }, rotation_rad);
  });
}

function moved(shape: EllipseShape, dx: number, dy: number, image: Size): EllipseShape {
  return {
    ...shape,
    x: roundPx(clamp(shape.x + dx, 0, image.width)),
    y: roundPx(clamp(shape.y + dy, 0, image.height)),
  };
}

const isOutside = ({ x, y }: EllipseShape, image: Size) => {
  const inside = clampPoint({ x, y }, image);
  return Math.abs(x - inside.x) > SLACK_PX || Math.abs(y - inside.y) > SLACK_PX;
};

export const ellipse: ShapeFace<EllipseShape> = {
  type: 'ellipse',
  icon: 'ellipse',
  words: { one: msg('Ellipse'), draw: msg('Draw ellipses'), only: msg('“{cls}” is drawn as an ellipse.') },
  key: 'E',
  gesture: dragged((from, to, image) => {
    const box = boxBetween(clampPoint(from, image), clampPoint(to, image));
    return Math.max(box.w, box.h) < SMALLEST_DRAG_PX || Math.min(box.w, box.h) < 1 ? null : within(box);
  }),
  bounds: ({ x, y, rx, ry, rotation_rad = 0 }) => {
    const [cos, sin] = [Math.cos(rotation_rad), Math.sin(rotation_rad)];
    const [w, h] = [Math.hypot(rx * cos, ry * sin), Math.hypot(rx * sin, ry * cos)];
    return { left: x - w, top: y - h, right: x + w, bottom: y + h };
  },
  size: ({ rx, ry }) => ({ width: 2 * rx, height: 2 * ry }),
  area: ({ rx, ry }) => Math.PI * rx * ry,
  hit: (shape, at) => {
    const box = boxOf(shape);
    const local = toBoxFrame(box, at);
    return ((local.x - shape.x) / shape.rx) ** 2 + ((local.y - shape.y) / shape.ry) ** 2 <= 1;
  },
  handles: (shape, arm_px) => {
    const box = boxOf(shape);
    return [
      ...(Object.keys(HANDLES) as (keyof typeof HANDLES)[]).map((id) => ({ id, at: handlePoint(box, id) })),
      { id: KNOB, at: knobPoint(box, arm_px), arm: handlePoint(box, 'n') },
    ];
  },
  dragged: (shape, handle, to, image, snaps) => {
    const box = boxOf(shape);
    if (handle !== KNOB) return within(resized(box, handle as keyof typeof HANDLES, to, image));
    const angle_rad = rotationTowards(box, to);
    return within(turnedTo(box, snaps ? snapped(angle_rad, SNAP_RAD) : angle_rad));
  },
  moved,
  stretched: (shape, dx, dy, image) => {
    const box = boxOf(shape);
    const corner = handlePoint(box, 'se');
    const step = turn({ x: dx, y: dy }, { x: 0, y: 0 }, shape.rotation_rad ?? 0);
    return within(resized(box, 'se', { x: corner.x + step.x, y: corner.y + step.y }, image));
  },
  turn: {
    of: ({ rotation_rad }) => rotation_rad ?? 0,
    to: (shape, angle_rad) => within(turnedTo(boxOf(shape), angle_rad)),
  },
  middle: ({ width, height }) => ({
    type: 'ellipse',
    x: width / 2,
    y: height / 2,
    rx: width / 8,
    ry: height / 8,
  }),
  paths: (shape) => [{ points: around(shape), closed: true }],
  pose: 'outline',
  rings: (shape) => [around(shape)],
  anchor: (shape) => handlePoint(boxOf(shape), 'n'),
  measure: ({ rx, ry, rotation_rad }) => {
    const turned = rotation_rad ? ` · ${Math.round(rotation_rad * DEGREES * 10) / 10}°` : '';
    return `${Math.round(2 * rx)} × ${Math.round(2 * ry)}${turned}`;
  },
  between: (a, b, share) => ({
    ...a,
    x: mixed(a.x, b.x, share),
    y: mixed(a.y, b.y, share),
    rx: mixed(a.rx, b.rx, share),
    ry: mixed(a.ry, b.ry, share),
    ...(a.rotation_rad || b.rotation_rad
      ? { rotation_rad: turnedBetween(a.rotation_rad ?? 0, b.rotation_rad ?? 0, share, Math.PI) }
      : {}),
  }),
  similarity: (a, b) => (a === b ? 1 : overlap([around(a)], [around(b)])),
  reach_px: 0,
  twin_at: 0.95,
  faults: (shape, image) => {
    const found: ShapeFault<EllipseShape>[] = [];
    if (!(shape.rx > 0 && shape.ry > 0)) {
      found.push({
        rule: 'ellipse-not-empty',
        message: msg('This ellipse holds nothing.'),
        fix: { title: 'Delete it', shape: null },
      });
    }
    if (isOutside(shape, image)) {
      found.push({
        rule: 'ellipse-inside-image',
        message: msg('The centre of this ellipse lies outside the image.'),
        fix: { title: 'Move it inside', shape: moved(shape, 0, 0, image) },
      });
    }
    return found;
  },
};
