import { countHint } from '../core/bounds';
import { issue } from './issue';
import { ofDocument } from './rule';

/** Where several classes may be chosen, as many are as the ontology asks for. */
export const choiceCount = ofDocument(({ label }, { ontology }) => {
  const hint = countHint(ontology);
  if (label.kind !== 'choice' || !ontology.multiple || !hint) return [];
  const count = label.values.length;
  const isTooFew = count < (ontology.at_least ?? 0);
  const isTooMany = count > (ontology.at_most ?? Number.POSITIVE_INFINITY);
  return isTooFew || isTooMany ? [issue('choice-count', hint.message, { values: hint.values })] : [];
});
