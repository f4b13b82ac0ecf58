import { Stack, Text } from '@mantine/core';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { setAnswer } from '../../actions/set_answer';
import { isAnswered, questionsOf } from '../../core/attributes';
import { answersOf } from '../../core/document';
import type { LabelSession } from '../../core/label_session';
import { ItemStage, ItemThumb } from '../item_stage';
import type { KindFace } from '../kind';
import { useDocument } from '../use_label';
import { AnswerShown } from './answer_shown';
import { FilesHome, useFilesOf } from './files';
import { QuestionField } from './question_field';

function Stage({ session }: { session: LabelSession }) {
  return <ItemStage session={session} />;
}

function Panel({ session }: { session: LabelSession }) {
  const t = useT();
  const { ontology } = session.setting;
  const answers = answersOf(useDocument(session));
  const files = useFilesOf(session.setting.item);
  return (
    <FilesHome value={files}>
      <Stack gap={16} key={session.setting.item.id ?? session.setting.item.text}>
        {questionsOf(ontology, answers).map((spec) => (
          <QuestionField
            key={spec.name}
            spec={spec}
            value={answers[spec.name]}
            onChange={(value, mark) => session.perform(setAnswer(ontology, spec.name, value), mark ?? null)}
          />
        ))}
        <Text size="xs" c="dimmed">
          {t('Ctrl+Enter submits.')}
        </Text>
      </Stack>
    </FilesHome>
  );
}

const View: KindFace['View'] = ({ label, ontology, item, bare }) => {
  const { localised } = useFormat();
  const files = useFilesOf(item);
  const answers = label.kind === 'form' ? label.answers : {};
  // In the order of the questions; without them, of the answers.
  const named = ontology?.attributes?.map((spec) => [spec.name, localised(spec.title) || spec.name, spec] as const);
  const rows = named ?? Object.keys(answers).map((name) => [name, name, null] as const);
  return (
    <FilesHome value={files}>
      <div style={{ display: 'flex', gap: 12 }}>
        {!bare && <ItemThumb item={item} size={72} />}
        <dl className="cup-answers">
          {rows.map(([name, title, spec]) => {
            const value = answers[name];
            if (value === undefined || !isAnswered(value)) return null;
            return (
              <div key={name}>
                <dt dir="auto">{title}</dt>
                <dd dir="auto">
                  <AnswerShown value={value} spec={spec} />
                </dd>
              </div>
            );
          })}
        </dl>
      </div>
    </FilesHome>
  );
};

export const form: KindFace = { Stage, Panel, View, operations: () => [] };
