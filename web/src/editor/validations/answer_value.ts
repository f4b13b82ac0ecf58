import { setAnswer } from '../actions/set_answer';
import { fits, isRows, questionsOf } from '../core/attributes';
import { answersOf } from '../core/document';
import { calledOf } from '../core/ontology';
import { issue } from './issue';
import { ofDocument } from './rule';

/** Each answer of a form is a value that its question may have. */
export const answerValue = ofDocument((document, { ontology }) => {
  const answers = answersOf(document);
  return questionsOf(ontology, answers)
    .filter((spec) => {
      const value = answers[spec.name];
      // What is wrong within rows is told row by row.
      return value !== undefined && !fits(spec, value) && !(spec.type === 'rows' && isRows(value));
    })
    .map((spec) =>
      issue('answer-value', '“{name}” has a value that is not allowed.', {
        key: spec.name,
        values: { name: calledOf(spec) },
        fix: { title: 'Remove it', action: setAnswer(ontology, spec.name, undefined) },
      }),
    );
});
