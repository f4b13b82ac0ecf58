import { issue, type Validation } from './issue';

/** A choice needs at least one value. */
export const choiceRequired: Validation = ({ label }) =>
  label.kind === 'choice' && label.values.length === 0 ? [issue('choice-required', 'Choose a label first.')] : [];
