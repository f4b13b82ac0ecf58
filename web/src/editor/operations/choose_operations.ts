import type { Ontology } from '../../api/types';
import { chooseValue } from '../actions/choose_value';
import { clearChoice } from '../actions/clear_choice';
import { choiceKeys } from '../core/choice_keys';
import { isEmpty } from '../kinds/models';
import type { Operation } from './operation';

/** One operation for each class that has a key, and one that clears. */
export function chooseOperations(ontology: Ontology): Operation[] {
  const choices = [...choiceKeys(ontology)].map(
    ([name, key]): Operation => ({
      id: `choose:${name}`,
      title: 'Choose {name}',
      values: { name },
      keys: [key],
      disabledBecause: () => null,
      run: (session) => session.perform(chooseValue(name, ontology.multiple ?? false)),
    }),
  );
  const clear: Operation = {
    id: 'clear',
    title: 'Clear the choice',
    keys: ['Backspace', 'Delete'],
    disabledBecause: (session) => (isEmpty(session.document.label) ? 'Nothing is chosen.' : null),
    run: (session) => session.perform(clearChoice),
  };
  return [...choices, clear];
}
