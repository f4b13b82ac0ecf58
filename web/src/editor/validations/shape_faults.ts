import { deleteObjects } from '../actions/delete_objects';
import { setShape } from '../actions/set_shape';
import { faceOf } from '../shapes';
import { issue } from './issue';
import { ofObject } from './rule';

/** What a shape finds wrong with itself: an extent, a place inside the image. */
export const shapeFaults = ofObject(({ id, shape }, { item }) => {
  const image = { width: item.width ?? Number.POSITIVE_INFINITY, height: item.height ?? Number.POSITIVE_INFINITY };
  return faceOf(shape)
    .faults(shape, image)
    .map(({ rule, message, fix }) =>
      issue(rule, message, {
        object: id,
        fix: fix && { title: fix.title, action: fix.shape ? setShape(id, fix.shape) : deleteObjects([id]) },
      }),
    );
});
