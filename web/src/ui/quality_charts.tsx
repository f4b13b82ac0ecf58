/** How sure the tasks are, and whether being sure means being right. */
import type { Quality } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { type Bin, placeAmong, unitAxis, wilson, withoutGaps } from './chart_scales';
import { Chart, Drawn } from './charts';

const HEIGHT = 216;
const LEFT = 8;
const RIGHT = 8;
const BOTTOM = 40;
const TOP = 42;
/** Below this width of a column its edge is written only at every second one. */
const CROWDED_PX = 34;

interface Mark {
  readonly at: number;
  readonly words: string;
  readonly y: number;
  readonly dash: string | undefined;
}

/**
 * A column of the same width for each range of the posterior, however narrow: decisions fall where ranges are
 * narrowest. One line says where a task settles, another what the plan wants of all of them together.
 */
export function PosteriorHistogram({
  bins: given,
  target,
  threshold,
}: {
  bins: Quality['posterior_histogram'];
  target: number;
  threshold: number;
}) {
  const t = useT();
  const { number, percent } = useFormat();
  const bins = withoutGaps(given, Math.min(target, threshold));
  const most = Math.max(1, ...bins.map((bin) => bin.tasks));
  const total = bins.reduce((sum, bin) => sum + bin.tasks, 0);
  const isAbove = (bin: Bin) => bin.start >= target - 1e-9;
  const above = bins.filter(isAbove).reduce((sum, bin) => sum + bin.tasks, 0);
  // A range that holds the line is neither above nor below it.
  const toneOf = (bin: Bin) =>
    bin.start >= threshold - 1e-9 ? 'settled' : bin.end <= threshold + 1e-9 ? 'doubtful' : 'person';
  const edges = [...bins.map((bin) => bin.start), bins.at(-1)?.end ?? 1];
  return (
    <Chart
      summary={t(
        '{above} of {total} tasks are at least {target} sure. A task settles at {threshold}, or when an adjudicator decides it; the target is for all of them together. Columns are of equal width, their ranges are not; heights grow with the square root.',
        { above: number(above), total: number(total), target: percent(target), threshold: percent(threshold, 2) },
      )}
      head={[t('Posterior'), t('Tasks')]}
      rows={bins.map((bin) => [`${percent(bin.start)} – ${percent(bin.end)}`, number(bin.tasks)])}
    >
      <Drawn height={HEIGHT}>
        {(width) => {
          const column = (width - LEFT - RIGHT) / Math.max(1, bins.length);
          const x = (columns: number) => LEFT + columns * column;
          const y = (tasks: number) => TOP + (1 - Math.sqrt(tasks / most)) * (HEIGHT - TOP - BOTTOM);
          const every = column < CROWDED_PX ? 2 : 1;
          const marks: Mark[] = [
            {
              at: x(placeAmong(bins, target)),
              words: t('target {target}', { target: percent(target) }),
              y: 12,
              dash: '3 3',
            },
            {
              at: x(placeAmong(bins, threshold)),
              words: t('settles at {threshold}', { threshold: percent(threshold, 2) }),
              y: 26,
              dash: undefined,
            },
          ];
          return (
            <>
              {bins.map((bin, at) => (
                <g key={bin.start}>
                  <rect
                    x={x(at) + 1.5}
                    width={Math.max(1, column - 3)}
                    y={y(bin.tasks)}
                    height={HEIGHT - BOTTOM - y(bin.tasks)}
                    fill={`var(--cup-${toneOf(bin)}-fill)`}
                  />
                  {bin.tasks > 0 && (
                    <text className="cup-axis cup-on-chart" x={x(at + 0.5)} y={y(bin.tasks) - 4} textAnchor="middle">
                      {number(bin.tasks)}
                    </text>
                  )}
                </g>
              ))}
              <line
                x1={LEFT}
                x2={width - RIGHT}
                y1={HEIGHT - BOTTOM}
                y2={HEIGHT - BOTTOM}
                stroke="var(--cup-neutral-fill)"
              />
              {edges.map(
                (edge, at) =>
                  (edges.length - 1 - at) % every === 0 && (
                    <text
                      key={edge}
                      className="cup-axis"
                      x={x(at)}
                      y={HEIGHT - BOTTOM + 14}
                      textAnchor={at === 0 ? 'start' : at === edges.length - 1 ? 'end' : 'middle'}
                    >
                      {number(edge * 100, 1)}
                    </text>
                  ),
              )}
              <text className="cup-axis" x={width / 2} y={HEIGHT - 8} textAnchor="middle">
                {t('posterior, %')}
              </text>
              {marks.map((mark) => (
                <g key={mark.y}>
                  <line
                    x1={mark.at}
                    x2={mark.at}
                    y1={mark.y - 8}
                    y2={HEIGHT - BOTTOM}
                    stroke="var(--mantine-color-text)"
                    strokeWidth={mark.dash ? 1 : 1.5}
                    strokeDasharray={mark.dash}
                  />
                  <text
                    className="cup-axis cup-on-chart"
                    x={mark.at + (mark.at > width / 2 ? -5 : 5)}
                    y={mark.y}
                    textAnchor={mark.at > width / 2 ? 'end' : 'start'}
                  >
                    {mark.words}
                  </text>
                </g>
              ))}
            </>
          );
        }}
      </Drawn>
    </Chart>
  );
}

