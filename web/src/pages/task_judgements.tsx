import { Group, Stack, Text } from '@mantine/core';
import type { TaskDetail } from '../api/types';
import { KINDS } from '../editor/kinds';
import { isDrawn } from '../editor/kinds/models';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Chip, Moment } from '../ui/bits';
import { whyRejected } from './work_reviewing';

/** All judgements of a task, side by side, each with who (a pseudonym), how long, and how much it weighed. */
export function Judgements({ task }: { task: TaskDetail }) {
  const t = useT();
  const { duration } = useFormat();
  if (task.judgements.length === 0) return <Text c="dimmed">{t('Nobody has judged this task yet.')}</Text>;
  return (
    <div style={{ display: 'grid', gap: 12, gridTemplateColumns: 'repeat(auto-fill, minmax(180px, 1fr))' }}>
      {task.judgements.map((judgement) => {
        const { View } = KINDS[judgement.label.kind];
        return (
          <article key={judgement.id} className="cup-panel" style={{ padding: 12 }}>
            <Group justify="space-between" mb={8} gap={4}>
              <Chip tone="person">{judgement.worker}</Chip>
              <Text size="xs" c="dimmed">
                {duration(judgement.seconds)}
              </Text>
            </Group>
            <View
              label={judgement.label}
              ontology={task.ontology ?? null}
              item={task.item}
              bare={!isDrawn(judgement.label)}
            />
            {judgement.rejected ? (
              <Text size="xs" mt={8}>
                {t('Rejects it: {why}', { why: whyRejected(t, judgement.rejected) })}
              </Text>
            ) : (
              judgement.stage > 0 && (
                <Text size="xs" c="dimmed" mt={8}>
                  {t('After a review')}
                </Text>
              )
            )}
          </article>
        );
      })}
    </div>
  );
}

export function Settlements({ task }: { task: TaskDetail }) {
  const t = useT();
  const { percent } = useFormat();
  if (task.settlements.length === 0) return <Text c="dimmed">{t('Not settled yet.')}</Text>;
  const how = {
    crowd: t('by the judgements'),
    adjudicated: t('by an adjudicator'),
    undecidable: t('by an adjudicator'),
    reviewed: t('by a review'),
    model: t('by a model, under its certificate'),
  };
  return (
    <Stack gap={8}>
      {[...task.settlements].reverse().map((settlement) => {
        const View = settlement.label ? KINDS[settlement.label.kind].View : null;
        return (
          <Group key={settlement.version} gap={16} align="flex-start">
            <div style={{ minWidth: 120 }}>
              {View && settlement.label ? (
                <View
                  label={settlement.label}
                  ontology={task.ontology ?? null}
                  item={task.item}
                  bare={!isDrawn(settlement.label)}
                />
              ) : (
                <Chip tone="doubtful">{t('Undecidable')}</Chip>
              )}
            </div>
            <Text size="sm">
              {how[settlement.how]}
              {settlement.confidence !== null && `, ${percent(settlement.confidence, 2)}`}
              {settlement.how === 'crowd' && ` · ${settlement.method}`} · <Moment at={settlement.at} />
            </Text>
          </Group>
        );
      })}
    </Stack>
  );
}
