import { type Action, replaceObject, touched } from '../core/document';
import { faceOf } from '../shapes';

/** Turns an object about its centre to `angle_rad`, clockwise on screen; a shape that cannot turn stays as it is. */
export function rotateObject(id: string, angle_rad: number): Action {
  return (document) =>
    replaceObject(document, id, (object) => {
      const { turn } = faceOf(object.shape);
      const shape = turn?.to(object.shape, angle_rad) ?? object.shape;
      return turn === null || turn.of(shape) === turn.of(object.shape) ? object : { ...touched(object), shape };
    });
}
