import { Group, Text } from '@mantine/core';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { Chip, Key } from '../../../ui/bits';
import { chooseValue } from '../../actions/choose_value';
import { countHint } from '../../core/bounds';
import { choiceKeys } from '../../core/choice_keys';
import type { LabelSession } from '../../core/label_session';
import { classesOf, classNamed } from '../../core/ontology';
import { chooseOperations } from '../../operations/choose_operations';
import { ItemStage, ItemThumb } from '../item_stage';
import type { KindFace } from '../kind';
import { useDocument } from '../use_label';

function Stage({ session }: { session: LabelSession }) {
  return <ItemStage session={session} />;
}

function Panel({ session }: { session: LabelSession }) {
  const t = useT();
  const { localised } = useFormat();
  const { ontology } = session.setting;
  const { label } = useDocument(session);
  const chosen = label.kind === 'choice' ? label.values : [];
  const keys = choiceKeys(ontology);
  const multiple = ontology.multiple ?? false;
  const hint = countHint(ontology);
  return (
    <>
      {hint && (
        <Text size="sm" mb={8}>
          {t(hint.message, hint.values)}
        </Text>
      )}
      <div
        className="cup-choices"
        role={multiple ? 'group' : 'radiogroup'}
        aria-label={multiple ? t('Labels: any that apply') : t('Labels: one')}
      >
        {classesOf(ontology).map((cls) => {
          const on = chosen.includes(cls.name);
          return (
            <button
              key={cls.name}
              type="button"
              role={multiple ? 'checkbox' : 'radio'}
              aria-checked={on}
              className="cup-choice"
              onClick={() => session.perform(chooseValue(cls.name, multiple))}
            >
              <span dir="auto" style={{ flex: 1, overflowWrap: 'anywhere' }}>
                {localised(cls.title) || cls.name}
              </span>
              {keys.has(cls.name) && <Key>{keys.get(cls.name)}</Key>}
            </button>
          );
        })}
      </div>
    </>
  );
}

const View: KindFace['View'] = ({ label, ontology, item, bare }) => {
  const { localised } = useFormat();
  const t = useT();
  const values = label.kind === 'choice' ? label.values : [];
  const titleOf = (value: string) => localised(ontology && classNamed(ontology, value)?.title) || value;
  return (
    <Group gap={12} wrap="nowrap">
      {!bare && <ItemThumb item={item} size={72} />}
      <Group gap={8}>
        {values.length === 0 && <Chip tone="neutral">{t('Nothing')}</Chip>}
        {values.map((value) => (
          <strong key={value} dir="auto" style={{ overflowWrap: 'anywhere' }}>
            {titleOf(value)}
          </strong>
        ))}
      </Group>
    </Group>
  );
};

export const choice: KindFace = { Stage, Panel, View, operations: chooseOperations };
