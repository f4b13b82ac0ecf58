import { issue } from './issue';
import { ofKeys } from './rule';

/** Each object has an id of its own (a pre-label can bring two of one). */
export const objectIdOnce = ofKeys({
  key: ({ id }) => id,
  issue: issue('object-id-once', 'Two objects have the same id: delete one and draw it anew.'),
});
