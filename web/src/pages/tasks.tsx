import { Button, Group, SegmentedControl, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { projects } from '../api/calls';
import type { Label, TaskRow } from '../api/types';
import { classesIn, wordsOf } from '../editor/kinds/models';
import { type Translate, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Chip, Empty, Page, ProblemNote, State } from '../ui/bits';

const ROW_PX = 36;
/** Tasks looked through for one label before it asks whether to go on. */
const LOOK_THROUGH = 2_000;

export function labelInWords(t: Translate, label: Label | null | undefined): string {
  if (!label) return '–';
  const words = wordsOf(label);
  return 'said' in words ? words.said || t('Nothing') : t(words.message, { count: words.count });
}

function isSettledAs(settled: Label | null | undefined, name: string): boolean {
  return settled ? classesIn(settled).includes(name) : false;
}

export function Tasks() {
  const t = useT();
  const { percent, number } = useFormat();
  const navigate = useNavigate();
  const { project } = useParams({ strict: false }) as { project: string };
  const { state, label } = useSearch({ strict: false }) as { state?: string; label?: string };
  const query = useInfiniteQuery({
    queryKey: ['tasks', project, state ?? ''],
    queryFn: ({ pageParam }) => projects.tasks(project, { limit: 100, cursor: pageParam, state }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
  const loaded: TaskRow[] = query.data?.pages.flatMap((page) => page.items) ?? [];
  const rows = label === undefined ? loaded : loaded.filter((task) => isSettledAs(task.settled_label, label));
  const [pause, setPause] = useState(LOOK_THROUGH);
  const host = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => host.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const visible = virtual.getVirtualItems();
  const lastVisible = visible.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  // Looking for one label among many reads page after page: it pauses, and goes on when asked.
  const mayReadOn = label === undefined || loaded.length < pause;
  useEffect(() => {
    if (!mayReadOn) return;
    if (lastVisible >= rows.length - 20 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [lastVisible, rows.length, hasNextPage, isFetchingNextPage, fetchNextPage, mayReadOn]);

  return (
    <Page
      back={
        <Link to="/projects/$project" params={{ project }} style={{ fontSize: 12 }}>
          {t('Project')}
        </Link>
      }
      title={t('Tasks')}
      actions={
        <SegmentedControl
          aria-label={t('State')}
          size="xs"
          value={state ?? ''}
          onChange={(value) =>
            void navigate({
              to: '/projects/$project/tasks',
              params: { project },
              search: value ? { state: value } : {},
            })
          }
          data={[
            { value: '', label: t('All') },
            { value: 'open', label: t('Open') },
            { value: 'collecting', label: t('Collecting') },
            { value: 'escalated', label: t('Doubtful') },
            { value: 'settled', label: t('Settled') },
          ]}
        />
      }
    >
      {label !== undefined && (
        <Group gap={12}>
          <Chip tone="settled">{t('settled as {label}', { label })}</Chip>
          <Button component={Link} variant="default" size="compact-xs" to={`/projects/${project}/tasks?state=settled`}>
            {t('Show every label')}
          </Button>
        </Group>
      )}
      <ProblemNote error={query.error} onRetry={() => void query.refetch()} />
      {!query.isLoading && rows.length === 0 && !query.error && !(label !== undefined && hasNextPage) ? (
        <Empty title={t('No task in this state')}>{t('Tasks move from open to settled as judgements come in.')}</Empty>
      ) : (
        <div className="cup-panel" style={{ padding: 0 }}>
          <div className="cup-virtual-row cup-task-row" style={{ height: ROW_PX, fontWeight: 600 }} aria-hidden="true">
            <span>{t('Reference')}</span>
            <span>{t('State')}</span>
            <span>{t('Settled label')}</span>
            <span className="cup-num">{t('Posterior')}</span>
            <span className="cup-num cup-roomy">{t('Judgements')}</span>
            <span className="cup-roomy" />
          </div>
          <div
            ref={host}
            style={{ height: '64dvh', overflow: 'auto' }}
            tabIndex={0}
            role="region"
            aria-label={t('Tasks')}
          >
            <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
              {visible.map((row) => {
                const task = rows[row.index];
                if (!task) return null;
                return (
                  <Link
                    key={task.id}
                    to="/tasks/$task"
                    params={{ task: task.id }}
                    className="cup-virtual-row cup-task-row"
                    style={{
                      height: ROW_PX,
                      position: 'absolute',
                      top: row.start,
                      left: 0,
                      right: 0,
                    }}
                  >
                    <span className="cup-ellipsis">{task.ref}</span>
                    <State of={task.state} />
                    <span className="cup-ellipsis">{labelInWords(t, task.settled_label)}</span>
                    <span className="cup-num">
                      {task.confidence === null || task.confidence === undefined ? '–' : percent(task.confidence, 2)}
                    </span>
                    <span className="cup-num cup-roomy">{number(task.judgements)}</span>
                    <span className="cup-roomy">{task.gold && <Chip tone="model">{t('gold')}</Chip>}</span>
                  </Link>
                );
              })}
            </div>
          </div>
        </div>
      )}
      {!mayReadOn && hasNextPage && (
        <Button variant="default" size="xs" onClick={() => setPause(loaded.length + LOOK_THROUGH)}>
          {t('Look through more tasks')}
        </Button>
      )}
      <Text size="xs" c="dimmed" role="status">
        {!query.data
          ? query.error
            ? ''
            : t('Loading…')
          : label !== undefined && hasNextPage
            ? t('{count} found among the first {loaded}', { count: number(rows.length), loaded: number(loaded.length) })
            : hasNextPage
              ? t('{count} loaded; more as you scroll', { count: number(rows.length) })
              : t('{count, plural, one {# task} other {# tasks}}', { count: rows.length })}
      </Text>
    </Page>
  );
}
