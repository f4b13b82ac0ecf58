/** How this server does: its parts, who runs, how far behind it is, and what it set aside, with the way to try again. */
import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { operator as calls } from '../api/calls';
import type { Aside, Instance, JobCount, Lag, Organisation, Process } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Empty, Panel, ProblemNote, State } from '../ui/bits';
import { Rows } from '../ui/table';

const REFRESH_MS = 5_000;
const KEY = ['instance'];
const FINE = new Set(['ok', 'alive']);
/** What the parts say of themselves; a code that is not here is shown as it is. */
const WORDS: Record<string, string> = {
  ok: msg('In order'),
  alive: msg('In order'),
  missing: msg('None runs'),
  unknown: msg('Not known'),
  unreachable: msg('Not reachable'),
  'blobs-unreachable': msg('Not reachable'),
  'database-connections': msg('No connection left'),
  busy: msg('All connections at work'),
  'disk-full': msg('The disk is full'),
};

/** How long before the server's own moment: the reader's clock may be wrong. */
function Ago({ at, now }: { at: string; now: string }) {
  const { relative, moment } = useFormat();
  return (
    <time dateTime={at} title={moment(at)}>
      {relative((Date.parse(at) - Date.parse(now)) / 1000)}
    </time>
  );
}

function Parts({ health }: { health: Instance['health'] }) {
  const t = useT();
  const parts: [string, string][] = [
    [t('Database'), health.database],
    [t('Files'), health.blobs ?? 'ok'],
    [t('Worker'), health.worker],
  ];
  return (
    <>
      <Group gap={16}>
        {parts.map(([name, word]) => (
          <Group key={name} gap={8}>
            <Text size="sm">{name}</Text>
            <Chip tone={FINE.has(word) ? 'settled' : 'refused'}>{WORDS[word] ? t(WORDS[word]) : word}</Chip>
          </Group>
        ))}
        <Text size="sm" c="dimmed">
          {t('Version {version}', { version: health.version })}
        </Text>
      </Group>
      {health.remedy && <Alert color="yellow">{health.remedy}</Alert>}
    </>
  );
}

function SetAside({ instance }: { instance: Instance }) {
  const t = useT();
  const { number } = useFormat();
  const client = useQueryClient();
  const tenants = useQuery({ queryKey: ['tenants'], queryFn: calls.tenants });
  const retry = useMutation({
    mutationFn: calls.retryAside,
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  });
  const named = (tenant: string) => {
    const of = tenants.data?.items.find((row: Organisation) => row.live.id === tenant || row.test.id === tenant);
    if (!of) return tenant;
    return of.test.id === tenant ? t('{name} (test)', { name: of.name }) : of.name;
  };
  if (instance.aside.length === 0)
    return (
      <Empty icon="check" title={t('Nothing is set aside')}>
        {t('When the news of a project cannot be handled, the others go on and it stands here.')}
      </Empty>
    );
  return (
    <>
      <ProblemNote error={retry.error} />
      <Rows<Aside>
        label={t('Set aside')}
        rows={instance.aside}
        keyOf={(row) => `${row.tenant} ${row.consumer} ${row.project}`}
        columns={[
          { head: t('Tenant'), cell: (row) => named(row.tenant) },
          { head: t('Project'), cell: (row) => (row.project ? <code>{row.project}</code> : '–') },
          { head: t('Listener'), cell: (row) => <code>{row.consumer}</code> },
          { head: t('Reason'), cell: (row) => <span style={{ overflowWrap: 'anywhere' }}>{row.reason}</span> },
          { head: t('Tries'), numeric: true, cell: (row) => number(row.tries) },
          { head: t('Since'), cell: (row) => <Ago at={row.since} now={instance.now} /> },
          { head: t('Next try'), cell: (row) => <Ago at={row.next_at} now={instance.now} /> },
          {
            head: t('Try again'),
            quiet: true,
            numeric: true,
            cell: (row) => (
              <Button
                size="compact-xs"
                variant="default"
                loading={retry.isPending && retry.variables === row}
                onClick={() => retry.mutate(row)}
              >
                {t('Try again')}
              </Button>
            ),
          },
        ]}
      />
      {instance.more_aside && (
        <Text size="sm" c="dimmed">
          {t('There are more; these are the first {count}.', { count: instance.aside.length })}
        </Text>
      )}
    </>
  );
}

function Running({ instance }: { instance: Instance }) {
  const t = useT();
  const { number, duration } = useFormat();
  return (
    <div className="cup-two">
      <Rows<Process>
        label={t('Processes')}
        rows={instance.processes}
        keyOf={(row) => `${row.role} ${row.host} ${row.pid}`}
        columns={[
          { head: t('Process'), cell: (row) => `${row.role} ${row.pid}` },
          { head: t('Machine'), cell: (row) => row.host },
          { head: t('Last heard of'), cell: (row) => <Ago at={row.at} now={instance.now} /> },
        ]}
      />
      <Rows<Lag>
        label={t('Listeners')}
        rows={instance.lags}
        keyOf={(row) => row.name}
        columns={[
          { head: t('Listener'), cell: (row) => <code>{row.name}</code> },
          { head: t('Behind by'), numeric: true, cell: (row) => duration(row.oldest_s) },
        ]}
      />
      {instance.jobs.length > 0 && (
        <Rows<JobCount>
          label={t('Slow work')}
          rows={instance.jobs}
          keyOf={(row) => `${row.name} ${row.state}`}
          columns={[
            { head: t('Slow work'), cell: (row) => <code>{row.name}</code> },
            { head: t('State'), cell: (row) => <State of={row.state} /> },
            { head: t('Count'), numeric: true, cell: (row) => number(row.count) },
            { head: t('Oldest'), numeric: true, cell: (row) => duration(row.oldest_s) },
          ]}
        />
      )}
    </div>
  );
}

export function InstancePanel() {
  const t = useT();
  const query = useQuery({ queryKey: KEY, queryFn: calls.instance, refetchInterval: REFRESH_MS });
  return (
    <Panel title={t('Instance')}>
      <Asked query={query}>
        {(instance) => (
          <Stack gap={16}>
            <Parts health={instance.health} />
            <SetAside instance={instance} />
            <Running instance={instance} />
          </Stack>
        )}
      </Asked>
    </Panel>
  );
}
