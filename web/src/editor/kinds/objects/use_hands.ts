/** The pointer, fingers and keys of the canvas, handed to the machine in `tools/hands`. */
import { type PointerEvent as ReactPointerEvent, useEffect, useRef, useState } from 'react';
import { newId } from '../../../api/ids';
import { selectObjects } from '../../actions/select_objects';
import type { Point } from '../../core/geometry';
import { chordOf, isTyping } from '../../core/keymap';
import type { LabelSession } from '../../core/label_session';
import { snappedTo } from '../../core/snapping';
import { toolbox } from '../../core/toolbox';
import { ARM_PX, HANDLE_SIZE_PX } from '../../renderers/canvas';
import { gestureOf } from '../../shapes';
import type { Ground } from '../../shapes/gestures';
import { plane, type Viewport } from '../../spaces/plane';
import * as machine from '../../tools/hands';
import { pick } from '../../tools/pick';
import type { Drawing, Hands, Hold, Tool, Turn } from '../../tools/tool';
import { useDrawing } from '../use_label';

const REACH_PX = HANDLE_SIZE_PX;
/** A fingertip is not a pointer. */
const TOUCH_REACH_PX = 20;
const MIDDLE_BUTTON = 1;

export interface Looking {
  readonly ground: Ground;
  readonly view: Viewport;
  readonly setView: (change: (now: Viewport | null) => Viewport | null) => void;
  /** Space pressed and let go without a pan. */
  readonly onSpace?: () => void;
}

interface Held {
  readonly hold: Hold;
  readonly pointer: number;
  readonly last: Point;
}

