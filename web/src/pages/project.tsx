import { Button, Group, Stack, Tabs, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type CSSProperties, lazy, type ReactNode, Suspense, useState } from 'react';
import { projects, releases } from '../api/calls';
import { useSession } from '../api/session';
import type { Project, Quality, Release } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Figure, Interval, Page, Panel, ProblemNote, State } from '../ui/bits';
import { Confusion, SkillDots } from '../ui/charts';
import { Hallmark } from '../ui/hallmark';
import { Icon, type IconName } from '../ui/icons';
import { Calibration, PosteriorHistogram } from '../ui/quality_charts';
import { GoldPanel } from './gold_input';
import { Funding } from './project_funding';
import { ReleaseList } from './project_releases';
import { WhatIfPanel } from './project_what_if';
import { KIND_NAMES } from './work_offers';

/** People who err alike are misled alike: above this it is the guidelines that want mending, not the people. */
const MEND_GUIDELINES_ABOVE = 0.3;

const ProgressChart = lazy(() => import('../ui/progress_chart'));

function FlowStrip({ project, certified }: { project: Project; certified: number }) {
  const t = useT();
  const { number } = useFormat();
  const { counts } = project;
  const steps: [string, string, number, string][] = [
    ['open', t('Open'), counts.open, 'neutral'],
    ['collecting', t('Collecting'), counts.collecting, 'person'],
    ['escalated', t('Doubtful'), counts.escalated, 'doubtful'],
    ['settled', t('Settled'), counts.settled, 'settled'],
  ];
  const bar = (part: number, tone: string) => (
    <i aria-hidden="true">
      <b style={{ width: `${counts.total ? (part / counts.total) * 100 : 0}%`, '--fill': tone } as CSSProperties} />
    </i>
  );
  return (
    <nav className="cup-flow" aria-label={t('Where the tasks are')}>
      {steps.map(([state, name, count, tone]) => (
        <Link key={state} to="/projects/$project/tasks" params={{ project: project.id }} search={{ state }}>
          <strong>{number(count)}</strong>
          <span>{name}</span>
          {bar(count, `var(--cup-${tone}-fill)`)}
        </Link>
      ))}
      <div>
        <strong>{number(certified)}</strong>
        <span>{t('Certified')}</span>
        {bar(certified, 'var(--cup-ember)')}
      </div>
    </nav>
  );
}

function Verb({
  project,
  verb,
  icon,
  children,
  main,
}: {
  project: Project;
  verb: 'launch' | 'pause' | 'resume' | 'stop';
  icon: IconName;
  children: ReactNode;
  main?: boolean;
}) {
  const client = useQueryClient();
  const turn = useMutation({
    mutationFn: () => projects.turn(project.id, verb),
    onSettled: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ['project', 'projects'].includes(String(queryKey[0])) }),
  });
  return (
    <>
      <Button
        variant={main ? 'filled' : 'default'}
        leftSection={<Icon name={icon} />}
        loading={turn.isPending}
        onClick={() => turn.mutate()}
      >
        {children}
      </Button>
      {turn.error && <ProblemNote error={turn.error} />}
    </>
  );
}

function Verbs({ project }: { project: Project }) {
  const t = useT();
  if (project.state === 'draft')
    return (
      <Verb project={project} verb="launch" icon="play" main>
        {t('Launch')}
      </Verb>
    );
  if (project.state === 'live')
    return (
      <Verb project={project} verb="pause" icon="pause">
        {t('Pause')}
      </Verb>
    );
  if (project.state === 'paused') {
    return (
      <>
        <Verb project={project} verb="resume" icon="play" main>
          {t('Resume')}
        </Verb>
        <Verb project={project} verb="stop" icon="stop">
          {t('Stop')}
        </Verb>
      </>
    );
  }
  return null;
}

