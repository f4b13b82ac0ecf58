/** Plane geometry in source pixels; x to the right, y down, origin at the image's top left. */
import type { BoxShape } from '../../api/types';

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The eight handles of a box, named by compass point, as fractions of its width and height. */
export const HANDLES = {
  nw: { x: 0, y: 0 },
  n: { x: 0.5, y: 0 },
  ne: { x: 1, y: 0 },
  e: { x: 1, y: 0.5 },
  se: { x: 1, y: 1 },
  s: { x: 0.5, y: 1 },
  sw: { x: 0, y: 1 },
  w: { x: 0, y: 0.5 },
} as const;
export type Handle = keyof typeof HANDLES;

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

/** Hundredths of a pixel are finer than any pointer and keep labels short. */
export function roundPx(value: number): number {
  return Math.round(value * 100) / 100;
}

export function boxBetween(a: Point, b: Point): BoxShape {
  return {
    type: 'box',
    x: roundPx(Math.min(a.x, b.x)),
    y: roundPx(Math.min(a.y, b.y)),
    w: roundPx(Math.abs(a.x - b.x)),
    h: roundPx(Math.abs(a.y - b.y)),
  };
}

export function clampPoint(point: Point, image: Size): Point {
  return { x: clamp(point.x, 0, image.width), y: clamp(point.y, 0, image.height) };
}

export function centre(box: BoxShape): Point {
  return { x: box.x + box.w / 2, y: box.y + box.h / 2 };
}

/** The point turned by `angle_rad` (clockwise on screen, since y points down) around `around`. */
export function turn(point: Point, around: Point, angle_rad: number): Point {
  const cos = Math.cos(angle_rad);
  const sin = Math.sin(angle_rad);
  const dx = point.x - around.x;
  const dy = point.y - around.y;
  return { x: around.x + dx * cos - dy * sin, y: around.y + dx * sin + dy * cos };
}

/** The point in the box's own, unrotated frame. */
export function toBoxFrame(box: BoxShape, point: Point): Point {
  return box.rotation_rad ? turn(point, centre(box), -box.rotation_rad) : point;
}

export function handlePoint(box: BoxShape, handle: Handle): Point {
  const at = { x: box.x + HANDLES[handle].x * box.w, y: box.y + HANDLES[handle].y * box.h };
  return box.rotation_rad ? turn(at, centre(box), box.rotation_rad) : at;
}

export function contains(box: BoxShape, point: Point): boolean {
  const local = toBoxFrame(box, point);
  return local.x >= box.x && local.x <= box.x + box.w && local.y >= box.y && local.y <= box.y + box.h;
}

/** Where the knob that turns the box stands: on an arm of `arm_px` (source pixels) above the middle of its top. */
export function knobPoint(box: BoxShape, arm_px: number): Point {
  const at = { x: box.x + box.w / 2, y: box.y - arm_px };
  return box.rotation_rad ? turn(at, centre(box), box.rotation_rad) : at;
}

/** The rotation that points the box's top at `to`, in (-pi, pi]. */
export function rotationTowards(box: BoxShape, to: Point): number {
  const { x, y } = centre(box);
  return Math.atan2(to.x - x, y - to.y);
}

/** The nearest multiple of `step_rad`. */
export function snapped(angle_rad: number, step_rad: number): number {
  return Math.round(angle_rad / step_rad) * step_rad;
}

const WHOLE_TURN_RAD = 2 * Math.PI;
/** A twentieth of a degree is finer than any hand; what is closer to none is none. */
const LEAST_TURN_RAD = 0.001;

/** The box turned to `angle_rad` (clockwise on screen) about its centre, kept in (-pi, pi]; unturned it has no rotation. */
export function turnedTo(box: BoxShape, angle_rad: number): BoxShape {
  const within = angle_rad - WHOLE_TURN_RAD * Math.ceil((angle_rad - Math.PI) / WHOLE_TURN_RAD);
  const { rotation_rad: _, ...unturned } = box;
  if (Math.abs(within) < LEAST_TURN_RAD) return unturned;
  return { ...unturned, rotation_rad: Math.round(within * 1e4) / 1e4 };
}

