import { setAttribute } from '../actions/set_attribute';
import { attributesFor } from '../core/attributes';
import { objectsOf } from '../core/document';
import { issue, type Validation } from './issue';

/** An object carries no attribute that its class, or the state of its other attributes, does not have. */
export const attributeKnown: Validation = (document, { ontology }) =>
  objectsOf(document).flatMap((object) => {
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
