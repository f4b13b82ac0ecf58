import { issue, type Validation } from './issue';

function compiled(pattern: string): RegExp | null {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    // Written in a dialect this browser does not read; the server, which checks again, has the last word.
    return null;
  }
}

/** The text has the form that the ontology asks for. */
export const textPattern: Validation = ({ label }, { ontology }) => {
  if (label.kind !== 'text' || !ontology.text?.pattern || label.text.trim() === '') return [];
  const pattern = compiled(ontology.text.pattern);
  if (!pattern || pattern.test(label.text)) return [];
  return [issue('text-pattern', 'The text must look like {pattern}', { values: { pattern: ontology.text.pattern } })];
};
