import { type Action, objectsOf, withObjects } from '../core/document';

/** Puts objects before all others (drawn over them) or behind all, in the order that they have among each other. */
export function orderObjects(ids: readonly string[], to: 'front' | 'back'): Action {
  return (document) => {
    const objects = objectsOf(document);
    const chosen = objects.filter(({ id }) => ids.includes(id));
    const rest = objects.filter(({ id }) => !ids.includes(id));
    const next = to === 'front' ? [...rest, ...chosen] : [...chosen, ...rest];
    return next.every((object, at) => object === objects[at]) ? document : withObjects(document, next);
  };
}
