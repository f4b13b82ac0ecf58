import { deleteObjects } from '../actions/delete_objects';
import { objectsOf } from '../core/document';
import { iou } from '../core/geometry';
import { issue, type Validation } from './issue';

const TWIN_IOU = 0.95;

/** Two boxes of one class that lie on each other are probably one object drawn twice. */
export const boxNoTwin: Validation = (document) => {
  const objects = objectsOf(document);
  return objects
    .filter((object, at) =>
      objects.slice(0, at).some((other) => other.cls === object.cls && iou(other.shape, object.shape) >= TWIN_IOU),
    )
    .map((object) =>
      issue('box-no-twin', 'Two boxes of this class lie on each other.', {
        severity: 'warning',
        object: object.id,
        fix: { title: 'Delete one', action: deleteObjects([object.id]) },
      }),
    );
};
