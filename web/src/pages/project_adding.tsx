/** Tasks that a job still makes, how far it is, and why it ended where it did. */
import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { projects } from '../api/calls';
import type { Project } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Chip, ProblemNote } from '../ui/bits';

const WHOLE = 100;

export function AddingNote({ project }: { project: Project }) {
  const t = useT();
  const { number } = useFormat();
  const client = useQueryClient();
  const goOn = useMutation({
    mutationFn: () => projects.createTasks(project.id, {}),
    onSettled: () => client.invalidateQueries({ queryKey: ['project', project.id] }),
  });
  const { adding } = project;
  if (!adding) return null;
  const { items, looked_at, made, trouble } = adding;
  const words = t('{looked} of {items} items looked at, {made, plural, one {# task} other {# tasks}} made', {
    looked: number(looked_at),
    items: number(items),
    made,
  });
  return (
    <section className="cup-notice" aria-label={t('Tasks are being made')} style={{ marginBottom: 16 }}>
      <Stack gap={8}>
        {trouble ? (
          <>
            <Group gap={8}>
              <Chip tone="refused">{t('The making of tasks ended early')}</Chip>
              <Text size="sm">{words}</Text>
            </Group>
            <Text size="sm" dir="auto" style={{ overflowWrap: 'anywhere' }}>
              {trouble}
            </Text>
            <ProblemNote error={goOn.error} />
            <Group>
              <Button size="xs" variant="default" loading={goOn.isPending} onClick={() => goOn.mutate()}>
                {t('Make the others')}
              </Button>
            </Group>
          </>
        ) : (
          <>
            <Text size="sm" role="status">
              {t('Tasks are being made')}: {words}
            </Text>
            <Progress value={(looked_at / Math.max(1, items)) * WHOLE} aria-label={t('Tasks are being made')} />
          </>
        )}
      </Stack>
    </section>
  );
}
