import { classNamed } from '../core/ontology';
import { issue } from './issue';
import { ofObject } from './rule';

/** Every object's class is in the ontology. */
export const objectClassKnown = ofObject(({ id, cls }, { ontology }) =>
  classNamed(ontology, cls)
    ? []
    : [
        issue('object-class-known', '“{cls}” is not a class of this project: choose another.', {
          object: id,
          values: { cls },
        }),
      ],
);
