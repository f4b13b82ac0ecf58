import { type Action, objectsOf, touched, withObjects } from '../core/document';
import { faceOf } from '../shapes';

/** Makes one object of several of one class and shape: the first keeps its place, id and attributes. */
export function joinObjects(ids: readonly string[]): Action {
  return (document) => {
    const chosen = objectsOf(document).filter(({ id }) => ids.includes(id));
    const [first, ...others] = chosen;
    const { joined } = first ? faceOf(first.shape) : {};
    const isAlike = others.every(({ cls, shape }) => cls === first?.cls && shape.type === first.shape.type);
    if (!first || others.length === 0 || !joined || !isAlike) return document;
    const shape = joined(chosen.map((object) => object.shape));
    if (!shape) return document;
    const gone = new Set(others.map(({ id }) => id));
    const objects = objectsOf(document)
      .filter(({ id }) => !gone.has(id))
      .map((object) => (object.id === first.id ? { ...touched(object), shape } : object));
    return { ...withObjects(document, objects), selected: [first.id] };
  };
}
