/** A project's figures: what it cost and will cost, how far its labels can be trusted, what another target would take. */
import { Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { projects } from '../api/calls';
import type { Project, Quality, Release } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Figure, Interval, Panel, ProblemNote } from '../ui/bits';
import { Calibration, PosteriorHistogram } from '../ui/quality_charts';
import { PreLabelsPanel } from './project_pre_labels';
import { WhatIfPanel } from './project_what_if';

/** People who err alike are misled alike: above this it is the guidelines that want mending, not the people. */
const MEND_GUIDELINES_ABOVE = 0.3;
/** Younger figures are as good as new. */
const FRESH_MS = 120_000;
/** The queue is counted up to here; beyond it, "more than". */
const COUNTED = 100;

const ProgressChart = lazy(() => import('../ui/progress_chart'));

/** What waits for a person: doubtful tasks, and cases that the guideline leaves open. */
function Waiting({ project, repeat_rate }: { project: Project; repeat_rate: number | null }) {
  const t = useT();
  const { percent } = useFormat();
  const queue = useQuery({
    queryKey: ['guideline-queue', project.id, 'count'],
    queryFn: () => projects.guidelineQueue(project.id, { limit: COUNTED }),
  });
  const unclear = queue.data?.items.length ?? 0;
  const misled = repeat_rate !== null && repeat_rate > MEND_GUIDELINES_ABOVE;
  const { escalated } = project.counts;
  if (queue.error) return <ProblemNote error={queue.error} onRetry={() => void queue.refetch()} />;
  if (unclear === 0 && escalated === 0 && !misled) return null;
  return (
    <section className="cup-notice" aria-label={t('What waits for a person')}>
      <Stack gap={4} align="flex-start">
        {escalated > 0 && (
          <Link to="/adjudication" search={{ project: project.id }}>
            {t('{count, plural, one {# doubtful task waits} other {# doubtful tasks wait}} for an adjudicator', {
              count: escalated,
            })}
          </Link>
        )}
        {unclear > 0 && (
          <Link to="/projects/$project/guideline" params={{ project: project.id }}>
            {queue.data?.next
              ? t('More than {count} cases that the guideline leaves open', { count: unclear })
              : t('{count, plural, one {# case} other {# cases}} that the guideline leaves open', { count: unclear })}
          </Link>
        )}
        {misled && (
          <Text size="sm">
            {t(
              'Mistakes are repeated at {rate}: people are misled alike, so more of them do not help. Mend the guideline.',
              { rate: percent(repeat_rate, 0) },
            )}{' '}
            <Link to="/projects/$project/guideline" params={{ project: project.id }}>
              {t('See where it is silent')}
            </Link>
          </Text>
        )}
      </Stack>
    </section>
  );
}

function Cost({ project, forecast }: { project: Project; forecast: Quality['forecast'] }) {
  const t = useT();
  const { money, number } = useFormat();
  const { currency } = project.offer;
  const toGo = forecast.cost_to_go_minor;
  return (
    <Panel title={t('Cost')}>
      <div className="cup-figures">
        <Figure
          label={t('Spent')}
          value={money(project.spent_minor, currency)}
          note={t('{count} judgements', { count: number(project.judgements) })}
        />
        <Figure label={t('Held for work in hand')} value={money(project.reserved_minor, currency)} />
        <Figure label={t('Left in the budget')} value={money(project.budget_minor, currency)} />
      </div>
      {forecast.judgements_to_go > 0 ? (
        <div style={{ marginTop: 16 }}>
          <Text size="sm">
            {t('To go: about {judgements} judgements, {low} to {high}', {
              judgements: number(forecast.judgements_to_go),
              low: money(toGo.low, currency),
              high: money(toGo.high, currency),
            })}
          </Text>
          <Interval
            {...toGo}
            to={Math.max(1, toGo.high * 1.15)}
            width="100%"
            label={t('Likely {likely}, between {low} and {high}', {
              likely: money(toGo.likely, currency),
              low: money(toGo.low, currency),
              high: money(toGo.high, currency),
            })}
          />
          {toGo.high > project.budget_minor + project.reserved_minor && (
            <Text size="sm" c="var(--cup-doubtful)" mt={4}>
              {t('The budget may not last: allot more under “Price and budget”.')}
            </Text>
          )}
        </div>
      ) : (
        project.counts.total > 0 && (
          <Text size="sm" mt={16} c="dimmed">
            {t('Nothing more to pay for: every task is settled or with an adjudicator.')}
          </Text>
        )
      )}
    </Panel>
  );
}

function Trust({ project, quality }: { project: Project; quality: Quality }) {
  const t = useT();
  const { number, percent } = useFormat();
  const { agreement } = quality;
  return (
    <Panel title={t('Quality')}>
      <div className="cup-figures">
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
            agreement.repeat_rate === null
              ? t('needs gold judged by several people')
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
  );
}

/** Large projects are not counted at each look; whoever looks sees how old the figures are. */
function CountedAt({ at }: { at: string }) {
  const t = useT();
  const { moment } = useFormat();
  if (Date.now() - Date.parse(at) < FRESH_MS) return null;
  return (
    <Text size="sm" c="dimmed">
      {t('Charts and agreement were counted on {when}; they are counted again as the project grows.', {
        when: moment(at),
      })}
    </Text>
  );
}

export function Overview({
  project,
  quality,
  certified,
}: {
  project: Project;
  quality: Quality;
  certified: Release | undefined;
}) {
  const t = useT();
  return (
    <Stack gap={16}>
      <Waiting project={project} repeat_rate={quality.agreement.repeat_rate} />
      <div className="cup-two">
        <Cost project={project} forecast={quality.forecast} />
        <Trust project={project} quality={quality} />
      </div>
      {quality.progress.length > 0 && (
        <Panel title={t('Over time')}>
          <Suspense fallback={null}>
            <ProgressChart points={quality.progress} currency={project.offer.currency} />
          </Suspense>
        </Panel>
      )}
      <div className="cup-two">
        <Panel title={t('How sure each task is')}>
          {quality.posterior_histogram.length ? (
            <PosteriorHistogram
              bins={quality.posterior_histogram}
              target={project.plan.target_accuracy}
              threshold={quality.threshold}
            />
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
      <CountedAt at={quality.counted_at} />
      <PreLabelsPanel project={project.id} />
      {project.counts.total > 0 && <WhatIfPanel project={project} certified={certified} />}
    </Stack>
  );
}
