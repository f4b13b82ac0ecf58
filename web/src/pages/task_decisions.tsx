/** Why a task has its label: each decision of the crowd, computed again from the model it was made with. */

import { Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { projects } from '../api/calls';
import type { Decision, TaskDetail } from '../api/types';
import { classNamed } from '../editor/core/ontology';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Moment } from '../ui/bits';
import { type BarRow, likelier, mostLikely } from './task_evidence';

const HIGHEST_CLASSES = 6;
const BAR_PX = 16;

function Posterior({ decision, titleOf }: { decision: Decision; titleOf: (name: string) => string }) {
  const t = useT();
  const { percent } = useFormat();
  const rows = mostLikely(decision.posterior, HIGHEST_CLASSES);
  const threshold = decision.threshold ?? null;
  return (
    <div className="cup-bars" role="list" aria-label={t('How likely each label is')}>
      {rows.map((row: BarRow, at) => (
        <div key={row.name ?? 'rest'} role="listitem" style={{ display: 'contents' }}>
          <span className="cup-ellipsis">{row.name === null ? t('all others') : titleOf(row.name)}</span>
          <svg width="100%" height={BAR_PX} aria-hidden="true" style={{ display: 'block', overflow: 'visible' }}>
            <rect x="0" y="2" width="100%" height={BAR_PX - 4} fill="var(--cup-ground)" />
            <rect
              x="0"
              y="2"
              width={`${row.value * 100}%`}
              height={BAR_PX - 4}
              fill={
                at === 0 && threshold !== null && row.value >= threshold
                  ? 'var(--cup-settled-fill)'
                  : 'var(--cup-neutral-fill)'
              }
            />
            {threshold !== null && (
              <line
                x1={`${threshold * 100}%`}
                x2={`${threshold * 100}%`}
                y1={at === 0 ? -3 : 0}
                y2={BAR_PX}
                stroke="var(--mantine-color-text)"
                strokeWidth={at === 0 ? 2 : 1}
                strokeDasharray={at === 0 ? undefined : '2 2'}
              />
            )}
          </svg>
          <span className="cup-num">{percent(row.value, 2)}</span>
        </div>
      ))}
    </div>
  );
}

function Evidence({ decision, titleOf }: { decision: Decision; titleOf: (name: string) => string }) {
  const t = useT();
  const { number } = useFormat();
  const most = Math.max(1, ...decision.heard.map((one) => Math.abs(one.evidence)));
  return (
    <div className="cup-bars" role="list" aria-label={t('What each judgement weighed')}>
      {decision.heard.map((one) => {
        const part = (Math.abs(one.evidence) / most) * 50;
        const isFor = one.evidence >= 0;
        const times = likelier(one.evidence);
        return (
          <div key={one.worker} role="listitem" style={{ display: 'contents' }}>
            <span className="cup-ellipsis">
              <Chip tone="person">{one.worker}</Chip> {titleOf(one.said)}
            </span>
            <svg width="100%" height={BAR_PX} aria-hidden="true" style={{ display: 'block' }}>
              <rect
                x={`${isFor ? 50 : 50 - part}%`}
                y="2"
                width={`${part}%`}
                height={BAR_PX - 4}
                fill={isFor ? 'var(--cup-settled-fill)' : 'var(--cup-doubtful-fill)'}
              />
              <line x1="50%" x2="50%" y1="0" y2={BAR_PX} stroke="var(--cup-neutral-fill)" />
            </svg>
            <span>
              {isFor
                ? t('for it, {times} times likelier', { times: number(times, times < 10 ? 1 : 0) })
                : t('against it, {times} times', { times: number(times, times < 10 ? 1 : 0) })}
            </span>
          </div>
        );
      })}
    </div>
  );
}

function OneDecision({ decision, titleOf }: { decision: Decision; titleOf: (name: string) => string }) {
  const t = useT();
  const { number, percent } = useFormat();
  const again = decision.replayed_confidence ?? null;
  return (
    <article>
      <Group gap={12} mb={12}>
        {decision.same === true && <Chip tone="settled">{t('computed again: same')}</Chip>}
        {decision.same === false && again !== null && (
          <Chip tone="refused">
            {t('computed again: {again}, stored: {stored}', {
              again: percent(again, 2),
              stored: percent(decision.stored_confidence, 2),
            })}
          </Chip>
        )}
        <Text size="sm" c="dimmed">
          {decision.how !== 'crowd'
            ? t('by an adjudicator')
            : decision.model_version === null || decision.model_version === undefined
              ? decision.method
              : t('{method}, model {version}', { method: decision.method, version: decision.model_version })}{' '}
          · <Moment at={decision.at} />
        </Text>
      </Group>
      {again === null ? (
        <Text size="sm" c="dimmed">
          {decision.how === 'crowd'
            ? t('Labels of this kind are merged, not weighed by class: there is nothing to compute again.')
            : t('A person decided this, after the judgements.')}
        </Text>
      ) : (
        <>
          <div className="cup-two">
            <section>
              <Text size="xs" c="dimmed" mb={8}>
                {decision.threshold !== null && decision.threshold !== undefined
                  ? t('How likely each label is. The line: settles at {threshold}.', {
                      threshold: percent(decision.threshold, 2),
                    })
                  : t('How likely each label is')}
              </Text>
              <Posterior decision={decision} titleOf={titleOf} />
            </section>
            <section>
              <Text size="xs" c="dimmed" mb={8}>
                {t('What each judgement weighed, for the label over the next likeliest')}
              </Text>
              <Evidence decision={decision} titleOf={titleOf} />
            </section>
          </div>
          {decision.opinions.map((one) => (
            <Text key={`${one.model} ${one.model_version}`} size="xs" c="dimmed" mt={12}>
              {t('A model was heard beside them: {model}, version {version}, says {said}.', {
                model: one.model,
                version: one.model_version,
                said: titleOf(one.said),
              })}
            </Text>
          ))}
          {decision.rho !== null && decision.rho !== undefined && (
            <Text size="xs" c="dimmed" mt={12}>
              {t(
                'People are misled alike, so one more of the same counts for less: evidence is discounted by rho = {rho}.',
                { rho: number(decision.rho, 2) },
              )}
            </Text>
          )}
        </>
      )}
    </article>
  );
}

export function Decisions({ task }: { task: TaskDetail }) {
  const t = useT();
  const { localised } = useFormat();
  const query = useQuery({
    queryKey: ['decisions', task.id, task.settlements.length],
    queryFn: () => projects.decisions(task.id),
  });
  const titleOf = (name: string) => localised(classNamed(task.ontology, name)?.title) || name;
  return (
    <Asked query={query}>
      {(decisions) =>
        decisions.length === 0 ? (
          <Text c="dimmed">{t('Not settled yet.')}</Text>
        ) : (
          <Stack gap={24}>
            {[...decisions]
              .sort((a, b) => b.version - a.version)
              .map((decision) => (
                <OneDecision key={decision.version} decision={decision} titleOf={titleOf} />
              ))}
          </Stack>
        )
      }
    </Asked>
  );
}
