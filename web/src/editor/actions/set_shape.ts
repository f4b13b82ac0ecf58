import type { Shape } from '../../api/types';
import { type Action, replaceObject, touched } from '../core/document';

/** Gives an object another shape. */
export function setShape(id: string, shape: Shape): Action {
  return (document) => replaceObject(document, id, (object) => ({ ...touched(object), shape }));
}
