/**
 * A press, drag and release of the pointer, as data: where it began decides what it is; where the pointer is now
 * gives an action. While it lasts the action is only shown; on release it becomes one step of history.
 */
import { addObject } from '../actions/add_object';
import { moveObject } from '../actions/move_object';
import { resizeObject } from '../actions/resize_object';
import { rotateObject } from '../actions/rotate_object';
import { type Action, type Document, objectsOf } from '../core/document';
import { boxBetween, clampPoint, type Handle, type Point, rotationTowards, type Size, snapped } from '../core/geometry';
import { pick } from './pick';

export type Mode = 'draw' | 'select';

export type Gesture =
  | { readonly kind: 'draw'; readonly id: string; readonly from: Point }
  | { readonly kind: 'move'; readonly id: string; readonly from: Point }
  | { readonly kind: 'resize'; readonly id: string; readonly handle: Handle }
  | { readonly kind: 'rotate'; readonly id: string }
  | { readonly kind: 'pan' };

/** What Shift snaps a turn to. */
export const SNAP_RAD = Math.PI / 12;

export interface Press {
  readonly document: Document;
  readonly mode: Mode;
  /** Source pixels. */
  readonly point: Point;
  readonly reach_px: number;
  /** How far the knob stands off the box, source pixels. */
  readonly arm_px: number;
  /** The middle button, or Space held. */
  readonly wantsPan: boolean;
  readonly newId: () => string;
}

/** Below this many source pixels a drag is a click. */
export const SMALLEST_DRAG_PX = 2;

export interface Begun {
  readonly gesture: Gesture;
  /** Ids to select as it begins, or null to leave the selection. */
  readonly select: readonly string[] | null;
}

export function beginGesture(press: Press): Begun {
  if (press.wantsPan) return { gesture: { kind: 'pan' }, select: null };
  const under = pick(press.document, press.point, press.reach_px, press.arm_px);
  if (under?.handle === 'knob') return { gesture: { kind: 'rotate', id: under.object.id }, select: null };
  if (under?.handle) {
    return { gesture: { kind: 'resize', id: under.object.id, handle: under.handle }, select: null };
  }
  if (press.mode === 'draw') {
    // A new object may begin inside another; only the selected one is grabbed while drawing.
    if (under && press.document.selected.includes(under.object.id)) {
      return { gesture: { kind: 'move', id: under.object.id, from: press.point }, select: null };
    }
    return { gesture: { kind: 'draw', id: press.newId(), from: press.point }, select: [] };
  }
  if (!under) return { gesture: { kind: 'pan' }, select: [] };
  return { gesture: { kind: 'move', id: under.object.id, from: press.point }, select: [under.object.id] };
}

/** The action that the gesture is with the pointer at `to`, or null when it is nothing (yet). `snaps`: Shift is held. */
export function gestureAction(gesture: Gesture, to: Point, image: Size, snaps = false): Action | null {
  switch (gesture.kind) {
    case 'pan':
      return null;
    case 'draw': {
      const shape = boxBetween(clampPoint(gesture.from, image), clampPoint(to, image));
      return Math.max(shape.w, shape.h) < SMALLEST_DRAG_PX || Math.min(shape.w, shape.h) < 1
        ? null
        : addObject(gesture.id, shape);
    }
    case 'move':
      return moveObject(gesture.id, to.x - gesture.from.x, to.y - gesture.from.y, image);
    case 'rotate':
      return (document) => {
        const object = objectsOf(document).find(({ id }) => id === gesture.id);
        if (!object) return document;
        const angle_rad = rotationTowards(object.shape, to);
        return rotateObject(gesture.id, snaps ? snapped(angle_rad, SNAP_RAD) : angle_rad)(document);
      };
    case 'resize':
      return resizeObject(gesture.id, gesture.handle, to, image);
  }
}
