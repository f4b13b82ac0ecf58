/** Where the guideline is silent: tasks that experts could not decide, or decided differently, and what to do about it. */

import { Button, Group, Stack, Text, Title, UnstyledButton } from '@mantine/core';
import { useInfiniteQuery, useQueries, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type CSSProperties, useState } from 'react';
import { projects } from '../api/calls';
import { useSession } from '../api/session';
import type { ItemView, Label, Ontology, Project, TaskDetail, Unclear } from '../api/types';
import { KINDS } from '../editor/kinds';
import { ItemThumb } from '../editor/kinds/item_stage';
import { isDrawn, nameOf } from '../editor/kinds/models';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Empty, Moment, Page, Panel, ProblemNote } from '../ui/bits';
import { Icon } from '../ui/icons';
import { GuidelineEditor } from './guideline_editor';
import { type Case, type Pair, pairsOf, type Tally, tally } from './guideline_pairs';

/** Cases read at a time: each is looked at with all that was said of it. */
const PAGE = 20;
/** Pairs shown; rarer ones say little about the guideline. */
const MOST_PAIRS = 12;

function Said({ of, ontology, item }: { of: readonly Tally[]; ontology: Ontology; item: ItemView }) {
  const { number } = useFormat();
  return (
    <ul className="cup-said">
      {of.map(({ label, count }) => {
        const { View } = KINDS[label.kind];
        return (
          <li key={JSON.stringify(label)}>
            <View label={label} ontology={ontology} item={item} bare={!isDrawn(label)} />
            {count > 1 && <span className="cup-times">× {number(count)}</span>}
          </li>
        );
      })}
    </ul>
  );
}

/** What a case is about, as the subject of a rule: the labels in question, else the item. */
function ruleOf(unclear: Unclear, detail: TaskDetail | undefined, or: string): string {
  const names = tally([...unclear.labels, ...(detail?.judgements ?? []).map(({ label }: { label: Label }) => label)])
    .map(({ label }) => nameOf(label) ?? '')
    .filter(Boolean)
    .slice(0, 3);
  return names.length > 1 ? `${names.join(` ${or} `)}: ${unclear.ref}` : unclear.ref;
}

function CaseCard({
  unclear,
  detail,
  manages,
  onRule,
}: {
  unclear: Unclear;
  detail: TaskDetail | undefined;
  manages: boolean;
  onRule: (heading: string) => void;
}) {
  const t = useT();
  const { number } = useFormat();
  return (
    <article className="cup-panel cup-case" aria-label={unclear.ref}>
      <Link to="/tasks/$task" params={{ task: unclear.task }} aria-hidden="true" tabIndex={-1}>
        {detail ? <ItemThumb item={detail.item} /> : <div className="cup-thumb" />}
      </Link>
      <div style={{ minWidth: 0 }}>
        <Group gap={12} mb={8}>
          <Title order={2} size="h3" style={{ overflowWrap: 'anywhere' }}>
            <Link to="/tasks/$task" params={{ task: unclear.task }}>
              {unclear.ref}
            </Link>
          </Title>
          {unclear.undecided > 0 && (
            <Chip tone="doubtful">
              {t('{undecided} of {verdicts, plural, one {# expert} other {# experts}} could not decide', {
                undecided: number(unclear.undecided),
                verdicts: unclear.verdicts,
              })}
            </Chip>
          )}
          {unclear.labels.length > 1 && <Chip tone="refused">{t('experts disagree')}</Chip>}
        </Group>
        {detail && (
          <div className="cup-said-columns">
            <div>
              <h3>{t('Experts said')}</h3>
              {unclear.labels.length > 0 ? (
                <Said of={tally(unclear.labels)} ontology={detail.ontology} item={detail.item} />
              ) : (
                <Text size="sm" c="dimmed">
                  {t('nothing they could decide')}
                </Text>
              )}
            </div>
            <div>
              <h3>{t('Contributors said')}</h3>
              {detail.judgements.length > 0 ? (
                <Said
                  of={tally(detail.judgements.map(({ label }) => label))}
                  ontology={detail.ontology}
                  item={detail.item}
                />
              ) : (
                <Text size="sm" c="dimmed">
                  {t('nothing yet')}
                </Text>
              )}
            </div>
          </div>
        )}
        {unclear.notes && (
          <blockquote className="cup-note">
            <span className="cup-visually-hidden">{t('Note')}: </span>
            {unclear.notes}
          </blockquote>
        )}
        <Text size="xs" c="dimmed" mt={8}>
          {t('Last looked at')} <Moment at={unclear.at} />
        </Text>
      </div>
      <div className="cup-case-acts">
        {manages && (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<Icon name="book" size={14} />}
            onClick={() => onRule(ruleOf(unclear, detail, t('or')))}
            aria-label={t('Write a rule about {name}', { name: unclear.ref })}
          >
            {t('Write a rule')}
          </Button>
        )}
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="undo" size={14} />}
          component={Link}
          to={`/adjudication/${unclear.task}?queue=guideline`}
          aria-label={t('Decide again: {name}', { name: unclear.ref })}
        >
          {t('Decide again')}
        </Button>
      </div>
    </article>
  );
}

