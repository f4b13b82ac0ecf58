import { type Action, objectsOf, withObjects } from '../core/document';

/** Deletes the objects with these ids. */
export function deleteObjects(ids: readonly string[]): Action {
  return (document) => {
    const gone = new Set(ids);
    const kept = objectsOf(document).filter((object) => !gone.has(object.id));
    if (kept.length === objectsOf(document).length) return document;
    return { ...withObjects(document, kept), selected: document.selected.filter((id) => !gone.has(id)) };
  };
}
