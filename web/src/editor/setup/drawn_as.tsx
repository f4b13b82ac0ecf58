import { Group, Radio } from '@mantine/core';
import type { Shape } from '../../api/types';
import { useT } from '../../i18n';
import { faceOfType } from '../shapes';

/** What things are drawn as: one of these shapes. */
export function DrawnAs({
  shapes,
  value,
  onChange,
}: {
  shapes: readonly Shape['type'][];
  value: Shape['type'];
  onChange: (shape: Shape['type']) => void;
}) {
  const t = useT();
  return (
    <Radio.Group label={t('What is drawn')} value={value} onChange={(next) => onChange(next as Shape['type'])}>
      <Group gap={24} mt={8}>
        {shapes.map((type) => (
          <Radio key={type} value={type} label={t(faceOfType(type).words.one)} />
        ))}
      </Group>
    </Radio.Group>
  );
}
