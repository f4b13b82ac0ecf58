import type { Answer, Ontology } from '../../api/types';
import { questionsOf } from '../core/attributes';
import { type Action, answersOf } from '../core/document';

/** Answers one question of a form; `undefined` takes the answer away, and with it those that it led to. */
export function setAnswer(ontology: Ontology, name: string, value: Answer | undefined): Action {
  return (document) => {
    const { [name]: before, ...rest } = answersOf(document);
    if (document.label.kind !== 'form' || before === value) return document;
    let answers: Record<string, Answer> = value === undefined ? rest : { ...rest, [name]: value };
    for (;;) {
      const asked = new Set(questionsOf(ontology, answers).map((spec) => spec.name));
      const kept = Object.entries(answers).filter(([one]) => asked.has(one) || one === name);
      if (kept.length === Object.keys(answers).length) break;
      answers = Object.fromEntries(kept);
    }
    return { ...document, label: { ...document.label, answers } };
  };
}

/** The same for whoever saw the candidates in this order, which is kept with the answers. */
export function answeredSeeing(shown: readonly string[] | null, action: Action): Action {
  return (document) => {
    const next = action(document);
    if (!shown || next === document || next.label.kind !== 'form' || next.label.shown) return next;
    return { ...next, label: { ...next.label, shown: [...shown] } };
  };
}
