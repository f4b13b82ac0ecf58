/** What an ontology says, members that were left out at their default included. */
import type { AttributeSpec, ClassSpec, Ontology } from '../../api/types';

const NONE: readonly ClassSpec[] = [];

/** The classes in the ontology's order; a text's ontology has none. */
export function classesOf(ontology: Ontology): readonly ClassSpec[] {
  return ontology.classes ?? NONE;
}

export function classNamed(ontology: Ontology, name: string): ClassSpec | undefined {
  return classesOf(ontology).find((cls) => cls.name === name);
}

/** What people know a question by. */
export function calledOf({ name, title }: AttributeSpec): string {
  return title?.en ?? Object.values(title ?? {})[0] ?? name;
}
