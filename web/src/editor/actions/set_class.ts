import { type Action, objectsOf, touched, withObjects } from '../core/document';

/**
 * Makes `cls` the class of the selected objects, and of what is drawn next. Attributes that the new class does not
 * have are left for the ontology's validation to name, so that a slip of the key can be undone without loss.
 */
export function setClass(cls: string): Action {
  return (document) => {
    const selected = new Set(document.selected);
    let changed = false;
    const objects = objectsOf(document).map((object) => {
      if (!selected.has(object.id) || object.cls === cls) return object;
      changed = true;
      return { ...touched(object), cls };
    });
    if (changed) return { ...withObjects(document, objects), cls };
    return document.cls === cls ? document : { ...document, cls };
  };
}
