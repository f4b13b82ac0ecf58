import { matchesWhole } from '../core/patterns';
import { issue } from './issue';
import { ofDocument } from './rule';

/** The text has the form that the ontology asks for, blanks at its ends aside. */
export const textPattern = ofDocument(({ label }, { ontology }) => {
  if (label.kind !== 'text' || !ontology.text?.pattern) return [];
  if (matchesWhole(ontology.text.pattern, label.text.trim())) return [];
  return [issue('text-pattern', 'The text must look like {pattern}', { values: { pattern: ontology.text.pattern } })];
});
