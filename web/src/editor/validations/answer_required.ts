import { isAnswered, openOf, questionsOf } from '../core/attributes';
import { answersOf } from '../core/document';
import { calledOf } from '../core/ontology';
import { issue } from './issue';
import { ofDocument } from './rule';

/** A required question of a form that is asked has an answer. */
export const answerRequired = ofDocument((document, { ontology, item }) => {
  const answers = answersOf(document);
  return questionsOf(ontology, answers)
    .filter(
      (spec) => spec.required && (!isAnswered(answers[spec.name]) || openOf(spec, answers[spec.name], item).length),
    )
    .map((spec) =>
      issue('answer-required', '“{name}” needs a value.', { key: spec.name, values: { name: calledOf(spec) } }),
    );
});
