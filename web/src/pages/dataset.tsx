import { Button, Group, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { catalogue } from '../api/calls';
import type { ImportRun } from '../api/types';
import { ItemThumb } from '../editor/kinds/item_stage';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Moment, Page, Panel, ProblemNote, State, Why } from '../ui/bits';
import { Rows } from '../ui/table';
import { ImportPanel } from './import_panel';
import { ImportTold, type Told } from './import_told';

const BUSY = new Set(['waiting', 'running']);

function Imports({ dataset }: { dataset: string }) {
  const t = useT();
  const { number, bytes } = useFormat();
  const client = useQueryClient();
  const [shown, setShown] = useState<Told | null>(null);
  const query = useQuery({
    queryKey: ['imports', dataset],
    queryFn: () => catalogue.imports(dataset),
    refetchInterval: (state) => (state.state.data?.items.some((run) => BUSY.has(run.state)) ? 1500 : false),
  });
  const resume = useMutation({
    mutationFn: (run: string) => catalogue.resumeImport(run),
    onSettled: () => client.invalidateQueries({ queryKey: ['imports', dataset] }),
  });
  return (
    <>
      <ProblemNote error={resume.error} />
      <Asked query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Text c="dimmed">{t('Nothing imported yet.')}</Text>
          ) : (
            <Rows<ImportRun>
              label={t('Imports')}
              rows={items}
              keyOf={(run) => run.id}
              columns={[
                { head: t('Begun'), cell: (run) => <Moment at={run.started_at} /> },
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
                { head: t('Found'), numeric: true, cell: (run) => number(run.found) },
                { head: t('Accepted'), numeric: true, cell: (run) => number(run.accepted) },
                { head: t('Unchanged'), numeric: true, cell: (run) => number(run.unchanged) },
                {
                  head: t('Refused'),
                  numeric: true,
                  cell: (run) =>
                    run.refused > 0 ? (
                      <Button
                        variant="subtle"
                        size="compact-xs"
                        color="red"
                        c="var(--cup-refused)"
                        onClick={() => setShown({ run: run.id, taken: false })}
                      >
                        {t('{count} refused: see why', { count: number(run.refused) })}
                      </Button>
                    ) : (
                      number(0)
                    ),
                },
                {
                  head: t('Taken otherwise'),
                  numeric: true,
                  cell: (run) =>
                    run.noted > 0 ? (
                      <Button
                        variant="subtle"
                        size="compact-xs"
                        color="gray"
                        c="var(--cup-doubtful)"
                        onClick={() => setShown({ run: run.id, taken: true })}
                      >
                        {t('{count} noted: see what', { count: number(run.noted) })}
                      </Button>
                    ) : (
                      number(0)
                    ),
                },
                { head: t('Size'), numeric: true, cell: (run) => bytes(run.bytes) },
                {
                  head: t('Go on'),
                  quiet: true,
                  cell: (run) =>
                    run.state === 'failed' && (
                      <Button size="compact-xs" variant="default" onClick={() => resume.mutate(run.id)}>
                        {t('Resume')}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </Asked>
      {shown && <ImportTold told={shown} onClose={() => setShown(null)} />}
    </>
  );
}

function Items({ dataset }: { dataset: string }) {
  const t = useT();
  const query = useInfiniteQuery({
    queryKey: ['items', dataset],
    queryFn: ({ pageParam }) => catalogue.items(dataset, { limit: 48, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (!query.isLoading && items.length === 0)
    return <Text c="dimmed">{t('Items show up here as they are imported.')}</Text>;
  return (
    <Stack gap={12}>
      <div className="cup-grid">
        {items.map((item) => (
          <figure key={item.id ?? item.ref} style={{ margin: 0, minWidth: 0 }}>
            <ItemThumb item={item} />
            <figcaption className="cup-ellipsis" style={{ fontSize: 12 }} title={item.ref}>
              {item.ref}
            </figcaption>
          </figure>
        ))}
      </div>
      {query.hasNextPage && (
        <Group justify="center">
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t('Show more')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

export function DatasetPage() {
  const t = useT();
  const { number } = useFormat();
  const client = useQueryClient();
  const { dataset: id } = useParams({ strict: false }) as { dataset: string };
  const query = useQuery({ queryKey: ['dataset', id], queryFn: () => catalogue.dataset(id) });
  return (
    <Asked query={query}>
      {(dataset) => (
        <Page
          back={
            <Link to="/datasets" style={{ fontSize: 12 }}>
              {t('Datasets')}
            </Link>
          }
          title={dataset.name}
          lead={`${t('{count, plural, one {# item} other {# items}}', { count: dataset.items })}${dataset.licence ? ` · ${dataset.licence}` : ''}`}
          actions={
            dataset.items > 0 && (
              <Button component={Link} to="/projects/new">
                {t('New project')}
              </Button>
            )
          }
        >
          <Panel title={t('Import')}>
            <ImportPanel dataset={id} onStarted={() => void client.invalidateQueries({ queryKey: ['dataset', id] })} />
          </Panel>
          <Panel title={t('Imports')}>
            <Imports dataset={id} />
          </Panel>
          <Panel title={t('Items ({count})', { count: number(dataset.items) })}>
            <Items dataset={id} />
          </Panel>
        </Page>
      )}
    </Asked>
  );
}
