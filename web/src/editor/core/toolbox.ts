/** What stays in hand from item to item: how the brush is set, whether places snap, and what was copied. */
import type { LabelObject } from '../../api/types';

export interface Toolbox {
  /** Half the width of the brush, source pixels. */
  readonly radius_px: number;
  /** Filling and painting take pixels away. */
  readonly erases: boolean;
  /** How far a colour may be off to count as the same, 0..255. */
  readonly tolerance: number;
  /** What is drawn near a corner of a neighbour shares it. */
  readonly snaps: boolean;
  /** What was copied last. */
  readonly copied: readonly LabelObject[];
}

export const LEAST_RADIUS_PX = 0.5;
export const MOST_RADIUS_PX = 512;

let present: Toolbox = { radius_px: 8, erases: false, tolerance: 24, snaps: true, copied: [] };
const listeners = new Set<() => void>();

export const toolbox = {
  get: (): Toolbox => present,
  set: (change: Partial<Toolbox>): void => {
    present = { ...present, ...change };
    for (const listener of listeners) listener();
  },
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
