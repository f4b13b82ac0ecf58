import { setAttribute } from '../actions/set_attribute';
import { attributesFor, fits } from '../core/attributes';
import { issue } from './issue';
import { ofObject } from './rule';

/** An attribute has a value that the ontology allows (a pre-label or an old draft can bring another). */
export const attributeValue = ofObject((object, { ontology }) =>
  attributesFor(ontology, object)
    .filter((spec) => {
      const value = object.attributes?.[spec.name];
      return value !== undefined && !fits(spec, value);
    })
    .map(({ name }) =>
      issue('attribute-value', '“{name}” has a value that is not allowed.', {
        object: object.id,
        key: name,
        values: { name },
        fix: { title: 'Remove it', action: setAttribute(object.id, name, undefined) },
      }),
    ),
);