const MOST_SIDE = 320;
const INSET_LEFT = 52;
const INSET_BOTTOM = 40;
const INSET_RIGHT = 16;
const MOST_RADIUS = 9;

/** What was claimed against what was seen on gold, with the interval that so many tasks allow: on the diagonal, claims are true. */
export function Calibration({ points }: { points: Quality['calibration'] }) {
  const t = useT();
  const { number, percent } = useFormat();
  const known = points.map((point) => ({ ...point, ...wilson(point.observed, point.n) }));
  const { low, ticks } = unitAxis(points.flatMap((point) => [point.claimed, point.observed]));
  const height = 248;
  const most = Math.max(1, ...points.map((point) => point.n));
  const total = points.reduce((sum, point) => sum + point.n, 0);
  return (
    <Chart
      summary={t(
        'Claimed against observed, from {total} tasks with a known answer. On the line, a claim is as good as it says; a larger dot stands for more tasks, the bar is its 95 % interval.',
        { total: number(total) },
      )}
      head={[t('Claimed'), t('Observed'), t('Interval'), t('Tasks')]}
      rows={known.map((point) => [
        percent(point.claimed),
        percent(point.observed),
        `${percent(point.from)} – ${percent(point.to)}`,
        number(point.n),
      ])}
    >
      <Drawn height={height} mostWidth={INSET_LEFT + MOST_SIDE + INSET_RIGHT}>
        {(width) => {
          const across = width - INSET_LEFT - INSET_RIGHT;
          const down = height - INSET_BOTTOM - 8;
          // The plot keeps a dot's radius free within its frame, so that a dot at 1 is whole.
          const place = (value: number) => Math.max(0, (value - low) / (1 - low));
          const x = (value: number) => INSET_LEFT + MOST_RADIUS + place(value) * (across - 2 * MOST_RADIUS);
          const y = (value: number) => 8 + MOST_RADIUS + (1 - place(value)) * (down - 2 * MOST_RADIUS);
          return (
            <>
              {ticks.map((tick) => (
                <g key={tick}>
                  <line x1={x(tick)} x2={x(tick)} y1={8} y2={8 + down} stroke="var(--cup-line)" />
                  <line x1={INSET_LEFT} x2={INSET_LEFT + across} y1={y(tick)} y2={y(tick)} stroke="var(--cup-line)" />
                  <text className="cup-axis" x={x(tick)} y={8 + down + 14} textAnchor="middle">
                    {number(tick * 100, 1)}
                  </text>
                  <text className="cup-axis" x={INSET_LEFT - 5} y={y(tick) + 4} textAnchor="end">
                    {number(tick * 100, 1)}
                  </text>
                </g>
              ))}
              <rect x={INSET_LEFT} y={8} width={across} height={down} fill="none" stroke="var(--cup-neutral-fill)" />
              <line
                x1={x(low)}
                y1={y(low)}
                x2={x(1)}
                y2={y(1)}
                stroke="var(--mantine-color-text)"
                strokeDasharray="3 3"
              />
              {known.map((point) => (
                <g key={point.claimed}>
                  <line
                    x1={x(point.claimed)}
                    x2={x(point.claimed)}
                    y1={y(point.from)}
                    y2={y(point.to)}
                    stroke="var(--cup-person-fill)"
                    strokeOpacity={0.5}
                    strokeWidth={2}
                  />
                  <circle
                    cx={x(point.claimed)}
                    cy={y(point.observed)}
                    r={2.5 + (MOST_RADIUS - 2.5) * Math.sqrt(point.n / most)}
                    fill="var(--cup-person-fill)"
                    fillOpacity={0.75}
                  />
                </g>
              ))}
              <text className="cup-axis" x={INSET_LEFT + across / 2} y={height - 6} textAnchor="middle">
                {t('claimed, %')}
              </text>
              <text
                className="cup-axis"
                x={12}
                y={8 + down / 2}
                textAnchor="middle"
                transform={`rotate(-90 12 ${8 + down / 2})`}
              >
                {t('right, %')}
              </text>
            </>
          );
        }}
      </Drawn>
    </Chart>
  );
}
