import { type Action, replaceObject, touched } from '../core/document';
import { turnedTo } from '../core/geometry';

/** Turns an object's box about its centre to `angle_rad`, clockwise on screen. */
export function rotateObject(id: string, angle_rad: number): Action {
  return (document) =>
    replaceObject(document, id, (object) => {
      const shape = turnedTo(object.shape, angle_rad);
      return shape.rotation_rad === object.shape.rotation_rad ? object : { ...touched(object), shape };
    });
}
