/**
 * How shapes are drawn, as machines without a screen: `begin` at the first press, `extend` at each further press, release
 * and step of the pointer, `finish` by key, `back` one place; dropping what has been set is to cancel. What a machine
 * has seen so far is data, so it can be kept, shown and tested. A shape chooses a machine and says what its places make.
 */
import type { ClassSpec, Shape } from '../../api/types';
import { clampPoint, type Point, type Size } from '../core/geometry';

/** What is drawn on: the picture, the class that is drawn, and how painting is set. */
export interface Ground extends Size {
  readonly spec?: ClassSpec | undefined;
  /** Half the width of the brush, source pixels. */
  readonly radius_px?: number;
  readonly erases?: boolean;
  /** How far a colour may be off to count as the same, 0..255. */
  readonly tolerance?: number;
  /** The picture's pixels, where they can be read. */
  readonly pixels?: (() => ImageData | null) | undefined;
}

/** Where the pointer is, in source pixels. */
export interface Pointing {
  readonly at: Point;
  readonly image: Ground;
  /** How far off still counts as the same place. */
  readonly reach_px: number;
}

/** A shape under way: the places that were set. */
export interface Sketch {
  readonly places: readonly Point[];
  /** Nothing more is to be set. */
  readonly done: boolean;
}

/** press: down again. drag: moved while down. release: up. */
export type Step = 'press' | 'drag' | 'release';

export interface ShapeGesture<S extends Shape = Shape> {
  /** A press on one of this shape takes hold of it, rather than to begin another on top. */
  readonly takesHold: boolean;
  /** Lasts beyond one press: its places and the line to the pointer are shown, keys end it or take a place back. */
  readonly lasts: boolean;
  readonly begin: (to: Pointing) => Sketch;
  /** The sketch after a step; null when it came to nothing. */
  readonly extend: (sketch: Sketch, step: Step, to: Pointing) => Sketch | null;
  /** Shown as a stroke as wide as the brush while it is drawn, rather than as what it makes. */
  readonly isStroke?: boolean;
  /** What it is with the pointer at `to` (null: as it was set); null while that is nothing yet. */
  readonly shape: (sketch: Sketch, to: Point | null, image: Ground) => S | null;
  /** Ended by a key; null while there is too little of it. */
  readonly finish: (sketch: Sketch) => Sketch | null;
  /** Without its last place; null when nothing is left. */
  readonly back: (sketch: Sketch) => Sketch | null;
}

const none = () => null;

/** One place, as the pointer is let go. */
export function placed<S extends Shape>(make: (at: Point, image: Ground) => S | null): ShapeGesture<S> {
  return {
    takesHold: true,
    lasts: false,
    begin: ({ at }) => ({ places: [at], done: false }),
    extend: (_, step, { at }) => ({ places: [at], done: step === 'release' }),
    shape: ({ places: [set] }, to, image) => ((to ?? set) ? make((to ?? set) as Point, image) : null),
    finish: none,
    back: none,
  };
}

/** From where the pointer is pressed to where it is let go; a click makes nothing. */
export function dragged<S extends Shape>(make: (from: Point, to: Point, image: Ground) => S | null): ShapeGesture<S> {
  const shape: ShapeGesture<S>['shape'] = ({ places: [from, till] }, to, image) => {
    const end = till ?? to;
    return from && end ? make(from, end, image) : null;
  };
  return {
    takesHold: false,
    lasts: false,
    begin: ({ at }) => ({ places: [at], done: false }),
    extend: (sketch, step, { at, image }) => {
      if (step !== 'release') return sketch;
      return shape(sketch, at, image) && { places: [...sketch.places.slice(0, 1), at], done: true };
    },
    shape,
    finish: none,
    back: none,
  };
}

const apart = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);
/** While the pointer is dragged a place is set at each so many reaches: drawn by a free hand. */
const STREAM_REACHES = 1.5;

/**
 * Place after place, `least` to `most` of them. The last one ends it; before, a press on the first place, a second one
 * on the last (a double click), or a key does. `closes`: its places come round to the first; a line ends where it ends.
 */
export function traced<S extends Shape>(
  { least, most, closes = true }: { least: number; most: number; closes?: boolean },
  make: (places: readonly Point[], image: Ground) => S | null,
): ShapeGesture<S> {
  const set = (places: readonly Point[], to: Pointing): Sketch => {
    const next = [...places, clampPoint(to.at, to.image)];
    return { places: next, done: next.length >= most };
  };
  return {
    takesHold: false,
    lasts: true,
    begin: (to) => set([], to),
    extend: (sketch, step, to) => {
      const { places } = sketch;
      const first = places[0];
      const last = places.at(-1);
      if (!first || !last || step === 'release') return sketch;
      if (step === 'drag') return apart(last, to.at) < STREAM_REACHES * to.reach_px ? sketch : set(places, to);
      const isEnough = places.length >= least;
      const isLast = apart(last, to.at) <= to.reach_px / 2;
      if (isEnough && (isLast || (closes && apart(first, to.at) <= to.reach_px))) return { places, done: true };
      return isLast ? sketch : set(places, to);
    },
    shape: ({ places, done }, to, image) => {
      const all = to && !done ? [...places, clampPoint(to, image)] : places;
      return all.length < least ? null : make(all, image);
    },
    finish: ({ places }) => (places.length < least ? null : { places, done: true }),
    back: ({ places }) => (places.length > 1 ? { places: places.slice(0, -1), done: false } : null),
  };
}

/** One line drawn by a free hand, from where the pointer is pressed to where it is let go; a click is a dot. */
export function stroked<S extends Shape>(make: (places: readonly Point[], image: Ground) => S | null): ShapeGesture<S> {
  return {
    takesHold: false,
    lasts: false,
    isStroke: true,
    begin: ({ at }) => ({ places: [at], done: false }),
    extend: ({ places }, step, { at }) => {
      const last = places.at(-1);
      const isNew = !last || last.x !== at.x || last.y !== at.y;
      return { places: isNew ? [...places, at] : places, done: step === 'release' };
    },
    shape: ({ places }, _to, image) => (places.length > 0 ? make(places, image) : null),
    finish: none,
    back: none,
  };
}
