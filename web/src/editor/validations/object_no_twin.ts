import { deleteObjects } from '../actions/delete_objects';
import { faceOf } from '../shapes';
import { issue } from './issue';
import { ofPairs } from './rule';

/** Two objects of one class that lie on each other are probably one thing drawn twice. */
export const objectNoTwin = ofPairs({
  bounds: ({ shape }) => faceOf(shape).bounds(shape),
  reach_px: ({ shape }) => faceOf(shape).reach_px,
  breaks: (a, b) => {
    if (a.cls !== b.cls || a.shape.type !== b.shape.type) return false;
    const face = faceOf(a.shape);
    return face.similarity(a.shape, b.shape) >= face.twin_at;
  },
  issue: ({ id }) =>
    issue('object-no-twin', 'Two objects of this class lie on each other.', {
      severity: 'warning',
      object: id,
      fix: { title: 'Delete one', action: deleteObjects([id]) },
    }),
});
