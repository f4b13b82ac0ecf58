import { msg } from '../../i18n/msg';
import { setAnswer } from '../actions/set_answer';
import { areCandidatesOf, fits, isOfItem, isRows, questionsOf } from '../core/attributes';
import { answersOf } from '../core/document';
import { calledOf } from '../core/ontology';
import { issue } from './issue';
import { ofDocument } from './rule';

const ORDER = msg('The answers were shown in an order that is not of this item.');

/** Each answer of a form is a value that its question may have. */
export const answerValue = ofDocument((document, { ontology, item }) => {
  const answers = answersOf(document);
  const shown = document.label.kind === 'form' ? document.label.shown : null;
  const order = shown && !areCandidatesOf(shown, item) ? [issue('answer-value', ORDER, { key: 'shown' })] : [];
  const values = questionsOf(ontology, answers)
    .filter((spec) => {
      const value = answers[spec.name];
      // What is wrong within rows is told row by row.
      if (value === undefined || (spec.type === 'rows' && isRows(value))) return false;
      return !fits(spec, value) || !isOfItem(spec, value, item);
    })
    .map((spec) =>
      issue('answer-value', '“{name}” has a value that is not allowed.', {
        key: spec.name,
        values: { name: calledOf(spec) },
        fix: { title: 'Remove it', action: setAnswer(ontology, spec.name, undefined) },
      }),
    );
  return [...order, ...values];
});