function Pairs({
  pairs,
  chosen,
  onChoose,
}: {
  pairs: readonly Pair[];
  chosen: string | null;
  onChoose: (key: string | null) => void;
}) {
  const t = useT();
  const most = Math.max(1, ...pairs.map(({ tasks }) => tasks.length));
  return (
    <Panel title={t('What they mix up')}>
      <Text size="sm" c="dimmed" mb={12}>
        {t('Both were said of the same task, by experts or contributors. Choose a pair to see its cases only.')}
      </Text>
      <div className="cup-pairs">
        {pairs.slice(0, MOST_PAIRS).map((pair) => {
          const key = pair.names.join('\n');
          return (
            <UnstyledButton
              key={key}
              className="cup-pair"
              aria-pressed={chosen === key}
              onClick={() => onChoose(chosen === key ? null : key)}
            >
              <span className="cup-pair-names">
                <strong>{pair.names[0]}</strong>
                <span aria-hidden="true">↔</span>
                <strong>{pair.names[1]}</strong>
              </span>
              <span className="cup-pair-bar" aria-hidden="true">
                <b style={{ width: `${(pair.tasks.length / most) * 100}%` } as CSSProperties} />
              </span>
              <span className="cup-num">
                {t('{count, plural, one {# task} other {# tasks}}', { count: pair.tasks.length })}
              </span>
            </UnstyledButton>
          );
        })}
      </div>
    </Panel>
  );
}

function Queue({ project }: { project: Project }) {
  const t = useT();
  const { number } = useFormat();
  const { tenant } = useSession();
  const manages = tenant?.role !== 'reviewer';
  const [rule, setRule] = useState<{ heading: string | null } | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const query = useInfiniteQuery({
    queryKey: ['guideline-queue', project.id],
    queryFn: ({ pageParam }) => projects.guidelineQueue(project.id, { limit: PAGE, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
  const list = query.data?.pages.flatMap((page) => page.items) ?? [];
  const details = useQueries({
    queries: list.map(({ task }) => ({ queryKey: ['task', task], queryFn: () => projects.task(task) })),
    combine: (answers) => answers.map(({ data }) => data),
  });
  const cases: Case[] = list.map((unclear, at) => ({ unclear, judgements: details[at]?.judgements ?? [] }));
  const pairs = pairsOf(cases);
  const pair = pairs.find(({ names }) => names.join('\n') === chosen) ?? null;
  const shown = list
    .map((unclear, at) => ({ unclear, detail: details[at] }))
    .filter(({ unclear }) => pair === null || pair.tasks.includes(unclear.task));
  return (
    <Page
      back={
        <Link to="/projects/$project" params={{ project: project.id }} style={{ fontSize: 12 }}>
          {project.name}
        </Link>
      }
      title={t('Where the guideline is silent')}
      lead={t(
        'Tasks that experts could not decide, or decided differently. More judgements do not help here; a clearer rule does.',
      )}
      actions={
        manages && (
          <Button leftSection={<Icon name="book" />} onClick={() => setRule({ heading: null })}>
            {t('Edit the guideline')}
          </Button>
        )
      }
    >
      <ProblemNote error={query.error} onRetry={() => void query.refetch()} />
      {query.data && list.length === 0 && (
        <Empty icon="check" title={t('The guideline has an answer for everything so far')}>
          {t(
            'A task comes here when an adjudicator or auditor says that nobody could decide it, or when two of them decide it differently.',
          )}
        </Empty>
      )}
      {pairs.length > 0 && <Pairs pairs={pairs} chosen={pair ? chosen : null} onChoose={setChosen} />}
      {list.length > 0 && (
        <Stack gap={12}>
          <Text size="sm" role="status">
            {query.hasNextPage
              ? t('{count} shown; there are more', { count: number(shown.length) })
              : t('{count, plural, one {# case} other {# cases}}', { count: shown.length })}
          </Text>
          {shown.map(({ unclear, detail }) => (
            <CaseCard
              key={unclear.task}
              unclear={unclear}
              detail={detail}
              manages={manages}
              onRule={(heading) => setRule({ heading })}
            />
          ))}
          {query.hasNextPage && (
            <Group justify="center">
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t('Show more')}
              </Button>
            </Group>
          )}
        </Stack>
      )}
      {rule && <GuidelineEditor project={project} rule={rule.heading} onClose={() => setRule(null)} />}
    </Page>
  );
}

export function GuidelineQueue() {
  const { project: id } = useParams({ strict: false }) as { project: string };
  const query = useQuery({ queryKey: ['project', id], queryFn: () => projects.read(id) });
  return <Asked query={query}>{(project) => <Queue project={project} />}</Asked>;
}
