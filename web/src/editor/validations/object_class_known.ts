import { objectsOf } from '../core/document';
import { issue, type Validation } from './issue';

/** Every object's class is in the ontology. */
export const objectClassKnown: Validation = (document, { ontology }) => {
  const known = new Set(ontology.classes.map((cls) => cls.name));
  return objectsOf(document)
    .filter((object) => !known.has(object.cls))
    .map((object) =>
      issue('object-class-known', '“{cls}” is not a class of this project: choose another.', {
        object: object.id,
        values: { cls: object.cls },
      }),
    );
};
