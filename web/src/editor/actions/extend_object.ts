import type { Shape } from '../../api/types';
import { type Action, objectsOf, replaceObject, touched } from '../core/document';
import { faceOf, wayOf } from '../shapes';
import type { Ground } from '../shapes/gestures';
import { deleteObjects } from './delete_objects';

/**
 * Goes on with an object: a hole cut into it, pixels painted onto it or erased from it. What is erased whole is deleted;
 * what was drawn and has nothing to do with it changes nothing.
 */
export function extendObject(id: string, drawn: Shape, way: string | null, ground: Ground): Action {
  return (document) => {
    const object = objectsOf(document).find((one) => one.id === id);
    if (!object || object.shape.type !== drawn.type) return document;
    const onto = wayOf(drawn.type, way)?.onto ?? faceOf(object.shape).onto;
    const shape = onto?.(object.shape, drawn, ground);
    if (shape) return replaceObject(document, id, (one) => ({ ...touched(one), shape }));
    // Only painting takes all away; an outline that does not fit is left out.
    return faceOf(object.shape).pose === 'pixels' ? deleteObjects([id])(document) : document;
  };
}
