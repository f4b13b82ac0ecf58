import { Button, Group, Menu, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { releases } from '../api/calls';
import { currentTenant } from '../api/http';
import type { ExportFormat, ExportRun, Release } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Figure, Moment, Page, Panel, ProblemNote, State } from '../ui/bits';
import { Hallmark } from '../ui/hallmark';
import { Icon } from '../ui/icons';
import { Rows } from '../ui/table';

const FORMATS: readonly [ExportFormat, string, string][] = [
  ['jsonl', 'JSONL', msg('every label with its lineage')],
  ['coco', 'COCO', msg('boxes on images, as JSON')],
  ['yolo', 'YOLO', msg('folders a trainer reads')],
  ['parquet', 'Parquet', msg('columns for analysis')],
];
const BUSY = new Set(['waiting', 'running']);

function Exports({ release }: { release: Release }) {
  const t = useT();
  const { bytes } = useFormat();
  const client = useQueryClient();
  const list = useQuery({
    queryKey: ['exports', release.id],
    queryFn: () => releases.exports(release.id),
    refetchInterval: (query) => (query.state.data?.items.some((run) => BUSY.has(run.state)) ? 1500 : false),
  });
  const start = useMutation({
    mutationFn: (format: ExportFormat) => releases.export(release.id, format),
    onSuccess: () => client.invalidateQueries({ queryKey: ['exports', release.id] }),
  });
  return (
    <Panel
      title={t('Exports')}
      aside={
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" rightSection={<Icon name="down" size={14} />} loading={start.isPending}>
              {t('New export')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {FORMATS.map(([format, name, what]) => (
              <Menu.Item key={format} onClick={() => start.mutate(format)}>
                {name}
                <Text size="xs" c="dimmed">
                  {t(what)}
                </Text>
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      }
    >
      <ProblemNote error={start.error} />
      <Asked query={list}>
        {({ items }) =>
          items.length === 0 ? (
            <Text c="dimmed">
              {t('Choose a format that your trainer reads. The certificate travels with the files.')}
            </Text>
          ) : (
            <Rows<ExportRun>
              label={t('Exports')}
              rows={items}
              keyOf={(run) => run.id}
              columns={[
                {
                  head: t('Format'),
                  cell: (run) => FORMATS.find(([format]) => format === run.format)?.[1] ?? run.format,
                },
                { head: t('State'), cell: (run) => <State of={run.state} /> },
                { head: t('Size'), numeric: true, cell: (run) => (run.bytes ? bytes(run.bytes) : '–') },
                {
                  head: 'SHA-256',
                  cell: (run) => (run.sha256 ? <code title={run.sha256}>{run.sha256.slice(0, 16)}…</code> : '–'),
                },
                {
                  head: t('File'),
                  cell: (run) =>
                    run.state === 'done' || run.url ? (
                      <a href={releases.fileUrl(run, currentTenant())} download>
                        {t('Download')}
                      </a>
                    ) : (
                      '–'
                    ),
                },
              ]}
            />
          )
        }
      </Asked>
    </Panel>
  );
}

function CertificatePanel({ release }: { release: Release }) {
  const t = useT();
  const { number, percent } = useFormat();
  const client = useQueryClient();
  const certify = useMutation({
    mutationFn: () => releases.certify(release.id),
    onSuccess: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ['release', 'releases'].includes(String(queryKey[0])) }),
  });
  const { audit, certificate } = release;
  const left = audit.drawn - audit.judged;
  if (certificate) {
    return (
      <Panel title={t('Certificate')}>
        <Group gap={32} align="flex-start" mb={12}>
          <div>
            <Hallmark release={release.id} certificate={certificate} />
            <Text size="xs" c="dimmed" mt={4}>
              {certificate.reached
                ? t('The target of {target} is reached.', { target: percent(certificate.target, 2) })
                : t('The target of {target} is not reached.', { target: percent(certificate.target, 2) })}
            </Text>
          </div>
          <Figure label={t('Audited')} value={number(certificate.n)} note={t('drawn at random')} />
          <Figure
            label={t('Errors found')}
            value={number(certificate.errors)}
            note={t('of {n}', { n: number(certificate.n) })}
          />
          {certificate.double_judged > 0 && (
            <Figure
              label={t('Auditors differed')}
              value={number(certificate.disagreements)}
              note={t('of {n} judged by two; a third decided', { n: number(certificate.double_judged) })}
            />
          )}
        </Group>
        <Text size="sm" maw="72ch">
          {certificate.statement}
        </Text>
      </Panel>
    );
  }
  return (
    <Panel title={t('Audit')}>
      <Stack gap={12}>
        <Text size="sm">
          {t(
            '{judged} of {drawn} audited. The adjudicator does not see the settled labels; you see the errors when the audit is closed.',
            { judged: number(audit.judged), drawn: number(audit.drawn) },
          )}
          {audit.auditors > 1 && ` ${t('Each is judged by two people who do not see each other’s answers.')}`}
        </Text>
        <ProblemNote error={certify.error} />
        <Group>
          {left > 0 ? (
            <Button component={Link} to={`/audits/${release.id}`}>
              {t('Audit {count, plural, one {# item} other {# items}}', { count: left })}
            </Button>
          ) : (
            <Button onClick={() => certify.mutate()} loading={certify.isPending}>
              {t('Close the audit and certify')}
            </Button>
          )}
        </Group>
      </Stack>
    </Panel>
  );
}

export function ReleasePage() {
  const t = useT();
  const { number } = useFormat();
  const { release: id } = useParams({ strict: false }) as { release: string };
  const query = useQuery({ queryKey: ['release', id], queryFn: () => releases.read(id) });
  return (
    <Asked query={query}>
      {(release) => (
        <Page
          back={
            release.project && (
              <Link to="/projects/$project" params={{ project: release.project }} style={{ fontSize: 12 }}>
                {t('Project')}
              </Link>
            )
          }
          title={t('Release {name}', { name: release.name })}
          lead={<State of={release.state} />}
        >
          <Group gap={32} align="flex-start">
            <Figure label={t('Items')} value={number(release.items)} />
            <Figure
              label={t('Frozen')}
              value={
                <span style={{ fontSize: 14 }}>
                  <Moment at={release.created_at} />
                </span>
              }
            />
            <Figure
              label={t('Manifest SHA-256')}
              value={<code style={{ fontSize: 12, overflowWrap: 'anywhere' }}>{release.manifest_sha256}</code>}
            />
          </Group>
          {release.audit.drawn === 0 && !release.certificate ? (
            <Empty title={t('No audit was declared')}>
              {t('This release can be exported, but carries no certificate.')}
            </Empty>
          ) : (
            <CertificatePanel release={release} />
          )}
          <Exports release={release} />
        </Page>
      )}
    </Asked>
  );
}
