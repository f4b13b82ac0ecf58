/** A grade on a scale, which of two is better, and an order with ties: each a row of buttons. */
import { Button, Group, Input, SegmentedControl, Stack, Text } from '@mantine/core';
import { useId } from 'react';
import type { AttributeSpec, GroupsAnswer } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { useNameOf, useSeen } from './named_targets';

interface Props<Value> {
  spec: AttributeSpec;
  value: Value | undefined;
  onChange: (value: Value | undefined, mark?: string) => void;
}

interface Step {
  readonly value: number;
  readonly title: string;
  readonly short: string;
}

function Steps({ spec, value, onChange, steps }: Props<number> & { steps: readonly Step[] }) {
  const { localised } = useFormat();
  const id = useId();
  return (
    <Input.Wrapper
      label={localised(spec.title) || spec.name}
      labelElement="div"
      labelProps={{ id }}
      withAsterisk={spec.required ?? false}
    >
      <div className="cup-grades" role="radiogroup" aria-labelledby={id}>
        {steps.map((step) => (
          <button
            key={step.value}
            type="button"
            role="radio"
            aria-checked={value === step.value}
            aria-label={step.title}
            title={step.title}
            onClick={() => onChange(value === step.value && !spec.required ? undefined : step.value)}
          >
            {step.short}
          </button>
        ))}
      </div>
    </Input.Wrapper>
  );
}

export function ScaleField(props: Props<number>) {
  const { least, most } = props.spec;
  const from = least ?? 1;
  const steps = Array.from({ length: Math.max(0, (most ?? 5) - from) + 1 }, (_, at) => ({
    value: from + at,
    title: String(from + at),
    short: String(from + at),
  }));
  return <Steps {...props} steps={steps} />;
}

/** Below 0 for the first of the item, whichever side it is seen on. */
export function PreferenceField(props: Props<number>) {
  const t = useT();
  const { order } = useSeen();
  const least = props.spec.least ?? 0;
  const most = props.spec.most ?? 3;
  const sign = order[0] === 'c2' ? -1 : 1;
  const strengths = [t('slightly better'), t('better'), t('much better')];
  const wordOf = (strength: number) =>
    most <= 1 ? t('better') : (strengths[Math.min(2, Math.ceil((strength / most) * 3) - 1)] ?? '');
  const side = (letter: string, strength: number) => ({
    value: sign * (letter === 'A' ? -strength : strength),
    title: t('Answer {letter} is {how}', { letter, how: wordOf(strength) }),
    short: letter + '+'.repeat(Math.min(strength - 1, 4)),
  });
  const strong = Array.from({ length: Math.max(0, most - Math.max(least, 1) + 1) }, (_, at) => Math.max(least, 1) + at);
  const steps = [
    ...[...strong].reverse().map((strength) => side('A', strength)),
    ...(least === 0 ? [{ value: 0, title: t('Neither is better'), short: '=' }] : []),
    ...strong.map((strength) => side('B', strength)),
  ];
  return <Steps {...props} steps={steps} />;
}

/** Each is given a place; the same place is a tie. */
export function GroupsField({ spec, value, onChange }: Props<GroupsAnswer>) {
  const t = useT();
  const { localised } = useFormat();
  const nameOf = useNameOf();
  const { order } = useSeen();
  const id = useId();
  const names = spec.options?.length ? spec.options : order;
  const placeOf = (name: string) => (value ? value.groups.findIndex((group) => group.includes(name)) + 1 : 0);
  const put = (name: string, place: number) => {
    const places = new Map(names.map((one) => [one, one === name ? place : placeOf(one) || names.length]));
    const groups = [...new Set(places.values())]
      .sort((a, b) => a - b)
      .map((at) => names.filter((one) => places.get(one) === at));
    onChange({ type: 'groups', groups });
  };
  return (
    <Input.Wrapper
      label={localised(spec.title) || spec.name}
      labelElement="div"
      labelProps={{ id }}
      withAsterisk={spec.required ?? false}
      description={t('1 is best; the same place is a tie.')}
    >
      <Stack gap={6} mt={4} role="group" aria-labelledby={id}>
        {names.map((name) => (
          <Group key={name} gap={8} wrap="nowrap" justify="space-between">
            <Text size="sm">
              <bdi>{spec.options?.length ? name : nameOf(name)}</bdi>
            </Text>
            <SegmentedControl
              size="xs"
              aria-label={t('Place of {name}', { name: spec.options?.length ? name : nameOf(name) })}
              value={String(placeOf(name))}
              onChange={(place) => put(name, Number(place))}
              data={names.map((_, at) => ({ value: String(at + 1), label: String(at + 1) }))}
            />
          </Group>
        ))}
        {!value && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => onChange({ type: 'groups', groups: [[...names]] })}
          >
            {t('All are as good')}
          </Button>
        )}
      </Stack>
    </Input.Wrapper>
  );
}