export function useHands(session: LabelSession, tool: Tool, { ground, view, setView, onSpace }: Looking) {
  const [held, setHeld] = useState<Held | null>(null);
  const [pointer, setPointer] = useState<Point | null>(null);
  const [snaps, setSnaps] = useState(false);
  /** Where the pointer is on the picture, drawn to a corner where one is near. */
  const [snap, setSnap] = useState<Point | null>(null);
  const [space, setSpace] = useState(false);
  /** Whether the pointer was used while Space was held. */
  const panned = useRef(false);
  /** Fingers on the canvas, by pointer: two of them move and enlarge the picture. */
  const fingers = useRef(new Map<number, Point>());
  /** What was being drawn before the present press. */
  const before = useRef<Drawing | null>(null);
  const hands: Hands = { hold: held?.hold ?? null, drawing: useDrawing(session) };

  /** Takes what a turn says; the pointer that it holds, if any, is the one that pressed. */
  const take = (turn: Turn, pressed: { pointer: number; last: Point } | null) => {
    if (turn.select) session.perform(selectObjects(turn.select));
    session.draw(turn.hands.drawing);
    if (turn.action) session.perform(turn.action);
    const { hold } = turn.hands;
    setHeld(hold && pressed ? { hold, ...pressed } : null);
  };
  /** The present press was none. */
  const drop = () => {
    if (held?.hold.is === 'sketch') session.draw(before.current);
    setHeld(null);
  };
  const latest = useRef({ take, hands, ground, onSpace });
  latest.current = { take, hands, ground, onSpace };

  // Before all other keys: while something is drawn, Enter closes it and never submits, Backspace never deletes an object.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const now = latest.current;
      if (!now.hands.drawing || isTyping(event) || (event.target as HTMLElement).closest?.('[role="dialog"]')) return;
      const turns: Readonly<Record<string, (() => Turn) | undefined>> = {
        Enter: () => machine.finish(now.hands, now.ground),
        N: () => machine.finish(now.hands, now.ground),
        Backspace: () => machine.back(now.hands),
        Delete: () => machine.back(now.hands),
        'Ctrl+Z': () => machine.back(now.hands),
        Escape: machine.cancel,
      };
      const turn = turns[chordOf(event)];
      if (!turn) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!event.repeat || event.key === 'Backspace') now.take(turn(), null);
    };
    window.addEventListener('keydown', onKey, true);
    return () => window.removeEventListener('keydown', onKey, true);
  }, []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || (event.target as HTMLElement).closest?.('[role="dialog"]')) return;
      const down = event.type === 'keydown';
      if (event.key === 'Shift') setSnaps(down);
      if (down && event.key === 'Escape') setHeld(null);
      // Space on a focused button presses it; anywhere else it pans.
      if (chordOf(event) !== 'Space' || (event.target as HTMLElement).tagName === 'BUTTON') return;
      setSpace(down);
      event.preventDefault();
      if (down && !event.repeat) panned.current = false;
      if (!down && !panned.current) latest.current.onSpace?.();
    };
    window.addEventListener('keydown', onKey);
    window.addEventListener('keyup', onKey);
    return () => {
      window.removeEventListener('keydown', onKey);
      window.removeEventListener('keyup', onKey);
    };
  }, []);

  const here = (event: ReactPointerEvent): Point => ({ x: event.nativeEvent.offsetX, y: event.nativeEvent.offsetY });
  /** Corners of neighbours draw what sets corners to themselves; Ctrl has it the other way for the moment. */
  const sticks = (event: ReactPointerEvent, hold: Hold | null): boolean => {
    if (toolbox.get().snaps === (event.ctrlKey || event.metaKey)) return false;
    if (hold?.is === 'handle') return !hold.handle.startsWith('knob');
    if (!hands.drawing && (hold !== null || tool.does !== 'draw')) return false;
    return gestureOf(hands.drawing?.shape ?? session.shape, hands.drawing?.way ?? session.way).lasts;
  };
  const pointing = (event: ReactPointerEvent, at: Point) => {
    const reach_px = (event.pointerType === 'touch' ? TOUCH_REACH_PX : REACH_PX) / view.scale;
    const hold = held?.hold ?? null;
    const place = plane.toItem(view, at);
    const own = hold?.is === 'handle' ? hold.id : null;
    const to = sticks(event, hold) ? snappedTo(session.document, place, reach_px, own) : place;
    return { at: to, image: ground, reach_px };
  };

  const on = {
    onPointerDown: (event: ReactPointerEvent<HTMLCanvasElement>) => {
      if (event.button > MIDDLE_BUTTON) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      const at = here(event);
      if (event.pointerType === 'touch') {
        fingers.current.set(event.pointerId, at);
        if (fingers.current.size > 1) {
          // What the first finger began was the beginning of this.
          drop();
          setPointer(null);
          return;
        }
      }
      before.current = session.drawing;
      panned.current = true;
      const turn = machine.press(hands, {
        ...pointing(event, at),
        document: session.document,
        tool,
        arm_px: ARM_PX / view.scale,
        wantsPan: event.button === MIDDLE_BUTTON || space,
        wantsDrop: event.altKey,
        wantsBand: event.shiftKey,
        wantsMore: event.ctrlKey || event.metaKey,
        newId,
      });
      setPointer(at);
      take(turn, { pointer: event.pointerId, last: at });
    },
    onPointerMove: (event: ReactPointerEvent<HTMLCanvasElement>) => {
      const at = here(event);
      if (fingers.current.size === 2 && fingers.current.has(event.pointerId)) {
        setSnap(null);
        const from = [...fingers.current.values()] as [Point, Point];
        fingers.current.set(event.pointerId, at);
        const to = [...fingers.current.values()] as [Point, Point];
        setView((now) => now && plane.pinched(now, from, to));
        return;
      }
      if (held?.pointer === event.pointerId) {
        if (held.hold.is === 'pan') {
          setView((now) => now && plane.panned(now, at.x - held.last.x, at.y - held.last.y));
          setHeld({ ...held, last: at });
        } else if (hands.drawing) take(machine.drag(hands, pointing(event, at)), { pointer: held.pointer, last: at });
      } else if (!held && hands.drawing && event.shiftKey) {
        // Held down, Shift sets place after place along the way of the pointer.
        take(machine.drag(hands, pointing(event, at)), null);
      }
      setSnap(pointing(event, at).at);
      setPointer(at);
      setSnaps(event.shiftKey);
    },
    onPointerUp: (event: ReactPointerEvent<HTMLCanvasElement>) => {
      fingers.current.delete(event.pointerId);
      if (held?.pointer !== event.pointerId) return;
      const to = pointing(event, here(event));
      take(machine.release(hands, to, session.document, ARM_PX / view.scale, event.shiftKey), null);
    },
    onPointerCancel: (event: ReactPointerEvent<HTMLCanvasElement>) => {
      fingers.current.delete(event.pointerId);
      drop();
    },
    onPointerLeave: () => {
      if (!held) setPointer(null);
    },
  };

  const place = pointer && plane.toItem(view, pointer);
  const end = place && (snap ?? place);
  const preview = end && machine.held(hands, end, ground, snaps);
  const { document } = session;
  return {
    on,
    hands,
    space,
    pointer,
    /** Where the pointer is on the picture, and where what it sets would stand. */
    place,
    end,
    /** The rectangle that is pulled out over objects. */
    band: held?.hold.is === 'band' && place ? ([held.hold.from, place] as const) : null,
    /** The document as it would be if the pointer were let go now. */
    visible: preview ? preview(document) : document,
    hovered: held || hands.drawing || !place ? null : pick(document, place, REACH_PX / view.scale, ARM_PX / view.scale),
  };
}
