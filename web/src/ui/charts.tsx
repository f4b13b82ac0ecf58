/** Small hand-drawn charts. Each has a text summary, and its figures in a table behind it. */
import { Table } from '@mantine/core';
import { Link } from '@tanstack/react-router';
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
export function Confusion({ project, classes, matrix }: NonNullable<Quality['confusion']> & { project: string }) {
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
          {t('Rows: the settled label. Columns: what was judged. Colour: mistakes. A figure opens the row’s tasks.')}
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
                  {count === 0 ? (
                    '·'
                  ) : (
                    <Link
                      to="/projects/$project/tasks"
                      params={{ project }}
                      search={{ state: 'settled', label: classes[at] ?? '' }}
                      title={t('{count} judgements said {said} of tasks settled as {settled}', {
                        count: number(count),
                        said: classes[other] ?? '',
                        settled: classes[at] ?? '',
                      })}
                    >
                      {number(count)}
                    </Link>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
