import { Button, Group, Tabs } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type CSSProperties, type ReactNode, useState } from 'react';
import { projects, releases } from '../api/calls';
import { useSession } from '../api/session';
import type { Project } from '../api/types';
import { modelOf } from '../editor/kinds/models';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Page, ProblemNote, State } from '../ui/bits';
import { Hallmark } from '../ui/hallmark';
import { Icon, type IconName } from '../ui/icons';
import { GoldPanel } from './gold_input';
import { AddingNote } from './project_adding';
import { Eligibility } from './project_eligibility';
import { Funding } from './project_funding';
import { Learning } from './project_learning';
import { Overview } from './project_overview';
import { People } from './project_people';
import { ReleaseList } from './project_releases';
import { TrainingPanel } from './project_training';

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

export function ProjectPage() {
  const t = useT();
  const { tenant } = useSession();
  const { project: id } = useParams({ strict: false }) as { project: string };
  const [tab, setTab] = useState<string | null>('overview');
  const project = useQuery({
    queryKey: ['project', id],
    queryFn: () => projects.read(id),
    // Whoever waits for tasks to be made sees it go on.
    refetchInterval: ({ state }) => (state.data?.adding && !state.data.adding.trouble ? 2_000 : 15_000),
  });
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
              <span>{t(modelOf(data.kind).title)}</span>
              {best?.certificate && <Hallmark release={best.id} certificate={best.certificate} />}
            </Group>
          }
          actions={manages && <Verbs project={data} />}
        >
          <ProblemNote error={list.error} onRetry={() => void list.refetch()} />
          <AddingNote project={data} />
          <FlowStrip project={data} certified={Math.max(0, ...certified.map((release) => release.items))} />
          <Tabs value={tab} onChange={setTab} keepMounted={false}>
            <Tabs.List mb={16}>
              <Tabs.Tab value="overview">{t('Overview')}</Tabs.Tab>
              <Tabs.Tab value="people">{t('Contributors')}</Tabs.Tab>
              <Tabs.Tab value="learning">{t('Learning')}</Tabs.Tab>
              <Tabs.Tab value="releases">{t('Releases')}</Tabs.Tab>
              {manages && <Tabs.Tab value="gold">{t('Gold and training')}</Tabs.Tab>}
              {manages && <Tabs.Tab value="eligibility">{t('Who may work')}</Tabs.Tab>}
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
            <Tabs.Panel value="learning">
              <Learning project={data} manages={manages} />
            </Tabs.Panel>
            <Tabs.Panel value="releases">
              <ReleaseList project={data} />
            </Tabs.Panel>
            {manages && (
              <Tabs.Panel value="gold">
                <div className="cup-two">
                  <GoldPanel project={data} />
                  <TrainingPanel project={data} />
                </div>
              </Tabs.Panel>
            )}
            {manages && (
              <Tabs.Panel value="eligibility">
                <Eligibility project={data} />
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
