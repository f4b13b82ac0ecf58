/**
 * The pointer as a machine: where a press falls decides what it takes hold of; where the pointer is then gives an
 * action. While it lasts the action is only shown; when it ends it becomes one step of history. A shape that takes
 * several presses stays in hand between them, until it is done or given up.
 */
import type { Shape } from '../../api/types';
import { addObject } from '../actions/add_object';
import { dragHandle } from '../actions/drag_handle';
import { dropHandle } from '../actions/drop_handle';
import { extendObject } from '../actions/extend_object';
import { moveObject } from '../actions/move_object';
import { sliceObject } from '../actions/slice_object';
import type { Action, Document } from '../core/document';
import type { Point } from '../core/geometry';
import { gestureOf } from '../shapes';
import type { Ground, Pointing, Sketch, Step } from '../shapes/gestures';
import { banded } from './band';
import { draw } from './draw';
import { pick } from './pick';
import { select } from './select';
import { slice } from './slice';
import { type Drawing, EMPTY_HANDS, type Hands, type Press, type Turn } from './tool';

const gestureIn = ({ shape, way }: Drawing) => gestureOf(shape, way);

/** What a finished shape does to the label. */
function actionOf({ id, onto, cuts, way, sketch }: Drawing, shape: Shape, ground: Ground): Action {
  if (cuts) return sliceObject(cuts, id, sketch.places);
  return onto ? extendObject(onto, shape, way ?? null, ground) : addObject(id, shape);
}

function become({ hold }: Hands, drawing: Drawing, sketch: Sketch | null, image: Ground): Turn {
  if (!sketch) return { hands: EMPTY_HANDS };
  if (!sketch.done) return { hands: { hold, drawing: { ...drawing, sketch } } };
  const shape = gestureIn(drawing).shape(sketch, null, image);
  return { hands: EMPTY_HANDS, ...(shape ? { action: actionOf({ ...drawing, sketch }, shape, image) } : {}) };
}

function step(hands: Hands, by: Step, to: Pointing): Turn {
  const { drawing } = hands;
  if (!drawing) return { hands };
  return become(hands, drawing, gestureIn(drawing).extend(drawing.sketch, by, to), to.image);
}

/** The pointer goes down. */
export function press(hands: Hands, to: Press): Turn {
  if (to.wantsPan) return { hands: { ...hands, hold: { is: 'pan' } } };
  if (hands.drawing) return step({ ...hands, hold: { is: 'sketch' } }, 'press', to);
  const under = pick(to.document, to.at, to.reach_px, to.arm_px);
  if (under?.handle) {
    const { id } = under.object;
    if (to.wantsDrop) return { hands, action: dropHandle(id, under.handle) };
    return { hands: { ...hands, hold: { is: 'handle', id, handle: under.handle } } };
  }
  if (to.tool.does === 'slice') return slice(to, to.tool, under);
  return to.tool.does === 'draw' ? draw(to, to.tool, under) : select(to, to.tool, under);
}

/** The pointer moves while it is down, or free with Shift held: an outline is set place by place. */
export function drag(hands: Hands, to: Pointing): Turn {
  return hands.hold?.is === 'sketch' || hands.drawing ? step(hands, 'drag', to) : { hands };
}

/** The pointer goes up. `snaps`: Shift is held. */
export function release(hands: Hands, to: Pointing, document: Document, arm_px: number, snaps = false): Turn {
  const { hold, drawing } = hands;
  if (hold?.is === 'band') return { hands: EMPTY_HANDS, select: banded(document, hold.from, to.at) };
  if (hold?.is !== 'sketch' || !drawing) {
    const action = held(hands, to.at, to.image, snaps);
    return { hands: { ...hands, hold: null }, ...(action ? { action } : {}) };
  }
  const after = step({ ...hands, hold: null }, 'release', to);
  if (after.action || after.hands.drawing) return after;
  // A click that draws nothing is a wish to select what is there.
  const from = drawing.sketch.places[0] ?? to.at;
  const under = pick(document, from, to.reach_px, arm_px);
  return { hands: after.hands, select: under ? [under.object.id] : [] };
}

/** Ends what is being drawn, where there is enough of it; otherwise it stays in hand. */
export function finish(hands: Hands, image: Ground): Turn {
  const { drawing } = hands;
  const sketch = drawing && gestureIn(drawing).finish(drawing.sketch);
  return drawing && sketch ? become(hands, drawing, sketch, image) : { hands };
}

/** Takes back the last place. */
export function back(hands: Hands): Turn {
  const { drawing } = hands;
  const sketch = drawing && gestureIn(drawing).back(drawing.sketch);
  return { hands: drawing && sketch ? { ...hands, drawing: { ...drawing, sketch } } : EMPTY_HANDS };
}

/** Gives up whatever is in hand. */
export function cancel(): Turn {
  return { hands: EMPTY_HANDS };
}

/** What letting go with the pointer at `to` would do; null when it is nothing (yet). */
export function held({ hold, drawing }: Hands, to: Point, image: Ground, snaps = false): Action | null {
  switch (hold?.is) {
    case 'move':
      return moveObject(hold.id, to.x - hold.from.x, to.y - hold.from.y, image);
    case 'handle':
      return dragHandle(hold.id, hold.handle, to, image, snaps);
    case 'sketch': {
      if (!drawing) return null;
      const gesture = gestureIn(drawing);
      // What lasts, or is a stroke, is shown as what was set, not as an object that is there.
      const shape = gesture.lasts || gesture.isStroke ? null : gesture.shape(drawing.sketch, to, image);
      return shape && actionOf(drawing, shape, image);
    }
    default:
      return null;
  }
}
