/** The questions of an ontology as they are written in the wizard: of each object, or of a form. */
import { Button, Checkbox, NumberInput, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { newId } from '../../api/ids';
import type { AttributeSpec, AttributeType } from '../../api/types';
import { msg, useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { IconButton, Panel } from '../../ui/bits';
import { Icon } from '../../ui/icons';
import type { Scope } from '../core/conversation';

/** A question as it is being written. */
export interface AttributeDraft {
  key: string;
  name: string;
  type: AttributeType;
  options: string[];
  required: boolean;
  /** Of each of these instead of the whole item. */
  scope?: Scope | null;
  /** What a template says beside this, as long as the type stays. */
  rest?: Partial<AttributeSpec>;
  /** Of a track: answered from frame to frame. */
  mutable?: boolean;
}

const SCOPES: Record<Scope, string> = {
  message: msg('Each message'),
  turn: msg('Each reply'),
  candidate: msg('Each answer to compare'),
  step: msg('Each step'),
};
const SCOPED: readonly AttributeType[] = ['choice', 'multi', 'text', 'number', 'bool', 'scale', 'spans'];

/** ranking, file and rows are asked in forms alone. */
const ATTRIBUTE_TYPES: Record<AttributeType, string> = {
  bool: msg('Yes or no'),
  choice: msg('One of a list'),
  multi: msg('Several of a list'),
  number: msg('A number'),
  text: msg('Text'),
  ranking: msg('A list put in order'),
  file: msg('A file'),
  rows: msg('Entries, as many as there are'),
  scale: msg('A scale'),
  preference: msg('Which of two is better, and how much'),
  groups: msg('An order with ties'),
  spans: msg('Marked words'),
};
const IN_FORMS: readonly AttributeType[] = ['ranking', 'file', 'rows', 'scale', 'preference', 'groups', 'spans'];
/** A scale that is made here; its ends can be others by the interface of programs. */
const SCALE = { least: 1, most: 5 };

/** `options` are the columns of rows, each of which is a text. */
const hasOptions = ({ type }: AttributeDraft) =>
  ['choice', 'multi', 'ranking', 'rows', 'groups', 'spans'].includes(type);
/** Without options it is the candidates of an item that are put in order. */
const fewest = ({ type }: AttributeDraft) => (type === 'groups' ? 0 : type === 'ranking' ? 2 : 1);

export function attributeOf(draft: AttributeDraft): AttributeSpec {
  const { columns, ...rest } = draft.rest ?? {};
  return {
    ...(draft.type === 'scale' ? SCALE : {}),
    ...rest,
    name: draft.name.trim(),
    type: draft.type,
    ...(draft.scope && SCOPED.includes(draft.type) ? { scope: draft.scope } : {}),
    ...(columns
      ? { columns }
      : draft.type === 'rows'
        ? { columns: draft.options.map((name) => ({ name, type: 'text' as const })) }
        : hasOptions(draft)
          ? { options: draft.options }
          : {}),
    ...(draft.required ? { required: true } : {}),
    ...(draft.mutable ? { mutable: true } : {}),
  };
}

/** What the part is called; English messages. */
interface AttributeWords {
  title: string;
  add: string;
  none: string;
  name: string;
}

/** A question that there is, to be written on. */
export function draftOf(spec: AttributeSpec): AttributeDraft {
  const { name, type, options, required, scope, mutable, ...rest } = spec;
  const columns = (spec.columns ?? []).map((column) => column.name);
  return {
    key: newId(),
    name,
    type,
    options: type === 'rows' ? columns : (options ?? []),
    required: required ?? false,
    scope: scope ?? null,
    ...(mutable ? { mutable } : {}),
    rest,
  };
}

interface AttributesProps {
  attributes: AttributeDraft[];
  words: AttributeWords;
  change: (next: AttributeDraft[]) => void;
  /** Of the item as a whole: then more can be asked. */
  inForm?: boolean;
  /** Of tracks: an answer may change from frame to frame. */
  inTime?: boolean;
}

const shownAs = ({ rest }: AttributeDraft) => Boolean(rest?.title?.en || rest?.title?.zh);

/** Another name is another question: words that were made for the old one would say something else. */
function untitled(rest: AttributeDraft['rest']): Partial<AttributeSpec> {
  const { title: _, ...others } = rest ?? {};
  return others;
}

function weighed(rest: AttributeDraft['rest'], next: number | string): Partial<AttributeSpec> {
  const { weight: _, ...others } = rest ?? {};
  return typeof next === 'number' && next !== 0 ? { ...others, weight: next } : others;
}

export function Attributes({ attributes, words, change, inForm = false, inTime = false }: AttributesProps) {
  const t = useT();
  const { localised } = useFormat();
  const set = (at: number, part: Partial<AttributeDraft>) =>
    change(attributes.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const add = () => change([...attributes, { key: newId(), name: '', type: 'choice', options: [], required: false }]);
  return (
    <Panel
      title={t(words.title)}
      aside={
        <Button size="xs" variant="default" leftSection={<Icon name="plus" size={14} />} onClick={add}>
          {t(words.add)}
        </Button>
      }
    >
      {attributes.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t(words.none)}
        </Text>
      ) : (
        <Stack gap={16}>
          {attributes.map((one, at) => (
            <div key={one.key} className={inForm ? 'cup-question' : 'cup-attribute'}>
              <TextInput
                label={t(words.name)}
                required
                {...(shownAs(one)
                  ? { description: t('Shown as: {words}', { words: localised(one.rest?.title) }) }
                  : {})}
                inputWrapperOrder={['label', 'input', 'description']}
                value={one.name}
                onChange={(event) => set(at, { name: event.currentTarget.value, rest: untitled(one.rest) })}
              />
              <Select
                label={t('Answer')}
                data={Object.entries(ATTRIBUTE_TYPES)
                  .filter(([value]) => inForm || !IN_FORMS.includes(value as AttributeType))
                  .map(([value, words]) => ({ value, label: t(words) }))}
                value={one.type}
                allowDeselect={false}
                onChange={(value) => value && set(at, { type: value as AttributeType, rest: {} })}
              />
              {one.rest?.columns ? (
                <Text size="sm" c="dimmed">
                  {one.options.join(', ')}
                </Text>
              ) : hasOptions(one) ? (
                <TagsInput
                  label={one.type === 'rows' ? t('What each entry is asked') : t('Options')}
                  placeholder={one.options.length === 0 ? t('Type one, press Enter') : ''}
                  value={one.options}
                  onChange={(options) => set(at, { options })}
                />
              ) : (
                !inForm && <span />
              )}
              {inForm && SCOPED.includes(one.type) && (
                <Select
                  label={t('Asked of')}
                  w={170}
                  data={[
                    { value: '', label: t('The whole item') },
                    ...Object.entries(SCOPES).map(([value, words]) => ({ value, label: t(words) })),
                  ]}
                  value={one.scope ?? ''}
                  allowDeselect={false}
                  onChange={(value) => set(at, { scope: (value || null) as Scope | null })}
                />
              )}
              {inForm && (one.type === 'bool' || one.type === 'scale') && (
                <NumberInput
                  label={t('Points')}
                  title={t('Of a rubric; below 0 for what should not be.')}
                  placeholder={t('none')}
                  w={96}
                  min={-1000}
                  max={1000}
                  value={one.rest?.weight ?? ''}
                  onChange={(next) => set(at, { rest: weighed(one.rest, next) })}
                />
              )}
              <Checkbox
                label={t('Required')}
                checked={one.required}
                onChange={(event) => set(at, { required: event.currentTarget.checked })}
                mb={8}
              />
              {inTime && (
                <Checkbox
                  label={t('Changes from frame to frame')}
                  checked={one.mutable ?? false}
                  onChange={(event) => set(at, { mutable: event.currentTarget.checked })}
                  mb={8}
                />
              )}
              <IconButton
                icon="trash"
                label={t('Remove {name}', { name: one.name || t('this attribute') })}
                onClick={() => change(attributes.filter((other) => other.key !== one.key))}
              />
            </div>
          ))}
        </Stack>
      )}
    </Panel>
  );
}

/** Why the questions are not complete, as an English message, or null. */
export function incompleteAttributes(attributes: readonly AttributeDraft[]): string | null {
  const names = attributes.map((one) => one.name.trim());
  if (names.includes('')) return msg('Give each attribute a name.');
  if (new Set(names).size < names.length) return msg('Two attributes have the same name.');
  return attributes.some((one) => hasOptions(one) && one.options.length < fewest(one))
    ? msg('Give each list of an attribute its options.')
    : null;
}
