import { type Action, objectsOf } from '../core/document';
import { selectObjects } from './select_objects';

/** The next objects have the class and the attributes of the one selected last, else of the last one drawn. */
export function repeatLast(): Action {
  return (document) => {
    const objects = objectsOf(document);
    const last = objects.find(({ id }) => id === document.selected.at(-1)) ?? objects.at(-1);
    if (!last) return document;
    const { cls, attributes = {} } = last;
    return { ...selectObjects([])(document), cls, again: { cls, attributes } };
  };
}
