import { Stack, Text } from '@mantine/core';
import type { AttributeValue } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { setAnswer } from '../../actions/set_answer';
import { isAnswered, questionsOf } from '../../core/attributes';
import { answersOf } from '../../core/document';
import type { LabelSession } from '../../core/label_session';
import { AttributeField } from '../attribute_field';
import { ItemStage, ItemThumb } from '../item_stage';
import type { KindFace } from '../kind';
import { useDocument } from '../use_label';

function Stage({ session }: { session: LabelSession }) {
  return <ItemStage session={session} />;
}

function Panel({ session }: { session: LabelSession }) {
  const t = useT();
  const { ontology } = session.setting;
  const answers = answersOf(useDocument(session));
  return (
    <Stack gap={16}>
      {questionsOf(ontology, answers).map((spec) => (
        <AttributeField
          key={spec.name}
          spec={spec}
          value={answers[spec.name]}
          inForm
          onChange={(value, mark) => session.perform(setAnswer(ontology, spec.name, value), mark ?? null)}
        />
      ))}
      <Text size="xs" c="dimmed">
        {t('Ctrl+Enter submits.')}
      </Text>
    </Stack>
  );
}

const View: KindFace['View'] = ({ label, ontology, item, bare }) => {
  const t = useT();
  const { localised } = useFormat();
  const answers = label.kind === 'form' ? label.answers : {};
  const shown = (value: AttributeValue) => {
    if (typeof value === 'boolean') return value ? t('Yes') : t('No');
    return Array.isArray(value) ? value.join(', ') : String(value);
  };
  // In the order of the questions; without them, of the answers.
  const named = ontology?.attributes?.map((spec) => [spec.name, localised(spec.title) || spec.name] as const);
  const rows = named ?? Object.keys(answers).map((name) => [name, name] as const);
  return (
    <div style={{ display: 'flex', gap: 12 }}>
      {!bare && <ItemThumb item={item} size={72} />}
      <dl className="cup-answers">
        {rows.map(([name, title]) => {
          const value = answers[name];
          if (value === undefined || !isAnswered(value)) return null;
          return (
            <div key={name}>
              <dt dir="auto">{title}</dt>
              <dd dir="auto">{shown(value)}</dd>
            </div>
          );
        })}
      </dl>
    </div>
  );
};

export const form: KindFace = { Stage, Panel, View, operations: () => [] };
