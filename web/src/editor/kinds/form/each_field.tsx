import { Input, Stack, Text } from '@mantine/core';
import { useId } from 'react';
import type { Answer, AttributeSpec, EachAnswer } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { isFile, isGroups, isRows } from '../../core/attributes';
import { targetsOf, wordsOfTarget } from '../../core/conversation';
import { useNameOf, useSeen } from './named_targets';
import { QuestionField } from './question_field';

interface Props {
  spec: AttributeSpec;
  value: EachAnswer | undefined;
  onChange: (value: EachAnswer | undefined, mark?: string) => void;
}

const STEP_CHARS = 160;

/** One question, asked of each message, reply, answer or step. */
export function EachField({ spec, value, onChange }: Props) {
  const t = useT();
  const { localised } = useFormat();
  const { item, order } = useSeen();
  const nameOf = useNameOf();
  const id = useId();
  const scope = spec.scope ?? 'message';
  const targets = scope === 'candidate' ? order : (targetsOf(item, scope) ?? []);
  const values = value?.values ?? {};
  const answer = (target: string, one: Answer | undefined, mark?: string) => {
    if (isFile(one) || isRows(one) || isGroups(one) || (typeof one === 'object' && 'values' in one)) return;
    const { [target]: _, ...rest } = values;
    const next = one === undefined ? rest : { ...rest, [target]: one };
    onChange(Object.keys(next).length ? { type: 'each', values: next } : undefined, mark && `${mark}:${target}`);
  };
  return (
    <Input.Wrapper
      label={localised(spec.title) || spec.name}
      labelElement="div"
      labelProps={{ id }}
      withAsterisk={spec.required ?? false}
    >
      <Stack gap={8} mt={4} role="group" aria-labelledby={id}>
        {targets.length === 0 && (
          <Text size="sm" c="dimmed">
            {t('This item has nothing that this is asked of.')}
          </Text>
        )}
        {targets.map((target) => (
          <fieldset key={target} className="cup-entry">
            <legend className="cup-visually-hidden">{nameOf(target)}</legend>
            {scope === 'step' && (
              <Text size="xs" c="dimmed" lineClamp={3} dir="auto">
                {wordsOfTarget(item, target).slice(0, STEP_CHARS)}
              </Text>
            )}
            <QuestionField
              spec={{ ...spec, scope: null, title: { en: nameOf(target), zh: nameOf(target) } }}
              value={values[target]}
              target={target}
              onChange={(one, mark) => answer(target, one, mark)}
            />
          </fieldset>
        ))}
      </Stack>
    </Input.Wrapper>
  );
}
