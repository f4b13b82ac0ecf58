import { setAnswer } from '../actions/set_answer';
import { questionsOf } from '../core/attributes';
import { answersOf } from '../core/document';
import { issue } from './issue';
import { ofDocument } from './rule';

/** A form has no answer to what is not asked (a pre-label or an old draft can bring one). */
export const answerKnown = ofDocument((document, { ontology }) => {
  const answers = answersOf(document);
  const known = new Set(questionsOf(ontology, answers).map((spec) => spec.name));
  return Object.keys(answers)
    .filter((name) => !known.has(name))
    .map((name) =>
      issue('answer-known', '“{name}” is not asked here.', {
        key: name,
        values: { name },
        fix: { title: 'Remove it', action: setAnswer(ontology, name, undefined) },
      }),
    );
});
