/** What the pointer does, as data: the types that the machine in `hands` and the tools share. */
import type { Shape } from '../../api/types';
import type { Action, Document } from '../core/document';
import type { Point } from '../core/geometry';
import type { Pointing, Sketch } from '../shapes/gestures';
import type { Picked } from './pick';

/** Which tool is in hand. */
export type Tool =
  | { readonly does: 'select' }
  | {
      readonly does: 'draw';
      readonly shape: Shape['type'];
      /** Another way than the plain one. */
      readonly way?: string | null;
    }
  /** Cuts the selected outline along a line. */
  | { readonly does: 'slice' };

/** What a pressed pointer has hold of, until it is let go. */
export type Hold =
  | { readonly is: 'pan' }
  | { readonly is: 'move'; readonly id: string; readonly from: Point }
  | { readonly is: 'handle'; readonly id: string; readonly handle: string }
  | { readonly is: 'sketch' }
  /** A rectangle pulled out over several objects. */
  | { readonly is: 'band'; readonly from: Point };

/** A shape that is being drawn, under the id that it will have. */
export interface Drawing {
  readonly id: string;
  readonly shape: Shape['type'];
  /** Another way than the plain one. */
  readonly way?: string | null;
  /** The object that is gone on with, rather than a new one begun. */
  readonly onto?: string | null;
  /** A line along which the selected outline is cut, rather than an object. */
  readonly cuts?: string | null;
  readonly sketch: Sketch;
}

export interface Hands {
  readonly hold: Hold | null;
  /** Outlives a press where a shape takes several; panning leaves it alone. */
  readonly drawing: Drawing | null;
}

export const EMPTY_HANDS: Hands = { hold: null, drawing: null };

/** The hands after something happened, and what comes of it. */
export interface Turn {
  readonly hands: Hands;
  /** Ids to select; absent: the selection stays. */
  readonly select?: readonly string[];
  /** One step of history. */
  readonly action?: Action;
}

export interface Press extends Pointing {
  readonly document: Document;
  readonly tool: Tool;
  /** How far a knob stands off its shape, source pixels. */
  readonly arm_px: number;
  /** The middle button, or Space held. */
  readonly wantsPan: boolean;
  /** Alt held: a handle that is pressed is dropped. */
  readonly wantsDrop: boolean;
  /** Shift held: objects are taken by a rectangle around them. */
  readonly wantsBand?: boolean;
  /** Ctrl held: what is pressed is added to the selection, or leaves it. */
  readonly wantsMore?: boolean;
  readonly newId: () => string;
}

/** What a press begins with this tool where no handle lies under it. */
export type Begins<T extends Tool = Tool> = (press: Press, tool: T, under: Picked | null) => Turn;
