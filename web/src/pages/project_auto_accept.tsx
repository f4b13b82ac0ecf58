import { Alert, Button, Checkbox, Group, NumberInput, Progress, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { learning } from '../api/calls';
import type { AutoAccept, LearningRun, OfSlice, Project } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Figure, Panel, ProblemNote, State } from '../ui/bits';
import { Rows } from '../ui/table';

const LOOK_AGAIN_MS = 5_000;
const LEAST_SAMPLE = 30;
const USUAL_SAMPLE = 300;
const SHARE = 4; // of what nobody has begun, a sample takes a quarter at most
const ended = (one: AutoAccept) => one.state === 'off' || one.state === 'refused';

function Begin({ project, run, before }: { project: Project; run: LearningRun; before: boolean }) {
  const t = useT();
  const { percent } = useFormat();
  const client = useQueryClient();
  const open = project.counts.open;
  const [limit, setLimit] = useState(3);
  const [sample, setSample] = useState(Math.max(LEAST_SAMPLE, Math.min(USUAL_SAMPLE, Math.floor(open / SHARE))));
  const [by, setBy] = useState('experts');
  const [sliceBy, setSliceBy] = useState('');
  const [later, setLater] = useState(false);
  const begin = useMutation({
    mutationFn: () =>
      learning.accept(project.id, {
        model: run.model_name,
        ...(run.version ? { version: run.version } : {}),
        limit: limit / 100,
        sample,
        judged_by: by === 'crowd' ? 'crowd' : 'experts',
        ...(sliceBy.trim() ? { slice_by: sliceBy.trim() } : {}),
        later,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['auto-accepts', project.id] }),
  });
  return (
    <Stack gap={12}>
      {before && (
        <Text size="sm" c="dimmed">
          {t('A new draw, or a new version of the model, begins without a certificate.')}
        </Text>
      )}
      <Group grow align="flex-start">
        <NumberInput
          label={t('Wrong at most, %')}
          description={t('of the tasks that nobody has begun')}
          min={0.1}
          max={20}
          step={0.5}
          decimalScale={1}
          value={limit}
          onChange={(next) => setLimit(Number(next) || 1)}
          required
        />
        <NumberInput
          label={t('Sample')}
          description={t('tasks that people settle first')}
          min={LEAST_SAMPLE}
          value={sample}
          onChange={(next) => setSample(Number(next) || LEAST_SAMPLE)}
          required
        />
        <TextInput
          label={t('Slice by')}
          description={t('a column of the metadata, if any')}
          value={sliceBy}
          onChange={(event) => setSliceBy(event.currentTarget.value)}
        />
      </Group>
      <Radio.Group label={t('The sample is settled by')} value={by} onChange={setBy}>
        <Group gap={24} mt={4}>
          <Radio value="experts" label={t('experts, among the doubtful tasks')} />
          <Radio value="crowd" label={t('contributors, as everything is')} />
        </Group>
      </Radio.Group>
      <Checkbox
        label={t('Tasks that come later too, under the watch alone')}
        checked={later}
        onChange={(event) => setLater(event.currentTarget.checked)}
      />
      <ProblemNote error={begin.error} />
      <Group>
        <Button onClick={() => begin.mutate()} loading={begin.isPending} disabled={open <= sample}>
          {t('Draw the sample')}
        </Button>
        <Text size="sm" c="dimmed">
          {open <= sample
            ? t('Too few tasks are left that nobody has begun.')
            : t('With {model}, version {version}: right on {share} of what it had not seen.', {
                model: run.model_name,
                version: run.version ?? 0,
                share: run.metrics ? percent(run.metrics.accuracy.value) : '–',
              })}
        </Text>
      </Group>
    </Stack>
  );
}

