/**
 * A history as the operations that made it: what is appended to a journal at each change, and played again from the
 * label that the draft began with. One moved corner of one of 2,000 objects is one object in the log.
 */
import type { Label } from '../../api/types';
import type { Document } from './document';
import { type History, redo, undo } from './history';
import { applyPatch, type Patch, patchBetween } from './patch';

/** A document without its label: small, kept whole. */
type Rest = Omit<Document, 'label'>;

interface Beginning {
  readonly label: Label;
  readonly rest: Rest;
}

export type Operation =
  | { readonly op: 'do'; readonly patch: Patch; readonly rest: Rest; readonly mark: string | null }
  /** The present gives way without becoming a step of its own (typing, nudging). */
  | { readonly op: 'join'; readonly patch: Patch; readonly rest: Rest; readonly mark: string | null }
  | ({ readonly op: 'begin' } & Beginning)
  | { readonly op: 'undo' }
  | { readonly op: 'redo' };

function restOf({ label: _, ...rest }: Document): Rest {
  return rest;
}

/**
 * The operation that led from one history to the other; null when only the selection changed, undefined when it was
 * not one operation.
 */
export function operationBetween(before: History, after: History): Operation | null | undefined {
  if (before.present.label === after.present.label && before.past.length === after.past.length) return null;
  if (before.past.at(-1) === after.present && after.future.length > before.future.length) return { op: 'undo' };
  if (before.future[0] === after.present) return { op: 'redo' };
  const patch = patchBetween(before.present.label, after.present.label);
  const joins = after.past === before.past;
  if (!joins && after.past.at(-1)?.label !== before.present.label) return undefined;
  return { op: joins ? 'join' : 'do', patch, rest: restOf(after.present), mark: after.mark };
}

/** The history that the operations make; null when they have no beginning. */
export function played(operations: readonly Operation[]): History | null {
  const [first, ...later] = operations;
  if (first?.op !== 'begin') return null;
  return later.reduce(step, { past: [], present: { label: first.label, ...first.rest }, future: [], mark: null });
}

function step(history: History, operation: Operation): History {
  switch (operation.op) {
    case 'begin':
      return { past: [], present: { label: operation.label, ...operation.rest }, future: [], mark: null };
    case 'undo':
      return undo(history);
    case 'redo':
      return redo(history);
    case 'do':
    case 'join': {
      const present = { ...operation.rest, label: applyPatch(history.present.label, operation.patch) };
      const past = operation.op === 'do' ? [...history.past, history.present] : history.past;
      return { past, present, future: [], mark: operation.mark };
    }
  }
}

/** The newest `most` steps of a history from a beginning of their own: what a log that grew long is cut to. */
export function shortened(history: History, most: number): Operation[] {
  const line = [...history.past.slice(-most), history.present, ...history.future];
  const [first = history.present, ...later] = line;
  const operations: Operation[] = [{ op: 'begin', label: first.label, rest: restOf(first) }];
  let before = first;
  for (const document of later) {
    operations.push({
      op: 'do',
      patch: patchBetween(before.label, document.label),
      rest: restOf(document),
      mark: document === history.present ? history.mark : null,
    });
    before = document;
  }
  for (let back = 0; back < history.future.length; back += 1) operations.push({ op: 'undo' });
  return operations;
}
