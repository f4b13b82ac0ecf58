import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { learning } from '../api/calls';
import type { LearningRun, Project } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Empty, Moment, Panel, ProblemNote, State } from '../ui/bits';
import { Rows } from '../ui/table';
import { AutoAcceptPanel } from './project_auto_accept';

const SOON_MS = 1_500;
const underWay = (run: LearningRun) => run.state === 'waiting' || run.state === 'running';

/** Where a run is, in words. */
function Progress({ run }: { run: LearningRun }) {
  const t = useT();
  const { number } = useFormat();
  const words: Record<string, string> = {
    reading: t('reading what was settled'),
    fitting: t('fitting'),
    predicting: t('{done} of {total} tasks', { done: number(run.tasks_done), total: number(run.tasks_total) }),
  };
  return (
    <Stack gap={0}>
      <State of={run.state} />
      {underWay(run) && (
        <Text size="xs" c="dimmed" aria-live="polite">
          {words[run.step] ?? t('waiting for a worker')}
        </Text>
      )}
      {run.error && (
        <Text size="xs" c="red" maw={320}>
          {run.error}
        </Text>
      )}
    </Stack>
  );
}

function RunList({ project, runs, manages }: { project: Project; runs: readonly LearningRun[]; manages: boolean }) {
  const t = useT();
  const { number, percent } = useFormat();
  const client = useQueryClient();
  const [shown, setShown] = useState<string | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ['learning-runs', project.id] });
  const cancel = useMutation({ mutationFn: learning.cancel, onSettled: refresh });
  const again = useMutation({
    mutationFn: (run: string) => learning.begin(project.id, { verb: 'fit', like: run }),
    onSettled: refresh,
  });
  const chosen = runs.find((run) => run.id === shown);
  return (
    <Stack gap={12}>
      <ProblemNote error={cancel.error ?? again.error} />
      <Rows<LearningRun>
        label={t('Runs')}
        rows={runs}
        keyOf={(run) => run.id}
        columns={[
          {
            head: t('Model'),
            cell: (run) => (
              <Link to="/models/$model" params={{ model: run.model }} style={{ fontWeight: 600 }}>
                {run.version
                  ? t('{name}, version {version}', { name: run.model_name, version: run.version })
                  : run.model_name}
              </Link>
            ),
          },
          { head: t('State'), cell: (run) => <Progress run={run} /> },
          { head: t('Learned from'), numeric: true, cell: (run) => (run.labels === null ? '–' : number(run.labels)) },
          {
            head: t('Right, unseen'),
            numeric: true,
            cell: (run) =>
              run.metrics ? (
                <span
                  title={t('95 %: {low} to {high}', {
                    low: percent(run.metrics.accuracy.low),
                    high: percent(run.metrics.accuracy.high),
                  })}
                >
                  {percent(run.metrics.accuracy.value)}{' '}
                  <Text span size="xs" c="dimmed">
                    {percent(run.metrics.accuracy.low)}–{percent(run.metrics.accuracy.high)}
                  </Text>
                </span>
              ) : (
                '–'
              ),
          },
          { head: t('Opinions'), numeric: true, cell: (run) => number(run.opinions) },
          { head: t('Begun'), cell: (run) => <Moment at={run.started_at ?? run.created_at} /> },
          {
            head: t('Actions'),
            quiet: true,
            cell: (run) => (
              <Group gap={6} justify="flex-end" wrap="nowrap">
                {run.metrics && (
                  <Button
                    size="compact-xs"
                    variant="default"
                    aria-expanded={shown === run.id}
                    onClick={() => setShown(shown === run.id ? null : run.id)}
                  >
                    {t('Errors')}
                  </Button>
                )}
                {manages && underWay(run) && (
                  <Button size="compact-xs" variant="default" onClick={() => cancel.mutate(run.id)}>
                    {t('Cancel')}
                  </Button>
                )}
                {manages && run.verb === 'fit' && !underWay(run) && (
                  <Button size="compact-xs" variant="default" onClick={() => again.mutate(run.id)}>
                    {t('Repeat')}
                  </Button>
                )}
              </Group>
            ),
          },
        ]}
      />
      {chosen?.metrics && <Errors run={chosen} />}
    </Stack>
  );
}

/** Which classes a run takes for which. */
function Errors({ run }: { run: LearningRun }) {
  const t = useT();
  const { number, percent } = useFormat();
  const { metrics } = run;
  if (!metrics) return null;
  return (
    <Panel title={t('Where version {version} errs', { version: run.version ?? 0 })}>
      <Text size="sm" c="dimmed" mb={8}>
        {t('Calibration error {ece}; always saying the most frequent class would be right on {majority}.', {
          ece: percent(metrics.ece),
          majority: percent(metrics.majority),
        })}
      </Text>
      {metrics.confusions.length === 0 ? (
        <Text size="sm">{t('It errs nowhere on what it could be compared with.')}</Text>
      ) : (
        <Rows
          label={t('Confusions')}
          rows={metrics.confusions.slice(0, 12)}
          keyOf={(row) => `${row.truth}\u0000${row.said}`}
          columns={[
            { head: t('People settled on'), cell: (row) => <Chip tone="person">{row.truth}</Chip> },
            { head: t('It says'), cell: (row) => <Chip tone="model">{row.said}</Chip> },
            { head: t('Times'), numeric: true, cell: (row) => number(row.n) },
          ]}
        />
      )}
    </Panel>
  );
}

/** Models of a project: fitted on what people settled, heard beside them. */
export function Learning({ project, manages }: { project: Project; manages: boolean }) {
  const t = useT();
  const client = useQueryClient();
  const runs = useQuery({
    queryKey: ['learning-runs', project.id],
    queryFn: () => learning.runs(project.id),
    refetchInterval: (query) => (query.state.data?.items.some(underWay) ? SOON_MS : false),
  });
  const fit = useMutation({
    mutationFn: () => learning.begin(project.id, { verb: 'fit' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['learning-runs', project.id] }),
  });
  return (
    <Stack gap={16}>
      <Panel title={t('A model that learns from this project')}>
        <Stack gap={12}>
          <Text size="sm">
            {t(
              'It is fitted on what people settled and says what it thinks of every task, of those it learned from by copies that had not seen them. Its opinions stand beside what people say, are heard as far as they prove right, and change nobody’s pay.',
            )}
          </Text>
          <ProblemNote error={fit.error} />
          {manages && (
            <Group>
              <Button
                onClick={() => fit.mutate()}
                loading={fit.isPending}
                disabled={runs.data?.items.some(underWay) || project.counts.settled === 0}
              >
                {t('Fit a model')}
              </Button>
              {project.counts.settled === 0 && (
                <Text size="sm" c="dimmed">
                  {t('Nothing is settled yet that it could learn from.')}
                </Text>
              )}
            </Group>
          )}
        </Stack>
      </Panel>
      <Asked query={runs}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="extremes" title={t('No run yet')}>
              {t(
                'Each fit is kept with its seed, its labels and what it is worth, so that it can be repeated and compared.',
              )}
            </Empty>
          ) : (
            <>
              <RunList project={project} runs={items} manages={manages} />
              <AutoAcceptPanel project={project} runs={items} manages={manages} />
            </>
          )
        }
      </Asked>
    </Stack>
  );
}