function Standing({ one, manages }: { one: AutoAccept; manages: boolean }) {
  const t = useT();
  const { number, percent } = useFormat();
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: ['auto-accepts', one.project] });
  const off = useMutation({ mutationFn: () => learning.acceptOff(one.id), onSettled: refresh });
  const reopen = useMutation({ mutationFn: () => learning.acceptReopen(one.id), onSettled: refresh });
  return (
    <Stack gap={12}>
      <Group gap={12}>
        <State of={one.state} />
        <Text size="sm">
          {t('{name}, version {version}', { name: one.model_name, version: one.version })} ·{' '}
          {t('at most {limit} wrong at {confidence}', {
            limit: percent(one.limit),
            confidence: percent(one.confidence, 0),
          })}
        </Text>
      </Group>
      {one.state === 'calibrating' && (
        <Stack gap={4}>
          <Text size="sm">
            {t('People settle the sample: {done} of {all}. The model settles nothing before that.', {
              done: number(one.sample_settled),
              all: number(one.sample),
            })}
          </Text>
          <Progress
            value={(one.sample_settled / Math.max(one.sample, 1)) * 100}
            aria-label={t('The sample, as far as it is settled')}
          />
        </Stack>
      )}
      {one.why && (
        <Alert color={one.state === 'off' ? 'ember' : 'gray'} variant="outline">
          {one.why}
        </Alert>
      )}
      {one.certified_at && (
        <>
          <Group gap={32}>
            <Figure
              label={t('Settled by the model')}
              value={number(one.settled)}
              note={t('of {all}', { all: number(one.tasks) })}
            />
            <Figure
              label={t('Watched')}
              value={`${number(one.watched_wrong)} / ${number(one.watched_settled)}`}
              note={t('wrong of those people looked at; {all} drawn', { all: number(one.watched) })}
            />
            {one.promised > 0 && (
              <Figure
                label={t('An error of three times the limit')}
                value={number(one.promised)}
                note={t(
                  'watched tasks until it is noticed, nine times in ten, if it is there from the start; later where it comes after many right ones',
                )}
              />
            )}
          </Group>
          <Rows<OfSlice>
            label={t('Certificate by slice')}
            rows={one.slices}
            keyOf={(slice) => slice.name}
            columns={[
              { head: t('Slice'), cell: (slice) => slice.name || t('everything') },
              { head: t('Tasks'), numeric: true, cell: (slice) => number(slice.tasks) },
              {
                head: t('Wrong in the sample'),
                numeric: true,
                cell: (slice) => `${number(slice.wrong)} / ${number(slice.sample)}`,
              },
              {
                head: t('Settles from'),
                numeric: true,
                cell: (slice) => (slice.threshold === null ? t('nothing') : percent(slice.threshold)),
              },
              {
                head: t('Would settle'),
                numeric: true,
                cell: (slice) => (slice.threshold === null ? '–' : percent(slice.would_settle)),
              },
              {
                head: t('Wrong at most'),
                numeric: true,
                cell: (slice) => (slice.threshold === null ? '–' : percent(slice.error_upper)),
              },
            ]}
          />
        </>
      )}
      <ProblemNote error={off.error ?? reopen.error} />
      {manages && (
        <Group>
          {!ended(one) && (
            <Button variant="default" onClick={() => off.mutate()} loading={off.isPending}>
              {t('Switch it off')}
            </Button>
          )}
          {one.state === 'off' && one.settled > 0 && (
            <Button variant="default" onClick={() => reopen.mutate()} loading={reopen.isPending}>
              {t('Give what it settled back to people')}
            </Button>
          )}
          {reopen.data && <Text size="sm">{t('{count} tasks went back.', { count: number(reopen.data.tasks) })}</Text>}
        </Group>
      )}
    </Stack>
  );
}

/** A model that settles alone, as far as a certificate goes. */
export function AutoAcceptPanel({
  project,
  runs,
  manages,
}: {
  project: Project;
  runs: readonly LearningRun[];
  manages: boolean;
}) {
  const t = useT();
  const list = useQuery({
    queryKey: ['auto-accepts', project.id],
    queryFn: () => learning.accepts(project.id),
    refetchInterval: (query) => (query.state.data?.items.some((one) => !ended(one)) ? LOOK_AGAIN_MS : false),
  });
  const newest = runs.find((run) => run.state === 'done' && run.version !== null);
  return (
    <Panel title={t('Settling alone, under a certificate')}>
      <Stack gap={16}>
        <Text size="sm">
          {t(
            'A random sample is drawn by a seed that is committed to beforehand, and people settle it without hearing the model. Where that proves that few labels would be wrong, the model settles the tasks that it is sure of and nobody has begun. Two in a hundred of those go to people all the same; when they find too much, it is switched off by itself.',
          )}
        </Text>
        <Asked query={list}>
          {({ items }) => {
            const [first] = items;
            return (
              <>
                {first && <Standing one={first} manages={manages} />}
                {manages && newest && (!first || ended(first)) && (
                  <Begin project={project} run={newest} before={first !== undefined} />
                )}
                {!newest && !first && (
                  <Text size="sm" c="dimmed">
                    {t('Fit a model first.')}
                  </Text>
                )}
              </>
            );
          }}
        </Asked>
      </Stack>
    </Panel>
  );
}
