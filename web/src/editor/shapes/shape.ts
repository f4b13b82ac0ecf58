/**
 * What a shape must be able to say: the row of the table in `shapes`. A new one is one file and one line there.
 * Everything is pure and in source pixels; sizes that belong to the screen come in already divided by the scale.
 */
import type { ClassSpec, Shape } from '../../api/types';
import type { IconName } from '../../ui/icons';
import type { Point, Size } from '../core/geometry';
import type { Tile } from '../core/masks';
import type { Ground, ShapeGesture } from './gestures';

export interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A place of a shape by which it is changed. */
export interface Handle {
  readonly id: string;
  readonly at: Point;
  /** A knob stands off on an arm from here. */
  readonly arm?: Point;
  /** Nothing of the shape yet: pulling it out makes something new. */
  readonly isFaint?: boolean;
}

/** What a rule finds of one shape by itself. */
export interface ShapeFault<S> {
  readonly rule: string;
  readonly message: string;
  /** What mends it: another shape, or null when only deleting does; no fix where only a hand can tell. */
  readonly fix: { readonly title: string; readonly shape: S | null } | null;
}

/** point: a mark of fixed size. outline: closed. line: open. dots: marks joined by lines. pixels: painted. */
export type Pose = 'point' | 'outline' | 'line' | 'dots' | 'pixels';

/** A line to be drawn: closed where it is an outline. */
export interface Path {
  readonly points: readonly Point[];
  readonly closed: boolean;
}

/** A named place of a shape. */
export interface Place {
  readonly name: string;
  readonly at: Point;
  readonly state: 'visible' | 'occluded' | 'absent';
}

/** Another way to draw a shape, or to go on with one that is selected. */
export interface Way<S extends Shape = Shape> {
  readonly id: string;
  readonly icon: IconName;
  readonly title: string;
  readonly key: string;
  readonly gesture: ShapeGesture<S>;
  /** Said while it is being drawn, where that takes more than a press. */
  readonly hint?: string;
  /** What the one selected shape becomes with what was drawn; null where the two have nothing to do with each other. */
  readonly onto?: (shape: S, drawn: S, ground: Ground) => S | null;
  /** Only where one is selected. */
  readonly needsOne?: boolean;
}

export interface ShapeFace<S extends Shape = Shape> {
  readonly type: S['type'];
  readonly icon: IconName;
  /** English words, translated where shown. */
  readonly words: {
    readonly one: string;
    readonly draw: string;
    /** Said where an object of a class has another shape than the class asks for. */
    readonly only: string;
    /** Said while one is being drawn, where that takes more than a press. */
    readonly hint?: string;
  };
  /** The key of its tool. */
  readonly key: string;
  /** How one is drawn. */
  readonly gesture: ShapeGesture<S>;
  /** What the one selected becomes with what is drawn so: painting goes on with it. Absent: each is a thing of its own. */
  readonly onto?: (shape: S, drawn: S, ground: Ground) => S | null;
  /** How else. */
  readonly ways?: readonly Way<S>[];
  readonly bounds: (shape: S) => Bounds;
  /** Width and height that a class may ask to be large enough; null where it has no extent. */
  readonly size: (shape: S) => Size | null;
  /** Of several under the pointer the one with the least is meant. */
  readonly area: (shape: S) => number;
  readonly hit: (shape: S, point: Point, reach_px: number) => boolean;
  /** Empty for a shape that is only moved. */
  readonly handles: (shape: S, arm_px: number) => readonly Handle[];
  /** The shape after its handle went to a place; `snaps` keeps angles to steps. */
  readonly dragged: (shape: S, handle: string, to: Point, image: Size, snaps: boolean) => S;
  /** The shape without what the handle holds; null where it cannot do without. Absent: no handle can be dropped. */
  readonly dropped?: (shape: S, handle: string) => S | null;
  readonly moved: (shape: S, dx: number, dy: number, image: Size) => S;
  /** Grown by a step to its own right and bottom; null where it has no extent. */
  readonly stretched: ((shape: S, dx: number, dy: number, image: Size) => S) | null;
  /** Its turn, clockwise on screen, and how to give it another; null where turning means nothing. */
  readonly turn: { readonly of: (shape: S) => number; readonly to: (shape: S, angle_rad: number) => S } | null;
  /** One in the middle of the image, for those without a pointer. */
  readonly middle: (image: Ground) => S;
  /** What is drawn of it; for a point, the place where a mark of fixed size on screen stands. */
  readonly paths: (shape: S, spec?: ClassSpec) => readonly Path[];
  readonly pose: Pose;
  /** The places that others may share with it: what is drawn near one snaps to it. Absent: none. */
  readonly corners?: (shape: S) => readonly Point[];
  /** How many places somebody set, which a class may bound. Absent: always the same. */
  readonly count?: (shape: S) => number;
  /** Its outlines, closed, where it can be made a polygon of, or painted. */
  readonly rings?: (shape: S) => readonly (readonly Point[])[];
  /** The same in fewer points, none of which lies off by more than so many px. */
  readonly simpler?: (shape: S, slack_px: number) => S;
  /** The two sides of a line through it; null where it is not divided so. Absent: it cannot be cut. */
  readonly cut?: (shape: S, line: readonly Point[]) => readonly [S, S] | null;
  /** What any of several covers, as one. Absent: they cannot be put together. */
  readonly joined?: (shapes: readonly S[]) => S | null;
  /** Its pixels, where it is made of them. */
  readonly tiles?: (shape: S) => readonly Tile[];
  /** Named places, and the shape with one of them in another state. */
  readonly places?: {
    readonly of: (shape: S) => readonly Place[];
    readonly to: (shape: S, name: string, state: Place['state'], spec?: ClassSpec) => S;
    /** Seen from behind: what is left and what is right change names. */
    readonly mirrored: (shape: S, spec?: ClassSpec) => S;
  };
  /** What it lacks of what its class says. */
  readonly fits?: (shape: S, spec: ClassSpec) => boolean;
  /** Where its name stands. */
  readonly anchor: (shape: S) => Point;
  /** Its extent in a few characters, for lists. */
  readonly measure: (shape: S) => string;
  /** How it looks between two keyframes, `share` of the way from a to b: the server's own way. */
  readonly between: (a: S, b: S, share: number) => S;
  /** 1: the same; 0: nothing in common. Shapes with `bounds` further apart than `reach_px` have 0. */
  readonly similarity: (a: S, b: S) => number;
  readonly reach_px: number;
  /** From here on two of one class are probably one thing drawn twice. */
  readonly twin_at: number;
  readonly faults: (shape: S, image: Size) => readonly ShapeFault<S>[];
}
