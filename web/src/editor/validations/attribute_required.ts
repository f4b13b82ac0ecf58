import { attributesFor } from '../core/attributes';
import { objectsOf } from '../core/document';
import { issue, type Validation } from './issue';

/** A required attribute that applies to an object has a value. */
export const attributeRequired: Validation = (document, { ontology }) =>
  objectsOf(document).flatMap((object) =>
    attributesFor(ontology, object)
      .filter((spec) => {
        const value = object.attributes?.[spec.name];
        return spec.required && (value === undefined || value === '' || (Array.isArray(value) && value.length === 0));
      })
      .map((spec) =>
        issue('attribute-required', '“{name}” needs a value.', {
          object: object.id,
          key: spec.name,
          values: { name: spec.name },
        }),
      ),
  );
