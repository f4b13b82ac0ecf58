/** One attribute as a field: of a selected object, or of a form. */
import { Checkbox, Group, MultiSelect, NumberInput, Radio, Select, Textarea, TextInput } from '@mantine/core';
import type { AttributeSpec, AttributeValue } from '../../api/types';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { answerHint } from '../core/bounds';

/** A text that may be longer than this is written over several lines. */
const LINE_CHARS = 120;

interface Props {
  spec: AttributeSpec;
  value: AttributeValue | undefined;
  /** `mark`: changes of one mark are one step to undo. */
  onChange: (value: AttributeValue | undefined, mark?: string) => void;
  /** In a form a yes or no is answered, or left open; of an object it is marked. */
  inForm?: boolean;
}

function YesOrNo({
  label,
  required,
  value,
  onChange,
}: Pick<Props, 'value' | 'onChange'> & { label: string; required: boolean }) {
  const t = useT();
  return (
    <Radio.Group
      label={label}
      withAsterisk={required}
      value={typeof value === 'boolean' ? String(value) : ''}
      onChange={(next) => onChange(next === 'true')}
    >
      <Group gap={16} mt={4}>
        <Radio value="true" label={t('Yes')} />
        <Radio value="false" label={t('No')} />
      </Group>
    </Radio.Group>
  );
}

export function AttributeField({ spec, value, onChange, inForm = false }: Props) {
  const t = useT();
  const { localised } = useFormat();
  const label = localised(spec.title) || spec.name;
  const hint = answerHint(spec);
  const common = {
    label,
    withAsterisk: spec.required ?? false,
    ...(hint ? { description: t(hint.message, hint.values) } : {}),
  };
  const options = spec.options ?? [];
  switch (spec.type) {
    case 'bool':
      if (inForm) return <YesOrNo label={label} required={common.withAsterisk} value={value} onChange={onChange} />;
      return (
        <Checkbox {...common} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />
      );
    case 'number':
      return (
        <NumberInput
          {...common}
          {...(spec.least === undefined || spec.least === null ? {} : { min: spec.least })}
          {...(spec.most === undefined || spec.most === null ? {} : { max: spec.most })}
          clampBehavior="none"
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(typeof next === 'number' ? next : undefined, `typing:${spec.name}`)}
        />
      );
    case 'choice':
      return (
        <Select
          {...common}
          data={options}
          value={typeof value === 'string' ? value : null}
          onChange={(next) => onChange(next ?? undefined)}
          clearable={!spec.required}
        />
      );
    case 'multi':
      return (
        <MultiSelect
          {...common}
          data={options}
          value={Array.isArray(value) ? value : []}
          onChange={(next) => onChange(inForm && next.length === 0 ? undefined : next)}
        />
      );
    case 'text': {
      const written = {
        ...common,
        value: typeof value === 'string' ? value : '',
        onChange: (event: { currentTarget: { value: string } }) =>
          onChange(event.currentTarget.value || undefined, `typing:${spec.name}`),
      };
      const isLong = inForm && !spec.pattern && (spec.max_chars ?? Number.POSITIVE_INFINITY) > LINE_CHARS;
      return isLong ? <Textarea autosize minRows={2} maxRows={12} {...written} /> : <TextInput {...written} />;
    }
    // Asked in forms alone: `form/question_field`.
    default:
      return null;
  }
}
