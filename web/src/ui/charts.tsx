/** Small hand-drawn charts. Each has a text summary, and its figures in a table behind it. */
import { Table } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import type { ContributorQuality, Quality } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';

/** A chart, what it says in words, and the figures behind it. */
export function Chart({
  summary,
  head,
  rows,
  children,
}: {
  summary: string;
  head: string[];
  rows: ReactNode[][];
  children: ReactNode;
}) {
  const t = useT();
  const id = useId();
  return (
    <figure style={{ margin: 0 }} aria-describedby={id}>
      {children}
      <figcaption id={id} style={{ fontSize: 12, color: 'var(--mantine-color-dimmed)', marginTop: 4 }}>
        {summary}
      </figcaption>
      <details style={{ marginTop: 4, fontSize: 12 }}>
        <summary style={{ cursor: 'pointer' }}>{t('The figures')}</summary>
        <div style={{ maxHeight: 260, overflow: 'auto' }} tabIndex={0} role="region" aria-label={t('The figures')}>
          <Table className="cup-table">
            <Table.Thead>
              <Table.Tr>
                {head.map((cell, at) => (
                  <Table.Th key={cell} style={at ? { textAlign: 'right' } : undefined}>
                    {cell}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows of a table of figures stand in the chart's order
                <Table.Tr key={index}>
                  {row.map((cell, at) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: columns do not move
                    <Table.Td key={at} style={at ? { textAlign: 'right' } : undefined}>
                      {cell}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      </details>
    </figure>
  );
}

const WIDTH = 480;
const HEIGHT = 180;
const LEFT = 36;
const BOTTOM = 22;
const TOP = 8;

/** How sure the tasks are: a column for each range of the posterior. The plan's confidence is a line. */
export function PosteriorHistogram({ bins, target }: { bins: Quality['posterior_histogram']; target: number }) {
  const t = useT();
  const { number, percent } = useFormat();
  const most = Math.max(1, ...bins.map((bin) => bin.tasks));
  const total = bins.reduce((sum, bin) => sum + bin.tasks, 0);
  const sure = bins.filter((bin) => bin.end > target + 1e-9).reduce((sum, bin) => sum + bin.tasks, 0);
  // A range that holds the target is neither above nor below it.
  const toneOf = (bin: { start: number; end: number }) =>
    bin.start >= target - 1e-9 ? 'settled' : bin.end <= target + 1e-9 ? 'doubtful' : 'person';
  const low = bins[0]?.start ?? 0;
  const high = bins.at(-1)?.end ?? 1;
  const x = (value: number) => LEFT + ((value - low) / (high - low || 1)) * (WIDTH - LEFT - 8);
  const y = (tasks: number) => TOP + (1 - Math.sqrt(tasks / most)) * (HEIGHT - TOP - BOTTOM);
  return (
    <Chart
      summary={t(
        '{sure} of {total} tasks are in or above the range that holds the plan’s {target}. Heights grow with the square root.',
        {
          sure: number(sure),
          total: number(total),
          target: percent(target),
        },
      )}
      head={[t('Posterior'), t('Tasks')]}
      rows={bins.map((bin) => [`${percent(bin.start)} – ${percent(bin.end)}`, number(bin.tasks)])}
    >
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width="100%" aria-hidden="true">
        {bins.map((bin) => (
          <rect
            key={bin.start}
            x={x(bin.start) + 0.5}
            width={Math.max(1, x(bin.end) - x(bin.start) - 1)}
            y={y(bin.tasks)}
            height={HEIGHT - BOTTOM - y(bin.tasks)}
            fill={`var(--cup-${toneOf(bin)}-fill)`}
          />
        ))}
        <line x1={LEFT} x2={WIDTH - 8} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} stroke="var(--cup-neutral-fill)" />
        <line
          x1={x(target)}
          x2={x(target)}
          y1={TOP}
          y2={HEIGHT - BOTTOM}
          stroke="var(--mantine-color-text)"
          strokeDasharray="3 3"
        />
        <text className="cup-axis" x={LEFT} y={HEIGHT - 6}>
          {percent(low, 0)}
        </text>
        <text className="cup-axis" x={WIDTH - 8} y={HEIGHT - 6} textAnchor="end">
          {percent(high, 0)}
        </text>
        <text className="cup-axis" x={LEFT - 6} y={TOP + 9} textAnchor="end">
          {number(most)}
        </text>
      </svg>
    </Chart>
  );
}

/** What was claimed against what was seen on gold: on the diagonal, claims are true. */
export function Calibration({ points }: { points: Quality['calibration'] }) {
  const t = useT();
  const { number, percent } = useFormat();
  const size = HEIGHT;
  const side = size - 32;
  const x = (value: number) => 24 + value * side;
  const y = (value: number) => 8 + (1 - value) * side;
  const most = Math.max(1, ...points.map((point) => point.n));
  const total = points.reduce((sum, point) => sum + point.n, 0);
  return (
    <Chart
      summary={t(
        'Claimed against observed, from {total} tasks with a known answer. On the line, a claim is as good as it says.',
        { total: number(total) },
      )}
      head={[t('Claimed'), t('Observed'), t('Tasks')]}
      rows={points.map((point) => [percent(point.claimed), percent(point.observed), number(point.n)])}
    >
      <svg viewBox={`0 0 ${size} ${size}`} width={240} height={240} aria-hidden="true">
        <rect x={x(0)} y={y(1)} width={side} height={side} fill="none" stroke="var(--cup-line)" />
        <line x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} stroke="var(--cup-neutral-fill)" strokeDasharray="3 3" />
        {points.map((point) => (
          <circle
            key={point.claimed}
            cx={x(point.claimed)}
            cy={y(point.observed)}
            r={2 + 4 * Math.sqrt(point.n / most)}
            fill="var(--cup-person-fill)"
            fillOpacity={0.8}
          />
        ))}
        <text className="cup-axis" x={x(0)} y={size - 8}>
          0
        </text>
        <text className="cup-axis" x={x(1)} y={size - 8} textAnchor="end">
          {t('claimed')} 1
        </text>
        <text className="cup-axis" x={4} y={14}>
          1
        </text>
      </svg>
    </Chart>
  );
}

/** Each contributor's skill as a dot with its interval, the best first. */
export function SkillDots({ contributors }: { contributors: ContributorQuality[] }) {
  const t = useT();
  const { number, percent } = useFormat();
  const sorted = [...contributors].sort((a, b) => b.skill - a.skill);
  const low = Math.max(0, Math.min(0.5, ...sorted.map((one) => one.low)) - 0.02);
  const row = 16;
  const height = sorted.length * row + 24;
  const x = (value: number) => 8 + ((value - low) / (1 - low)) * (WIDTH - 16);
  return (
    <Chart
      summary={t(
        '{count, plural, one {# contributor} other {# contributors}}; the bar is the credible interval of each one’s skill.',
        { count: sorted.length },
      )}
      head={[t('Contributor'), t('Skill'), t('Interval'), t('Judgements'), t('Gold right'), t('Flags')]}
      rows={sorted.map((one) => [
        one.pseudonym,
        percent(one.skill),
        `${percent(one.low)} – ${percent(one.high)}`,
        number(one.judgements),
        `${number(one.gold_right)} / ${number(one.gold_seen)}`,
        one.flags.join(', ') || '–',
      ])}
    >
      <div
        style={{ maxHeight: 300, overflow: 'auto' }}
        tabIndex={0}
        role="region"
        aria-label={t('Skill of each contributor')}
      >
        <svg viewBox={`0 0 ${WIDTH} ${height}`} width="100%" aria-hidden="true">
          {sorted.map((one, index) => {
            const y = index * row + 10;
            const tone = one.flags.length > 0 ? 'refused' : 'person';
            return (
              <g key={one.pseudonym}>
                <title>{`${one.pseudonym}: ${percent(one.skill)}`}</title>
                <line
                  x1={x(one.low)}
                  x2={x(one.high)}
                  y1={y}
                  y2={y}
                  stroke={`var(--cup-${tone}-fill)`}
                  strokeOpacity={0.5}
                  strokeWidth={3}
                />
                {one.flags.length > 0 ? (
                  <rect x={x(one.skill) - 4} y={y - 4} width={8} height={8} fill="var(--cup-refused-fill)" />
                ) : (
                  <circle cx={x(one.skill)} cy={y} r={4} fill="var(--cup-person-fill)" />
                )}
              </g>
            );
          })}
          <text className="cup-axis" x={8} y={height - 4}>
            {percent(low, 0)}
          </text>
          <text className="cup-axis" x={WIDTH - 8} y={height - 4} textAnchor="end">
            100 %
          </text>
        </svg>
      </div>
    </Chart>
  );
}

/** Which answers are taken for which: rows are the settled label, columns what was judged. */
export function Confusion({ classes, matrix }: NonNullable<Quality['confusion']>) {
  const t = useT();
  const { number } = useFormat();
  const most = Math.max(1, ...matrix.flatMap((row, at) => row.filter((_, other) => other !== at)));
  return (
    <div style={{ overflow: 'auto' }} tabIndex={0} role="region" aria-label={t('Confusion matrix')}>
      <table className="cup-matrix">
        <caption
          style={{
            fontSize: 12,
            textAlign: 'left',
            captionSide: 'bottom',
            color: 'var(--mantine-color-dimmed)',
            paddingTop: 4,
          }}
        >
          {t('Rows: the settled label. Columns: what was judged. Colour: mistakes.')}
        </caption>
        <thead>
          <tr>
            <td />
            {classes.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.map((row, at) => (
            <tr key={classes[at]}>
              <th scope="row" style={{ padding: '0 6px' }}>
                {classes[at]}
              </th>
              {row.map((count, other) => (
                <td
                  key={classes[other]}
                  style={
                    at === other || count === 0
                      ? { color: 'var(--mantine-color-dimmed)' }
                      : {
                          background: `color-mix(in srgb, var(--cup-doubtful-fill) ${Math.round((count / most) * 45)}%, transparent)`,
                        }
                  }
                >
                  {count === 0 ? '·' : number(count)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
