import { deleteObjects } from '../actions/delete_objects';
import { objectsOf } from '../core/document';
import { issue, type Validation } from './issue';

/** Below this a box is a slip of the hand, not an object. */
export const SMALLEST_BOX_PX = 1;

/** A box has an extent. */
export const boxNotTiny: Validation = (document) =>
  objectsOf(document)
    .filter(({ shape }) => shape.w < SMALLEST_BOX_PX || shape.h < SMALLEST_BOX_PX)
    .map((object) =>
      issue('box-not-tiny', 'This box is smaller than a pixel.', {
        object: object.id,
        fix: { title: 'Delete it', action: deleteObjects([object.id]) },
      }),
    );
