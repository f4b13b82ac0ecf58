import type { Action, Document } from '../core/document';

/** Hides objects or locks them, or takes that back where all of them are; what is set aside is selected no more. */
export function setAside(how: 'hidden' | 'locked', ids: readonly string[]): Action {
  return (document) => {
    if (ids.length === 0) return document;
    const had = document[how] ?? [];
    const isUndone = ids.every((id) => had.includes(id));
    const next = isUndone ? had.filter((id) => !ids.includes(id)) : [...new Set([...had, ...ids])];
    const selected = isUndone ? document.selected : document.selected.filter((id) => !ids.includes(id));
    return { ...document, [how]: next, selected } satisfies Document;
  };
}
