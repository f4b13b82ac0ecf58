import type { Action } from '../core/document';

/** Selects exactly these objects. Not a step of history. */
export function selectObjects(ids: readonly string[]): Action {
  return (document) =>
    ids.length === document.selected.length && ids.every((id, at) => id === document.selected[at])
      ? document
      : { ...document, selected: [...ids] };
}
