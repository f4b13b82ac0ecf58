import { attributesFor, isAnswered } from '../core/attributes';
import { issue } from './issue';
import { ofObject } from './rule';

/** A required attribute that applies to an object has a value. */
export const attributeRequired = ofObject((object, { ontology }) =>
  attributesFor(ontology, object)
    .filter((spec) => spec.required && !isAnswered(object.attributes?.[spec.name]))
    .map((spec) =>
      issue('attribute-required', '“{name}” needs a value.', {
        object: object.id,
        key: spec.name,
        values: { name: spec.name },
      }),
    ),
);
