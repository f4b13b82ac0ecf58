import type { ClassSpec } from '../../api/types';

const IN_ORDER = [...'1234567890', ...'QWERTYUIOPASDFGHJKL'];

/**
 * The key of each class, in the ontology's order. Classes that are all single digits are chosen by their own digit:
 * a person who sees a 7 presses 7. `letters` off leaves the letters to tools.
 */
export function classKeys(classes: readonly ClassSpec[], letters = true): Map<string, string> {
  if (classes.every((cls) => /^[0-9]$/.test(cls.name))) return new Map(classes.map((cls) => [cls.name, cls.name]));
  const keys = letters ? IN_ORDER : IN_ORDER.slice(0, 10);
  return new Map(classes.slice(0, keys.length).map((cls, at) => [cls.name, keys[at] as string]));
}
