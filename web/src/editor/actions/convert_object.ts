import { contoursOf } from '../core/contours';
import { type Action, replaceObject, touched } from '../core/document';
import type { Size } from '../core/geometry';
import { filledTiles } from '../core/masks';
import { simplerRing } from '../core/outlines';
import { type Part, polygonOf } from '../core/polygons';
import { faceOf } from '../shapes';

/** What an outline along pixels may differ from their edges. */
const SLACK_PX = 0.75;

/** A mask of what outlines hold, a polygon along the pixels of a mask; other shapes stay. */
export function convertObject(id: string, image: Size): Action {
  return (document) =>
    replaceObject(document, id, (object) => {
      const { tiles, rings } = faceOf(object.shape);
      if (tiles) {
        const parts = contoursOf(tiles(object.shape)).map(
          (part) => part.map((ring) => simplerRing(ring, SLACK_PX)) as unknown as Part,
        );
        const shape = polygonOf(parts);
        return shape ? { ...touched(object), shape } : object;
      }
      const filled = rings ? filledTiles(rings(object.shape), image) : [];
      return filled.length > 0 ? { ...touched(object), shape: { type: 'mask', tiles: filled } } : object;
    });
}
