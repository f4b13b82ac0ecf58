import type { BoxShape } from '../../api/types';
import { setShape } from '../actions/set_shape';
import { objectsOf } from '../core/document';
import { boxBetween, clampPoint, type Size } from '../core/geometry';
import { issue, type Validation } from './issue';

const SLACK_PX = 0.01;

function cut(shape: BoxShape, image: Size): BoxShape {
  return boxBetween(clampPoint(shape, image), clampPoint({ x: shape.x + shape.w, y: shape.y + shape.h }, image));
}

/** An unrotated box lies inside its image. */
export const boxInsideImage: Validation = (document, { item }) => {
  if (!item.width || !item.height) return [];
  const image = { width: item.width, height: item.height };
  return objectsOf(document)
    .filter(
      ({ shape: { x, y, w, h, rotation_rad } }) =>
        !rotation_rad &&
        (x < -SLACK_PX || y < -SLACK_PX || x + w > image.width + SLACK_PX || y + h > image.height + SLACK_PX),
    )
    .map((object) =>
      issue('box-inside-image', 'This box reaches past the edge of the image.', {
        object: object.id,
        fix: { title: 'Cut it at the edge', action: setShape(object.id, cut(object.shape, image)) },
      }),
    );
};
