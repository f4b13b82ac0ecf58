import { setAttribute } from '../actions/set_attribute';
import { attributesFor } from '../core/attributes';
import { issue } from './issue';
import { ofObject } from './rule';

/** An object carries no attribute that its class, or the state of its other attributes, does not have. */
export const attributeKnown = ofObject((object, { ontology }) => {
  const known = new Set(attributesFor(ontology, object).map((spec) => spec.name));
  return Object.keys(object.attributes ?? {})
    .filter((name) => !known.has(name))
    .map((name) =>
      issue('attribute-known', '“{name}” does not apply to this object.', {
        object: object.id,
        key: name,
        values: { name },
        fix: { title: 'Remove it', action: setAttribute(object.id, name, undefined) },
      }),
    );
});
