import { chooseValue } from '../actions/choose_value';
import { clearChoice } from '../actions/clear_choice';
import { classesOf } from '../core/ontology';
import { issue } from './issue';
import { ofDocument } from './rule';

/** Every value is a class of the ontology (an old draft can name one that is gone). */
export const choiceKnown = ofDocument(({ label }, { ontology }) => {
  if (label.kind !== 'choice') return [];
  const known = new Set(classesOf(ontology).map((cls) => cls.name));
  return label.values
    .filter((value) => !known.has(value))
    .map((value) =>
      issue('choice-known', '“{value}” is not a label of this project.', {
        key: value,
        values: { value },
        fix: {
          title: 'Remove it',
          action: (document) => (ontology.multiple ? chooseValue(value, true)(document) : clearChoice(document)),
        },
      }),
    );
});
