import type { Ontology } from '../../api/types';
import { classKeys } from './class_keys';
import { classesOf } from './ontology';

/** Of two candidates: the first, the second, neither. */
const OF_TWO = ['1', '2', '0'];

/** The key of each class that may be chosen, in the ontology's order. */
export function choiceKeys(ontology: Ontology): Map<string, string> {
  const classes = classesOf(ontology);
  if (!ontology.compare) return classKeys(classes);
  return new Map(classes.map((cls, at) => [cls.name, OF_TWO[at] as string]));
}
