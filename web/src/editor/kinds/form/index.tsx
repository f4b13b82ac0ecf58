import { Stack, Text } from '@mantine/core';
import type { AttributeSpec, ItemView, Label } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { answeredSeeing, setAnswer } from '../../actions/set_answer';
import { areCandidatesOf, isAnswered, questionsOf } from '../../core/attributes';
import { drawn, targetsOf } from '../../core/conversation';
import { answersOf } from '../../core/document';
import type { LabelSession } from '../../core/label_session';
import { ConversationLook, conversationIn } from '../conversation';
import { ItemStage, ItemThumb } from '../item_stage';
import type { KindFace } from '../kind';
import { useDocument } from '../use_label';
import { AnswerShown } from './answer_shown';
import { FilesHome, useFilesOf } from './files';
import { SeenHome } from './named_targets';
import { QuestionField } from './question_field';

const orders = new WeakMap<LabelSession, { item: ItemView; order: readonly string[] }>();

/** The candidates in the order in which this person sees them: as kept with the label, else drawn once for the item. */
function orderFor(session: LabelSession, label: Label): readonly string[] {
  const { item } = session.setting;
  const kept = label.kind === 'form' ? label.shown : null;
  if (kept && areCandidatesOf(kept, item)) return kept;
  const before = orders.get(session);
  if (before && before.item.id === item.id && before.item.text === item.text) return before.order;
  const order = drawn(targetsOf(item, 'candidate') ?? []);
  orders.set(session, { item, order });
  return order;
}

function Stage({ session }: { session: LabelSession }) {
  const { label } = useDocument(session);
  const told = conversationIn(session.setting.item);
  if (told) return <ConversationLook told={told} order={orderFor(session, label)} />;
  return <ItemStage session={session} />;
}

/** A criterion says its points behind its words, in each language. */
function usePointed(): (spec: AttributeSpec) => AttributeSpec {
  const t = useT();
  const { localised, number } = useFormat();
  return (spec) => {
    if (typeof spec.weight !== 'number') return spec;
    const points = `${spec.weight > 0 ? '+' : '−'}${number(Math.abs(spec.weight))}`;
    const words = `${localised(spec.title) || spec.name} (${t('{points} points', { points })})`;
    return { ...spec, title: { en: words, zh: words } };
  };
}

function Panel({ session }: { session: LabelSession }) {
  const t = useT();
  const { ontology } = session.setting;
  const pointed = usePointed();
  const document = useDocument(session);
  const answers = answersOf(document);
  const { item } = session.setting;
  const files = useFilesOf(item);
  const order = orderFor(session, document.label);
  const seeing = order.length ? order : null;
  return (
    <FilesHome value={files}>
      <SeenHome value={{ item, order }}>
        <Stack gap={16} key={session.setting.item.id ?? session.setting.item.text}>
          {questionsOf(ontology, answers).map((spec) => (
            <QuestionField
              key={spec.name}
              spec={pointed(spec)}
              value={answers[spec.name]}
              onChange={(value, mark) =>
                session.perform(answeredSeeing(seeing, setAnswer(ontology, spec.name, value)), mark ?? null)
              }
            />
          ))}
          <Text size="xs" c="dimmed">
            {t('Ctrl+Enter submits.')}
          </Text>
        </Stack>
      </SeenHome>
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
  const told = bare ? null : conversationIn(item);
  const shown = label.kind === 'form' && label.shown ? label.shown : (targetsOf(item, 'candidate') ?? []);
  return (
    <FilesHome value={files}>
      <SeenHome value={{ item, order: shown }}>
        {told && <ConversationLook told={told} order={shown} />}
        <div style={{ display: 'flex', gap: 12 }}>
          {!bare && !told && <ItemThumb item={item} size={72} />}
          <dl className="cup-form-answers">
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
      </SeenHome>
    </FilesHome>
  );
};

export const form: KindFace = { Stage, Panel, View, operations: () => [] };
