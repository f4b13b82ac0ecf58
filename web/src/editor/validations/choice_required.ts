import { issue } from './issue';
import { ofDocument } from './rule';

/** A choice of one needs its value; of several it may be that none applies. */
export const choiceRequired = ofDocument(({ label }, { ontology }) =>
  label.kind === 'choice' && !ontology.multiple && label.values.length === 0
    ? [issue('choice-required', 'Choose a label first.')]
    : [],
);