function Overview({
  project,
  quality,
  certified,
}: {
  project: Project;
  quality: Quality;
  certified: Release | undefined;
}) {
  const t = useT();
  const { money, number, percent } = useFormat();
  const { currency } = project.offer;
  const { agreement, forecast } = quality;
  return (
    <Stack gap={16}>
      <div className="cup-two">
        <Panel title={t('Cost')}>
          <Group gap={32} align="flex-start">
            <Figure
              label={t('Spent')}
              value={money(project.spent_minor, currency)}
              note={t('{count} judgements', { count: number(project.judgements) })}
            />
            <Figure label={t('Held for work in hand')} value={money(project.reserved_minor, currency)} />
            <Figure label={t('Left in the budget')} value={money(project.budget_minor, currency)} />
          </Group>
          {forecast.judgements_to_go > 0 && (
            <div style={{ marginTop: 16 }}>
              <Text size="sm">
                {t('To go: about {judgements} judgements, {low} to {high}', {
                  judgements: number(forecast.judgements_to_go),
                  low: money(forecast.cost_to_go_minor.low, currency),
                  high: money(forecast.cost_to_go_minor.high, currency),
                })}
              </Text>
              <Interval
                {...forecast.cost_to_go_minor}
                to={Math.max(1, forecast.cost_to_go_minor.high * 1.15)}
                width="100%"
                label={t('Likely {likely}, between {low} and {high}', {
                  likely: money(forecast.cost_to_go_minor.likely, currency),
                  low: money(forecast.cost_to_go_minor.low, currency),
                  high: money(forecast.cost_to_go_minor.high, currency),
                })}
              />
            </div>
          )}
        </Panel>
        <Panel title={t('Quality')}>
          <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr 1.6fr', gap: 24 }}>
            <Figure
              label={t('Agreement (alpha)')}
              value={agreement.alpha === null ? '–' : number(agreement.alpha, 3)}
              note={
                agreement.low !== null && agreement.high !== null
                  ? `${number(agreement.low, 3)} – ${number(agreement.high, 3)}`
                  : t('needs repeated tasks')
              }
            />
            <Figure
              label={t('Judgements a task')}
              value={quality.judgements_per_task === null ? '–' : number(quality.judgements_per_task, 2)}
              note={t('plan allows up to {most}', { most: project.plan.max_judgements })}
            />
            <Figure
              label={t('Mistakes repeated')}
              value={agreement.repeat_rate === null ? '–' : percent(agreement.repeat_rate, 0)}
              note={
                agreement.repeat_rate !== null && agreement.repeat_rate > MEND_GUIDELINES_ABOVE
                  ? t('above 30 %: mend the guideline')
                  : t('given one vote is wrong, how often another person repeats the same wrong label')
              }
            />
          </div>
          <Text size="sm" mt={16}>
            {t('Plan: {target} accuracy at {confidence} confidence, {gold} gold tasks mixed in.', {
              target: percent(project.plan.target_accuracy),
              confidence: percent(project.plan.confidence, 0),
              gold: number(project.counts.gold),
            })}
          </Text>
        </Panel>
      </div>
      <Panel title={t('Over time')}>
        <Suspense fallback={null}>
          <ProgressChart points={quality.progress} currency={currency} />
        </Suspense>
      </Panel>
      <div className="cup-two">
        <Panel title={t('How sure each task is')}>
          {quality.posterior_histogram.length ? (
            <PosteriorHistogram bins={quality.posterior_histogram} target={project.plan.target_accuracy} />
          ) : (
            <Text c="dimmed">{t('Shown once tasks have judgements.')}</Text>
          )}
        </Panel>
        <Panel title={t('Are the claims true?')}>
          {quality.calibration.length ? (
            <Calibration points={quality.calibration} />
          ) : (
            <Text c="dimmed">{t('Shown once tasks with a known answer (gold) are judged.')}</Text>
          )}
        </Panel>
      </div>
      {project.counts.total > 0 && <WhatIfPanel project={project} certified={certified} />}
    </Stack>
  );
}

function People({ project, quality }: { project: Project; quality: Quality }) {
  const t = useT();
  if (quality.contributors.length === 0) {
    return project.judgements > 0 ? (
      <Empty icon="clock" title={t('No skill worked out yet')}>
        {t(
          'Skills are worked out together, once enough tasks have been judged by several people or have a known answer.',
        )}
      </Empty>
    ) : (
      <Empty icon="user" title={t('Nobody has judged yet')}>
        {t('Each contributor shows up here under a pseudonym, with the skill their work shows.')}
      </Empty>
    );
  }
  return (
    <div className="cup-two">
      <Panel title={t('Skill of each contributor')}>
        <SkillDots contributors={quality.contributors} />
      </Panel>
      <Panel title={t('What is taken for what')}>
        {quality.confusion?.classes.length ? (
          <Confusion project={project.id} {...quality.confusion} />
        ) : (
          <Text c="dimmed">{t('Only for labels that are chosen.')}</Text>
        )}
      </Panel>
    </div>
  );
}

export function ProjectPage() {
  const t = useT();
  const { tenant } = useSession();
  const { project: id } = useParams({ strict: false }) as { project: string };
  const [tab, setTab] = useState<string | null>('overview');
  const project = useQuery({ queryKey: ['project', id], queryFn: () => projects.read(id), refetchInterval: 15_000 });
  const quality = useQuery({ queryKey: ['quality', id], queryFn: () => projects.quality(id), refetchInterval: 30_000 });
  const list = useQuery({ queryKey: ['releases', id], queryFn: () => releases.list(id) });
  const certified = (list.data?.items ?? []).filter((release) => release.state === 'certified' && release.certificate);
  const best = certified[0];
  const manages = tenant?.role !== 'reviewer';
  return (
    <Asked query={project}>
      {(data) => (
        <Page
          back={
            <Link to="/projects" style={{ fontSize: 12 }}>
              {t('Projects')}
            </Link>
          }
          title={data.name}
          lead={
            <Group gap={12} component="span">
              <State of={data.state} />
              <span>{t(KIND_NAMES[data.kind])}</span>
              {best?.certificate && <Hallmark release={best.id} certificate={best.certificate} />}
            </Group>
          }
          actions={manages && <Verbs project={data} />}
        >
          <FlowStrip project={data} certified={Math.max(0, ...certified.map((release) => release.items))} />
          <Tabs value={tab} onChange={setTab} keepMounted={false}>
            <Tabs.List mb={16}>
              <Tabs.Tab value="overview">{t('Overview')}</Tabs.Tab>
              <Tabs.Tab value="people">{t('Contributors')}</Tabs.Tab>
              <Tabs.Tab value="releases">{t('Releases')}</Tabs.Tab>
              {manages && <Tabs.Tab value="gold">{t('Gold')}</Tabs.Tab>}
              {manages && <Tabs.Tab value="funding">{t('Price and budget')}</Tabs.Tab>}
            </Tabs.List>
            <Tabs.Panel value="overview">
              <Asked query={quality}>
                {(figures) => <Overview project={data} quality={figures} certified={best} />}
              </Asked>
            </Tabs.Panel>
            <Tabs.Panel value="people">
              <Asked query={quality}>{(figures) => <People project={data} quality={figures} />}</Asked>
            </Tabs.Panel>
            <Tabs.Panel value="releases">
              <ReleaseList project={data} />
            </Tabs.Panel>
            {manages && (
              <Tabs.Panel value="gold">
                <GoldPanel project={data} />
              </Tabs.Panel>
            )}
            {manages && (
              <Tabs.Panel value="funding">
                <Funding project={data} />
              </Tabs.Panel>
            )}
          </Tabs>
        </Page>
      )}
    </Asked>
  );
}
