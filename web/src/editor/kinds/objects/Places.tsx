import { SegmentedControl, Stack, Text, Title } from '@mantine/core';
import type { LabelObject } from '../../../api/types';
import { msg, useT } from '../../../i18n';
import { setShape } from '../../actions/set_shape';
import type { LabelSession } from '../../core/label_session';
import { classNamed } from '../../core/ontology';
import { faceOf } from '../../shapes';
import type { Place } from '../../shapes/shape';

const STATES: readonly { value: Place['state']; label: string }[] = [
  { value: 'visible', label: msg('seen') },
  { value: 'occluded', label: msg('covered') },
  { value: 'absent', label: msg('absent') },
];

/** The named places of a skeleton, and whether each is seen. */
export function Places({ session, object }: { session: LabelSession; object: LabelObject }) {
  const t = useT();
  const { places } = faceOf(object.shape);
  if (!places) return null;
  const spec = classNamed(session.setting.ontology, object.cls);
  return (
    <Stack gap={4}>
      <Title order={2} size="h3">
        {t('Named places')}
      </Title>
      {places.of(object.shape).map(({ name, state }) => (
        <div key={name} className="cup-place">
          <Text size="sm" dir="auto" className="cup-ellipsis">
            {name}
          </Text>
          <SegmentedControl
            size="xs"
            aria-label={t('Whether {name} is seen', { name })}
            value={state}
            data={STATES.map(({ value, label }) => ({ value, label: t(label) }))}
            onChange={(next) =>
              session.perform(setShape(object.id, places.to(object.shape, name, next as Place['state'], spec)))
            }
          />
        </div>
      ))}
    </Stack>
  );
}
