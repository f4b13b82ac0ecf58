/** A project that takes its labels and guideline from a version there is, as they are. */

import { Button, Group, Text } from '@mantine/core';
import { classesOf } from '../editor/core/ontology';
import { modelOf } from '../editor/kinds/models';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Panel } from '../ui/bits';
import { Markdown } from '../ui/markdown';
import type { Like } from './wizard_state';

export function LikeStep({
  like,
  part,
  onForget,
}: {
  like: Like;
  part: 'labels' | 'guidelines';
  onForget: () => void;
}) {
  const t = useT();
  const { localised } = useFormat();
  const { spec } = like;
  return (
    <Panel
      title={t('From {name}, version {version}', { name: like.name, version: like.version })}
      aside={
        <Button size="compact-sm" variant="default" onClick={onForget}>
          {t('Write others instead')}
        </Button>
      }
    >
      {part === 'guidelines' ? (
        <Markdown source={localised(like.guidelines)} />
      ) : (
        <>
          <Text size="sm" mb={8}>
            {t(modelOf(spec.kind).title)}
          </Text>
          <Group gap={8}>
            {classesOf(spec).map((one) => (
              <code key={one.name} className="cup-code">
                {one.name}
              </code>
            ))}
          </Group>
          {(spec.attributes ?? []).length > 0 && (
            <Text size="sm" mt={12}>
              {t('Attributes')}: {(spec.attributes ?? []).map((one) => localised(one.title) || one.name).join(', ')}
            </Text>
          )}
        </>
      )}
    </Panel>
  );
}
