import { chooseValue } from '../actions/choose_value';
import { clearChoice } from '../actions/clear_choice';
import { issue } from './issue';
import { ofDocument } from './rule';

/** Only one value where the ontology does not allow several. */
export const choiceSingle = ofDocument(({ label }, { ontology }) => {
  const first = label.kind === 'choice' && !ontology.multiple && label.values.length > 1 ? label.values[0] : undefined;
  if (first === undefined) return [];
  return [
    issue('choice-single', 'Only one label is allowed here.', {
      fix: { title: 'Keep the first', action: (document) => chooseValue(first, false)(clearChoice(document)) },
    }),
  ];
});
