import { classNamed } from '../core/ontology';
import { faceOf } from '../shapes';
import { issue } from './issue';
import { ofObject } from './rule';

/** A skeleton has the places that its class names, each once. */
export const placesOfClass = ofObject(({ id, cls, shape }, { ontology }) => {
  const spec = classNamed(ontology, cls);
  const { fits } = faceOf(shape);
  if (!spec || !fits || fits(shape, spec)) return [];
  return [
    issue('places-of-class', 'This skeleton has other places than “{cls}”: draw it anew.', {
      object: id,
      values: { cls },
    }),
  ];
});
