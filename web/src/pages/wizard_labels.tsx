/** The wizard's step of labels: what people do, and what that kind of label asks for. */
import { Group, Radio, Stack } from '@mantine/core';
import type { Kind } from '../api/types';
import { KIND_LIST, modelOf } from '../editor/kinds/models';
import { setupOf } from '../editor/kinds/setups';
import { useT } from '../i18n';
import type { Draft } from './wizard_state';
import { Templates } from './wizard_templates';

export function LabelsStep({ draft, change }: { draft: Draft; change: (part: Partial<Draft>) => void }) {
  const t = useT();
  const { kind, named, owns } = draft;
  const { Form } = setupOf(kind);
  return (
    <Stack gap={16}>
      <Templates draft={draft} change={change} />
      <Radio.Group label={t('What people do')} value={kind} onChange={(value) => change({ kind: value as Kind })}>
        <Group gap={24} mt={8}>
          {KIND_LIST.map((one) => (
            <Radio key={one} value={one} label={t(modelOf(one).title)} />
          ))}
        </Group>
      </Radio.Group>
      <Form
        key={`${kind} ${draft.template}`}
        named={named}
        own={owns[kind]}
        rename={(part) => change({ named: { ...named, ...part } })}
        change={(part) => change({ owns: { ...owns, [kind]: { ...owns[kind], ...(part as object) } } })}
      />
    </Stack>
  );
}
