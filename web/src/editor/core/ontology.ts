/** What an ontology says, members that were left out at their default included. */
import type { AttributeSpec, ClassSpec, Ontology } from '../../api/types';

const NONE: readonly ClassSpec[] = [];

/** The classes in the ontology's order; a text's ontology has none. */
export function classesOf(ontology: Ontology): readonly ClassSpec[] {
  return ontology.classes ?? NONE;
}

/** Those of things that are drawn: events go on in time alone. */
export const drawnClasses = (ontology: Ontology): readonly ClassSpec[] => {
  const classes = classesOf(ontology);
  return classes.some(({ event }) => event) ? classes.filter(({ event }) => !event) : classes;
};

export function classNamed(ontology: Ontology, name: string): ClassSpec | undefined {
  return classesOf(ontology).find((cls) => cls.name === name);
}

/** What people know a question by. */
export function calledOf({ name, title }: AttributeSpec): string {
  return title?.en ?? Object.values(title ?? {})[0] ?? name;
}
