/** Undo is a stack of documents, not of inverse commands. Immutable, like what it holds. */
import type { Action, Document } from './document';

export interface History {
  readonly past: readonly Document[];
  readonly present: Document;
  readonly future: readonly Document[];
  /** Steps with the same mark in a row (typing, nudging) are one step to undo; null never joins. */
  readonly mark: string | null;
}

/** Deep enough for an item's whole life; bounded so that a journal of it stays small. */
export const HISTORY_LIMIT = 500;

export function openHistory(document: Document): History {
  return { past: [], present: document, future: [], mark: null };
}

/**
 * The history after `action`. An action that changes nothing leaves no step. Selection alone is not a step:
 * it replaces the present, so that undo always undoes something that can be seen in the label.
 */
export function perform(history: History, action: Action, mark: string | null = null): History {
  const next = action(history.present);
  if (next === history.present) return history;
  if (next.label === history.present.label) return { ...history, present: next };
  if (mark !== null && mark === history.mark) return { ...history, present: next, future: [] };
  return { past: [...history.past, history.present].slice(-HISTORY_LIMIT), present: next, future: [], mark };
}

export function canUndo(history: History): boolean {
  return history.past.length > 0;
}
export function canRedo(history: History): boolean {
  return history.future.length > 0;
}

export function undo(history: History): History {
  const previous = history.past.at(-1);
  if (!previous) return history;
  return {
    past: history.past.slice(0, -1),
    present: previous,
    future: [history.present, ...history.future],
    mark: null,
  };
}

export function redo(history: History): History {
  const [next, ...rest] = history.future;
  if (!next) return history;
  return { past: [...history.past, history.present], present: next, future: rest, mark: null };
}