/** Moves the box, keeping an unrotated one inside the image, and of a rotated one its centre. */
export function moved(box: BoxShape, dx: number, dy: number, image: Size): BoxShape {
  if (box.rotation_rad) {
    return {
      ...box,
      x: roundPx(clamp(box.x + dx, -box.w / 2, image.width - box.w / 2)),
      y: roundPx(clamp(box.y + dy, -box.h / 2, image.height - box.h / 2)),
    };
  }
  return {
    ...box,
    x: roundPx(clamp(box.x + dx, 0, Math.max(0, image.width - box.w))),
    y: roundPx(clamp(box.y + dy, 0, Math.max(0, image.height - box.h))),
  };
}

/**
 * The box after its handle is dragged to `to` (source pixels). Dragging past the opposite edge turns it over.
 * A rotated box is resized in its own frame, its opposite corner held still on screen.
 */
export function resized(box: BoxShape, handle: Handle, to: Point, image: Size): BoxShape {
  const target = toBoxFrame(box, box.rotation_rad ? to : clampPoint(to, image));
  const at = HANDLES[handle];
  const left = at.x === 0 ? target.x : box.x;
  const right = at.x === 1 ? target.x : box.x + box.w;
  const top = at.y === 0 ? target.y : box.y;
  const bottom = at.y === 1 ? target.y : box.y + box.h;
  const next = { ...box, ...boxBetween({ x: left, y: top }, { x: right, y: bottom }) };
  if (!box.rotation_rad) return next;
  // The new centre lies elsewhere, and rotation is about the centre: shift so that the held corner does not move.
  const held = { x: at.x === 0 ? box.x + box.w : box.x, y: at.y === 0 ? box.y + box.h : box.y };
  const before = turn(held, centre(box), box.rotation_rad);
  const after = turn(held, centre(next), box.rotation_rad);
  return { ...next, x: roundPx(next.x + before.x - after.x), y: roundPx(next.y + before.y - after.y) };
}

/** The part of a convex polygon on the inner side of the line from `a` to `b` (Sutherland and Hodgman, 1974). */
function cut(polygon: readonly Point[], a: Point, b: Point): Point[] {
  const side = (point: Point) => (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x);
  return polygon.flatMap((point, at) => {
    const next = polygon[(at + 1) % polygon.length] ?? point;
    const here = side(point);
    const there = side(next);
    const kept = here >= 0 ? [point] : [];
    if (here >= 0 === there >= 0) return kept;
    const part = here / (here - there);
    return [...kept, { x: point.x + part * (next.x - point.x), y: point.y + part * (next.y - point.y) }];
  });
}

function area(polygon: readonly Point[]): number {
  const twice = polygon.reduce((sum, point, at) => {
    const next = polygon[(at + 1) % polygon.length] ?? point;
    return sum + point.x * next.y - next.x * point.y;
  }, 0);
  return Math.abs(twice) / 2;
}

function corners(box: BoxShape): Point[] {
  return (['nw', 'ne', 'se', 'sw'] as const).map((handle) => handlePoint(box, handle));
}

/** Intersection over union of two boxes, rotated or not, 0..1. */
export function iou(a: BoxShape, b: BoxShape): number {
  if (a.rotation_rad || b.rotation_rad) {
    const edges = corners(b);
    const both = area(
      edges.reduce((rest, from, at) => cut(rest, from, edges[(at + 1) % edges.length] ?? from), corners(a)),
    );
    return both > 0 ? both / (a.w * a.h + b.w * b.h - both) : 0;
  }
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  const both = w * h;
  return both / (a.w * a.h + b.w * b.h - both);
}
