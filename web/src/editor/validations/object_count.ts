import { objectsOf } from '../core/document';
import { MAX_OBJECTS } from '../core/limits';
import { issue } from './issue';
import { ofDocument } from './rule';

/** No label has more objects than the server takes. */
export const objectCount = ofDocument((document) => {
  const over = objectsOf(document).length - MAX_OBJECTS;
  return over > 0
    ? [issue('object-count', 'At most {most} objects: {over} too many.', { values: { most: MAX_OBJECTS, over } })]
    : [];
});
