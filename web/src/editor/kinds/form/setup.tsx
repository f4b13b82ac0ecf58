import { msg } from '../../../i18n/msg';
import { type AttributeDraft, Attributes, attributeOf, draftOf, incompleteAttributes } from '../../setup/attributes';
import type { FormProps, KindSetup } from '../../setup/setup';

interface Own {
  questions: AttributeDraft[];
}

const WORDS = {
  title: msg('Questions'),
  add: msg('Add a question'),
  none: msg('What is asked about each item, one question after the other.'),
  name: msg('Question'),
};

function Form({ own, change }: FormProps<Own>) {
  return <Attributes inForm attributes={own.questions} words={WORDS} change={(questions) => change({ questions })} />;
}

export const formSetup: KindSetup<Own> = {
  blank: { questions: [] },
  ontology: (_named, { questions }) => ({ kind: 'form', attributes: questions.map(attributeOf) }),
  from: ({ attributes }) => ({ questions: (attributes ?? []).map(draftOf) }),
  incomplete: (_named, { questions }) =>
    questions.length < 1 ? msg('Ask at least one question.') : incompleteAttributes(questions),
  Form,
};
