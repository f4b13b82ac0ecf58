import { deleteObjects } from '../actions/delete_objects';
import { classNamed } from '../core/ontology';
import { faceOf } from '../shapes';
import { issue } from './issue';
import { ofPairs } from './rule';

/** What rounding leaves of two that only touch. */
const SLACK = 0.005;

/** Two objects of a class overlap no more than their class allows. */
export const overlapOfClass = ofPairs({
  bounds: ({ shape }) => faceOf(shape).bounds(shape),
  reach_px: ({ shape }) => faceOf(shape).reach_px,
  breaks: (a, b, { ontology }) => {
    if (a.cls !== b.cls || a.shape.type !== b.shape.type) return false;
    const most = classNamed(ontology, a.cls)?.max_overlap;
    return typeof most === 'number' && faceOf(a.shape).similarity(a.shape, b.shape) > most + SLACK;
  },
  issue: ({ id, cls }) =>
    issue('overlap-of-class', 'Two of “{cls}” overlap by more than is allowed.', {
      object: id,
      values: { cls },
      fix: { title: 'Delete one', action: deleteObjects([id]) },
    }),
});
