import type { BoxShape } from '../../api/types';
import { setShape } from '../actions/set_shape';
import { objectsOf } from '../core/document';
import { boxBetween, centre, clampPoint, moved, type Size } from '../core/geometry';
import { issue, type Validation } from './issue';

const SLACK_PX = 0.01;

function cut(shape: BoxShape, image: Size): BoxShape {
  return boxBetween(clampPoint(shape, image), clampPoint({ x: shape.x + shape.w, y: shape.y + shape.h }, image));
}

function isInside({ x, y }: { x: number; y: number }, image: Size): boolean {
  return x >= -SLACK_PX && y >= -SLACK_PX && x <= image.width + SLACK_PX && y <= image.height + SLACK_PX;
}

/** An upright box lies inside its image; a turned one may hang over the edge, but its centre may not. */
export const boxInsideImage: Validation = (document, { item }) => {
  if (!item.width || !item.height) return [];
  const image = { width: item.width, height: item.height };
  return objectsOf(document).flatMap(({ id, shape }) => {
    if (shape.rotation_rad) {
      if (isInside(centre(shape), image)) return [];
      return issue('box-inside-image', 'The centre of this box lies outside the image.', {
        object: id,
        fix: { title: 'Move it inside', action: setShape(id, moved(shape, 0, 0, image)) },
      });
    }
    if (isInside(shape, image) && isInside({ x: shape.x + shape.w, y: shape.y + shape.h }, image)) return [];
    return issue('box-inside-image', 'This box reaches past the edge of the image.', {
      object: id,
      fix: { title: 'Cut it at the edge', action: setShape(id, cut(shape, image)) },
    });
  });
};
