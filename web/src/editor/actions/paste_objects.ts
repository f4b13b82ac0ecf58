import type { LabelObject } from '../../api/types';
import { type Action, isDrawnOn, objectsOf, withObjects } from '../core/document';
import type { Size } from '../core/geometry';
import { faceOf } from '../shapes';

/** Puts copies where they were, as far as this picture goes there, each under a new id; they are a person's. */
export function pasteObjects(copied: readonly LabelObject[], newId: () => string, image: Size): Action {
  return (document) => {
    if (!isDrawnOn(document) || copied.length === 0) return document;
    const added = copied.map((object) => ({
      ...object,
      id: newId(),
      source: 'person' as const,
      shape: faceOf(object.shape).moved(object.shape, 0, 0, image),
    }));
    return { ...withObjects(document, [...objectsOf(document), ...added]), selected: added.map(({ id }) => id) };
  };
}
