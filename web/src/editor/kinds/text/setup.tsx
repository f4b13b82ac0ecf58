import { Group, NumberInput } from '@mantine/core';
import { msg, useT } from '../../../i18n';
import type { FormProps, KindSetup } from '../../setup/setup';

const MOST_CHARS = 20_000;

interface Own {
  min_chars: number;
  max_chars: number;
}

function Form({ own, change }: FormProps<Own>) {
  const t = useT();
  return (
    <Group gap={16}>
      <NumberInput
        label={t('Least characters')}
        min={0}
        max={own.max_chars}
        value={own.min_chars}
        onChange={(next) => change({ min_chars: Number(next) || 0 })}
        w={200}
      />
      <NumberInput
        label={t('Most characters')}
        min={1}
        max={MOST_CHARS}
        value={own.max_chars}
        onChange={(next) => change({ max_chars: Number(next) || 1 })}
        w={200}
      />
    </Group>
  );
}

export const textSetup: KindSetup<Own> = {
  blank: { min_chars: 1, max_chars: 500 },
  ontology: (_named, own) => ({ kind: 'text', text: own }),
  from: ({ text }) => ({ min_chars: text?.min_chars ?? 0, max_chars: text?.max_chars ?? MOST_CHARS }),
  incomplete: (_named, own) =>
    own.min_chars <= own.max_chars ? null : msg('The least characters must not exceed the most.'),
  Form,
};
