/** The wizard's step of labels: what people do, the classes, how they are called, and what is asked of each box. */
import {
  Button,
  Checkbox,
  Group,
  NumberInput,
  Radio,
  Select,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import type { AttributeType, Kind } from '../api/types';
import { msg, useT } from '../i18n';
import { IconButton, Panel } from '../ui/bits';
import { Icon } from '../ui/icons';
import { type AttributeDraft, classNames, type Draft } from './wizard_state';
import { KIND_NAMES } from './work_offers';

const MOST_CHARS = 20_000;
const ATTRIBUTE_TYPES: Record<AttributeType, string> = {
  bool: msg('Yes or no'),
  choice: msg('One of a list'),
  multi: msg('Several of a list'),
  number: msg('A number'),
  text: msg('Text'),
};

interface PartProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

function Titles({ draft, change }: PartProps) {
  const t = useT();
  const names = classNames(draft);
  const set = (name: string, language: 'en' | 'zh', words: string) =>
    change({ titles: { ...draft.titles, [name]: { ...draft.titles[name], [language]: words } } });
  return (
    <div>
      <Switch
        label={t('Show other words than these names, in English and Chinese')}
        checked={draft.titled}
        onChange={(event) => change({ titled: event.currentTarget.checked })}
      />
      {draft.titled && (
        <div className="cup-titles">
          <span />
          <span aria-hidden="true">English</span>
          <span aria-hidden="true">中文</span>
          {names.map((name) => (
            <div key={name} style={{ display: 'contents' }}>
              <code className="cup-code cup-ellipsis">{name}</code>
              {(['en', 'zh'] as const).map((language) => (
                <TextInput
                  key={language}
                  size="xs"
                  aria-label={
                    language === 'en'
                      ? t('English words for {name}', { name })
                      : t('Chinese words for {name}', { name })
                  }
                  placeholder={name}
                  value={draft.titles[name]?.[language] ?? ''}
                  onChange={(event) => set(name, language, event.currentTarget.value)}
                />
              ))}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

function Attributes({ draft, change }: PartProps) {
  const t = useT();
  const set = (at: number, part: Partial<AttributeDraft>) =>
    change({ attributes: draft.attributes.map((one, index) => (index === at ? { ...one, ...part } : one)) });
  const add = () =>
    change({
      attributes: [
        ...draft.attributes,
        { key: crypto.randomUUID(), name: '', type: 'choice', options: [], required: false },
      ],
    });
  return (
    <Panel
      title={t('Attributes of a box')}
      aside={
        <Button size="xs" variant="default" leftSection={<Icon name="plus" size={14} />} onClick={add}>
          {t('Add an attribute')}
        </Button>
      }
    >
      {draft.attributes.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('Optional: a further question about each box, such as its colour, or whether it is cut off.')}
        </Text>
      ) : (
        <Stack gap={16}>
          {draft.attributes.map((one, at) => (
            <div key={one.key} className="cup-attribute">
              <TextInput
                label={t('Name of the attribute')}
                required
                value={one.name}
                onChange={(event) => set(at, { name: event.currentTarget.value })}
              />
              <Select
                label={t('Answer')}
                data={Object.entries(ATTRIBUTE_TYPES).map(([value, words]) => ({ value, label: t(words) }))}
                value={one.type}
                allowDeselect={false}
                onChange={(value) => value && set(at, { type: value as AttributeType })}
              />
              {one.type === 'choice' || one.type === 'multi' ? (
                <TagsInput
                  label={t('Options')}
                  placeholder={one.options.length === 0 ? t('Type one, press Enter') : ''}
                  value={one.options}
                  onChange={(options) => set(at, { options })}
                />
              ) : (
                <span />
              )}
              <Checkbox
                label={t('Required')}
                checked={one.required}
                onChange={(event) => set(at, { required: event.currentTarget.checked })}
                mb={8}
              />
              <IconButton
                icon="trash"
                label={t('Remove {name}', { name: one.name || t('this attribute') })}
                onClick={() => change({ attributes: draft.attributes.filter((other) => other.key !== one.key) })}
              />
            </div>
          ))}
        </Stack>
      )}
    </Panel>
  );
}

export function LabelsStep({ draft, change }: PartProps) {
  const t = useT();
  return (
    <Stack gap={16}>
      <Radio.Group label={t('What people do')} value={draft.kind} onChange={(value) => change({ kind: value as Kind })}>
        <Group gap={24} mt={8}>
          {(['choice', 'objects', 'text'] as const).map((kind) => (
            <Radio key={kind} value={kind} label={t(KIND_NAMES[kind])} />
          ))}
        </Group>
      </Radio.Group>
      {draft.kind === 'choice' && (
        <Checkbox
          label={t('Several labels may apply to one item')}
          checked={draft.multiple}
          onChange={(event) => change({ multiple: event.currentTarget.checked })}
        />
      )}
      {draft.kind === 'text' ? (
        <Group gap={16}>
          <NumberInput
            label={t('Least characters')}
            min={0}
            max={draft.max_chars}
            value={draft.min_chars}
            onChange={(next) => change({ min_chars: Number(next) || 0 })}
            w={200}
          />
          <NumberInput
            label={t('Most characters')}
            min={1}
            max={MOST_CHARS}
            value={draft.max_chars}
            onChange={(next) => change({ max_chars: Number(next) || 1 })}
            w={200}
          />
        </Group>
      ) : (
        <>
          <Textarea
            label={draft.kind === 'choice' ? t('Labels, one a line') : t('Classes, one a line')}
            description={t('In the order of their keys: the first is key 1.')}
            autosize
            minRows={5}
            maxRows={16}
            value={draft.classes}
            onChange={(event) => change({ classes: event.currentTarget.value })}
          />
          {classNames(draft).length > 0 && <Titles draft={draft} change={change} />}
        </>
      )}
      {draft.kind === 'objects' && <Attributes draft={draft} change={change} />}
    </Stack>
  );
}
