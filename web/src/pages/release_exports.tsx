/** A release's exports: the formats that hold it, and the files there are. */
import { Button, Menu, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ontologies, projects, releases } from '../api/calls';
import { currentTenant } from '../api/http';
import type { ExportRun, Format, Ontology, Release } from '../api/types';
import { faceOfType } from '../editor/shapes';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Panel, ProblemNote, State, Why } from '../ui/bits';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Rows } from '../ui/table';
import { fitOf } from './formats';
import { LeftOut } from './left_out';

const BUSY = new Set(['waiting', 'running']);

/** A format to choose, with what it is for; or why it cannot be chosen. */
function FormatItem({ format, ontology, onChoose }: { format: Format; ontology: Ontology; onChoose: () => void }) {
  const t = useT();
  const { localised } = useFormat();
  const { refused, leftOut } = fitOf(format, ontology);
  return (
    <Menu.Item onClick={onChoose} disabled={refused !== null}>
      {format.title}
      <Text size="xs" c="dimmed" maw={320}>
        {refused ? t(refused) : localised(format.about)}
      </Text>
      {leftOut.length > 0 && (
        <Text size="xs" c="var(--cup-doubtful)" maw={320}>
          {t('Not in the file: {shapes}.', {
            shapes: leftOut.map((shape) => t(faceOfType(shape).words.one)).join(', '),
          })}
        </Text>
      )}
    </Menu.Item>
  );
}

/** How much the file could not hold; pressed, it says what. */
function LeftOutButton({ run, title }: { run: ExportRun; title: string | undefined }) {
  const t = useT();
  const { number } = useFormat();
  const [open, setOpen] = useState(false);
  if (run.state !== 'done') return '–';
  if (run.dropped.length === 0) return t('Nothing');
  const count = run.dropped.reduce((sum, row) => sum + row.count, 0);
  return (
    <>
      <Button variant="subtle" size="compact-xs" color="yellow" onClick={() => setOpen(true)}>
        {number(count)}
      </Button>
      {open && (
        <Dialog
          opened={true}
          onClose={() => setOpen(false)}
          size="lg"
          title={t('What {format} could not hold', { format: title ?? run.format })}
        >
          <LeftOut rows={run.dropped} />
        </Dialog>
      )}
    </>
  );
}

export function Exports({ release }: { release: Release }) {
  const t = useT();
  const { bytes } = useFormat();
  const client = useQueryClient();
  const list = useQuery({
    queryKey: ['exports', release.id],
    queryFn: () => releases.exports(release.id),
    refetchInterval: (query) => (query.state.data?.items.some((run) => BUSY.has(run.state)) ? 1500 : false),
  });
  const formats = useQuery({ queryKey: ['formats'], queryFn: releases.formats, staleTime: Number.POSITIVE_INFINITY });
  const project = useQuery({
    queryKey: ['project', release.project],
    queryFn: () => projects.read(release.project),
  });
  const of = project.data?.ontology_version;
  const version = useQuery({
    queryKey: ['ontology-version', of],
    queryFn: () => ontologies.version(of ?? ''),
    enabled: of !== undefined,
  });
  const known = formats.data?.formats ?? [];
  const ontology = version.data?.spec;
  const trouble = formats.error ?? project.error ?? version.error;
  const start = useMutation({
    mutationFn: (format: string) => releases.export(release.id, format),
    onSuccess: () => client.invalidateQueries({ queryKey: ['exports', release.id] }),
  });
  return (
    <Panel
      title={t('Exports')}
      aside={
        <Menu position="bottom-end">
          <Menu.Target>
            <Button
              variant="default"
              rightSection={<Icon name="down" size={14} />}
              loading={start.isPending || (!ontology && !trouble)}
            >
              {t('New export')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {ontology &&
              known.map((format) => (
                <FormatItem
                  key={format.name}
                  format={format}
                  ontology={ontology}
                  onChoose={() => start.mutate(format.name)}
                />
              ))}
          </Menu.Dropdown>
        </Menu>
      }
    >
      <ProblemNote error={start.error ?? trouble} />
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
                  cell: (run) => known.find(({ name }) => name === run.format)?.title ?? run.format,
                },
                {
                  head: t('State'),
                  cell: (run) => (
                    <>
                      <State of={run.state} />
                      {run.error && (
                        <Text component="div" size="xs" c="var(--cup-refused)" maw="40ch">
                          <Why code={run.error_code} detail={run.error} />
                        </Text>
                      )}
                    </>
                  ),
                },
                {
                  head: t('Left out'),
                  cell: (run) => (
                    <LeftOutButton run={run} title={known.find(({ name }) => name === run.format)?.title} />
                  ),
                },
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
