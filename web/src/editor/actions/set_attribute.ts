import type { AttributeValue } from '../../api/types';
import { type Action, replaceObject, touched } from '../core/document';

/** Sets one attribute of an object; `undefined` takes it away. */
export function setAttribute(id: string, name: string, value: AttributeValue | undefined): Action {
  return (document) =>
    replaceObject(document, id, (object) => {
      const { [name]: before, ...rest } = object.attributes ?? {};
      if (before === value) return object;
      return { ...touched(object), attributes: value === undefined ? rest : { ...rest, [name]: value } };
    });
}
