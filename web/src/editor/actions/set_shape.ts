import type { BoxShape } from '../../api/types';
import { type Action, replaceObject, touched } from '../core/document';

/** Gives an object another shape. */
export function setShape(id: string, shape: BoxShape): Action {
  return (document) => replaceObject(document, id, (object) => ({ ...touched(object), shape }));
}
