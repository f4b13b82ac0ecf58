/** What another target would cost from here: a slider, its answer with intervals, and the curve it moves on. */
import { Group, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { projects } from '../api/calls';
import type { Project, Range, Release, WhatIf } from '../api/types';
import { type Translate, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Chip, Figure, Interval, Panel, ProblemNote } from '../ui/bits';
import { Chart, Drawn } from '../ui/charts';
import { Hallmark } from '../ui/hallmark';

/** The slider's stops: closer together in error, not in accuracy, for the last half per cent costs the most. */
const STOPS = [0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.992, 0.995, 0.997, 0.998, 0.999] as const;
const CURVE: readonly number[] = [0.9, 0.95, 0.98, 0.99, 0.995];
const DEBOUNCE_MS = 250;
const STALE_MS = 60_000;

const HEIGHT = 190;
const LEFT = 64;
const RIGHT = 24;
const TOP = 14;
const BOTTOM = 38;

function nearestStop(target: number): number {
  return STOPS.reduce((best, stop, at) => {
    const before = STOPS[best] ?? 1;
    return Math.abs(stop - target) < Math.abs(before - target) ? at : best;
  }, 0);
}

function asked(project: string, target: number) {
  return {
    queryKey: ['what-if', project, target] as const,
    queryFn: () => projects.whatIf(project, target),
    staleTime: STALE_MS,
  };
}

/** Cost against target. Estimates are dashed and open, with their intervals; what is certified is solid. */
function Curve({ points, chosen, certified }: { points: WhatIf[]; chosen: number; certified: number | null }) {
  const t = useT();
  const { money, number, percent } = useFormat();
  const currency = points[0]?.currency ?? '';
  const most = Math.max(1, ...points.map((point) => point.cost_minor.high));
  // Equal steps of the logarithm of the error, as the slider's stops.
  const depth = (target: number) => Math.log(1 - Math.min(0.9995, Math.max(0.8, target)));
  const targets = points.map((point) => point.target_accuracy);
  const first = Math.min(...targets);
  const last = Math.max(...targets);
  const along = (target: number) => (depth(first) - depth(target)) / (depth(first) - depth(last) || 1);
  const y = (minor: number) => TOP + (1 - minor / most) * (HEIGHT - TOP - BOTTOM);
  const shown = certified === null ? null : Math.min(last, Math.max(first, certified));
  return (
    <Chart
      summary={t(
        'Open dots and bars are estimates with their intervals. The solid mark is what an audit has certified.',
      )}
      head={[t('Target accuracy'), t('Cost'), t('Judgements'), t('For an adjudicator'), t('Reachable')]}
      rows={points.map((point) => [
        percent(point.target_accuracy),
        `${money(point.cost_minor.low, currency)} – ${money(point.cost_minor.high, currency)}`,
        `${number(point.judgements.low)} – ${number(point.judgements.high)}`,
        `${number(point.experts.low)} – ${number(point.experts.high)}`,
        point.reachable ? t('yes') : t('no'),
      ])}
    >
      <Drawn height={HEIGHT}>
        {(width) => {
          const x = (target: number) => LEFT + along(target) * (width - LEFT - RIGHT);
          return (
            <>
              <line x1={LEFT} x2={width - 8} y1={y(0)} y2={y(0)} stroke="var(--cup-neutral-fill)" />
              <line x1={LEFT} x2={width - 8} y1={y(most)} y2={y(most)} stroke="var(--cup-line)" />
              <text className="cup-axis" x={LEFT - 6} y={y(most) + 4} textAnchor="end">
                {money(most, currency)}
              </text>
              <text className="cup-axis" x={LEFT - 6} y={y(0) + 4} textAnchor="end">
                {money(0, currency)}
              </text>
              <polyline
                points={points.map((point) => `${x(point.target_accuracy)},${y(point.cost_minor.likely)}`).join(' ')}
                fill="none"
                stroke="var(--cup-person-fill)"
                strokeWidth={1.5}
                strokeDasharray="4 4"
              />
              {points.map((point) => {
                const at = x(point.target_accuracy);
                const isChosen = Math.abs(point.target_accuracy - chosen) < 1e-9;
                const tone = point.reachable ? 'person' : 'refused';
                return (
                  <g key={point.target_accuracy}>
                    <line
                      x1={at}
                      x2={at}
                      y1={y(point.cost_minor.low)}
                      y2={y(point.cost_minor.high)}
                      stroke={`var(--cup-${tone}-fill)`}
                      strokeOpacity={0.5}
                      strokeWidth={4}
                    />
                    <circle
                      cx={at}
                      cy={y(point.cost_minor.likely)}
                      r={isChosen ? 6 : 4}
                      fill={isChosen ? `var(--cup-${tone}-fill)` : 'var(--cup-panel)'}
                      fillOpacity={isChosen ? 0.25 : 1}
                      stroke={`var(--cup-${tone}-fill)`}
                      strokeWidth={2}
                    />
                    {(CURVE.includes(point.target_accuracy) || isChosen) && (
                      <text
                        className="cup-axis"
                        x={at}
                        y={HEIGHT - BOTTOM + (CURVE.includes(point.target_accuracy) ? 15 : 29)}
                        textAnchor="middle"
                        style={isChosen ? { fill: 'var(--mantine-color-text)', fontWeight: 600 } : undefined}
                      >
                        {percent(point.target_accuracy)}
                      </text>
                    )}
                  </g>
                );
              })}
              {shown !== null && certified !== null && (
                <>
                  <line x1={x(shown)} x2={x(shown)} y1={TOP} y2={y(0)} stroke="var(--cup-ember)" strokeWidth={2} />
                  <path
                    d="M0-7l6 2.500v4.500c0 3.500-2.500 6-6 7c-3.500-1-6-3.500-6-7v-4.500z"
                    transform={`translate(${x(shown)} ${TOP})`}
                    fill="var(--cup-ember)"
                  />
                </>
              )}
            </>
          );
        }}
      </Drawn>
    </Chart>
  );
}

/** The server says in English what it leaned on; its two known sayings are said in the reader's language. */
function basisIn(t: Translate, basis: string): string {
  const measured = /^([\d,]+) judgements of this project$/.exec(basis);
  if (measured?.[1]) return t('{count} judgements of this project', { count: measured[1] });
  return basis === 'an assumed crowd' ? t('an assumed crowd') : basis;
}

export function WhatIfPanel({ project, certified }: { project: Project; certified: Release | undefined }) {
  const t = useT();
  const { money, number, percent } = useFormat();
  const id = useId();
  const [at, setAt] = useState(() => nearestStop(project.plan.target_accuracy));
  const target = STOPS[at] ?? project.plan.target_accuracy;
  const [settled] = useDebouncedValue(target, DEBOUNCE_MS);
  const answer = useQuery({ ...asked(project.id, settled), placeholderData: keepPreviousData });
  const curve = useQueries({ queries: CURVE.map((one) => asked(project.id, one)) });
  const drawn = new Map<number, WhatIf>();
  for (const { data } of curve) if (data) drawn.set(data.target_accuracy, data);
  if (answer.data && !answer.isPlaceholderData) drawn.set(answer.data.target_accuracy, answer.data);
  const points = [...drawn.values()].sort((a, b) => a.target_accuracy - b.target_accuracy);
  const said = answer.data;
  const { counts } = project;
  const isOver = counts.total > 0 && counts.open + counts.collecting + counts.escalated === 0;
  const line = (label: string, range: Range, show: (value: number) => string) => (
    <div style={{ minWidth: 0 }}>
      <Figure
        label={label}
        value={show(range.likely)}
        note={t('between {low} and {high}', { low: show(range.low), high: show(range.high) })}
      />
      <Interval
        {...range}
        to={Math.max(1, range.high * 1.15)}
        width="100%"
        label={t('Likely {likely}, between {low} and {high}', {
          likely: show(range.likely),
          low: show(range.low),
          high: show(range.high),
        })}
      />
    </div>
  );
  return (
    <Panel
      title={t('What if you asked for more, or less?')}
      aside={
        <Group gap={12}>
          <Chip tone="person">{t('estimate')}</Chip>
          {certified?.certificate && <Hallmark release={certified.id} certificate={certified.certificate} />}
        </Group>
      }
    >
      <div className="cup-two">
        <div>
          <Group justify="space-between" gap={8}>
            <label htmlFor={id} style={{ fontSize: 12, color: 'var(--mantine-color-dimmed)' }}>
              {t('Target accuracy')}
            </label>
            <strong style={{ fontSize: 18 }}>{percent(target)}</strong>
          </Group>
          <input
            id={id}
            className="cup-slider"
            type="range"
            min={0}
            max={STOPS.length - 1}
            step={1}
            value={at}
            aria-valuetext={percent(target)}
            onChange={(event) => setAt(Number(event.currentTarget.value))}
          />
          <ProblemNote error={answer.error} onRetry={() => void answer.refetch()} />
          {said && (
            <div aria-live="polite" style={{ opacity: said.target_accuracy === target ? 1 : 0.5, marginTop: 12 }}>
              <div className="cup-figures">
                {line(t('Cost'), said.cost_minor, (value) => money(value, said.currency))}
                {line(t('Judgements'), said.judgements, number)}
                {line(t('For an adjudicator'), said.experts, number)}
              </div>
              <Group gap={12} mt={16}>
                {said.reachable ? (
                  <Chip tone="settled">{t('within reach')}</Chip>
                ) : (
                  <Chip tone="refused">{t('out of reach: mend the guidelines, or let more people judge')}</Chip>
                )}
                {said.audit_items !== null && (
                  <Text size="sm">
                    {t('An audit of about {count} would certify it.', { count: number(said.audit_items) })}
                  </Text>
                )}
              </Group>
              <Text size="xs" c="dimmed" mt={8}>
                {isOver
                  ? t('All {count} tasks are settled: this is what they would take if begun again. From {basis}.', {
                      count: number(said.tasks),
                      basis: basisIn(t, said.basis),
                    })
                  : t('For the {count} tasks that are not settled. From {basis}.', {
                      count: number(said.tasks),
                      basis: basisIn(t, said.basis),
                    })}
              </Text>
            </div>
          )}
        </div>
        {points.length > 1 && (
          <Curve
            points={points}
            chosen={target}
            certified={certified?.certificate?.reached ? certified.certificate.accuracy_lower_bound : null}
          />
        )}
      </div>
    </Panel>
  );
}
