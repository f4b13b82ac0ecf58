/** How sure the tasks are, and whether being sure means being right. */
import type { Quality } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { type Bin, placeAmong, unitAxis, withoutGaps } from './chart_scales';
import { Chart } from './charts';

const WIDTH = 480;
const HEIGHT = 200;
const LEFT = 8;
const RIGHT = 8;
const BOTTOM = 40;
const TOP = 26;

/**
 * A column of the same width for each range of the posterior, however narrow: decisions fall where ranges are
 * narrowest. The plan's target is a line.
 */
export function PosteriorHistogram({ bins: given, target }: { bins: Quality['posterior_histogram']; target: number }) {
  const t = useT();
  const { number, percent } = useFormat();
  const bins = withoutGaps(given);
  const most = Math.max(1, ...bins.map((bin) => bin.tasks));
  const total = bins.reduce((sum, bin) => sum + bin.tasks, 0);
  const isAbove = (bin: Bin) => bin.start >= target - 1e-9;
  const above = bins.filter(isAbove).reduce((sum, bin) => sum + bin.tasks, 0);
  // A range that holds the target is neither above nor below it.
  const toneOf = (bin: Bin) => (isAbove(bin) ? 'settled' : bin.end <= target + 1e-9 ? 'doubtful' : 'person');
  const column = (WIDTH - LEFT - RIGHT) / Math.max(1, bins.length);
  const x = (columns: number) => LEFT + columns * column;
  const y = (tasks: number) => TOP + (1 - Math.sqrt(tasks / most)) * (HEIGHT - TOP - BOTTOM);
  const line = x(placeAmong(bins, target));
  const edges = [...bins.map((bin) => bin.start), bins.at(-1)?.end ?? 1];
  return (
    <Chart
      summary={t(
        '{above} of {total} tasks are at least {target} sure. A task may settle below: the target is for all of them together. Columns are of equal width, their ranges are not; heights grow with the square root.',
        { above: number(above), total: number(total), target: percent(target) },
      )}
      head={[t('Posterior'), t('Tasks')]}
      rows={bins.map((bin) => [`${percent(bin.start)} – ${percent(bin.end)}`, number(bin.tasks)])}
    >
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width="100%" aria-hidden="true">
        {bins.map((bin, at) => (
          <g key={bin.start}>
            <rect
              x={x(at) + 1.5}
              width={column - 3}
              y={y(bin.tasks)}
              height={HEIGHT - BOTTOM - y(bin.tasks)}
              fill={`var(--cup-${toneOf(bin)}-fill)`}
            />
            {bin.tasks > 0 && (
              <text className="cup-axis" x={x(at + 0.5)} y={y(bin.tasks) - 4} textAnchor="middle">
                {number(bin.tasks)}
              </text>
            )}
          </g>
        ))}
        <line x1={LEFT} x2={WIDTH - RIGHT} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} stroke="var(--cup-neutral-fill)" />
        {edges.map((edge, at) => (
          <text
            key={edge}
            className="cup-axis"
            x={x(at)}
            y={HEIGHT - BOTTOM + 14}
            textAnchor={at === 0 ? 'start' : at === edges.length - 1 ? 'end' : 'middle'}
          >
            {number(edge * 100, 1)}
          </text>
        ))}
        <text className="cup-axis" x={WIDTH / 2} y={HEIGHT - 8} textAnchor="middle">
          {t('posterior, %')}
        </text>
        <line
          x1={line}
          x2={line}
          y1={TOP - 8}
          y2={HEIGHT - BOTTOM}
          stroke="var(--mantine-color-text)"
          strokeDasharray="3 3"
        />
        <text
          className="cup-axis"
          x={line + (line > WIDTH / 2 ? -5 : 5)}
          y={TOP - 14}
          textAnchor={line > WIDTH / 2 ? 'end' : 'start'}
          style={{ fill: 'var(--mantine-color-text)' }}
        >
          {t('target {target}', { target: percent(target) })}
        </text>
      </svg>
    </Chart>
  );
}

const SIDE = 240;
const INSET_LEFT = 52;
const INSET_BOTTOM = 40;
const MOST_RADIUS = 9;

/** What was claimed against what was seen on gold: on the diagonal, claims are true. */
export function Calibration({ points }: { points: Quality['calibration'] }) {
  const t = useT();
  const { number, percent } = useFormat();
  const { low, ticks } = unitAxis(points.flatMap((point) => [point.claimed, point.observed]));
  const width = INSET_LEFT + SIDE + 16;
  const height = SIDE + INSET_BOTTOM + 8;
  // The plot keeps a dot's radius free within its frame, so that a dot at 1 is whole.
  const reach = SIDE - 2 * MOST_RADIUS;
  const x = (value: number) => INSET_LEFT + MOST_RADIUS + ((value - low) / (1 - low)) * reach;
  const y = (value: number) => 8 + MOST_RADIUS + (1 - (value - low) / (1 - low)) * reach;
  const most = Math.max(1, ...points.map((point) => point.n));
  const total = points.reduce((sum, point) => sum + point.n, 0);
  return (
    <Chart
      summary={t(
        'Claimed against observed, from {total} tasks with a known answer. On the line, a claim is as good as it says; a larger dot stands for more tasks.',
        { total: number(total) },
      )}
      head={[t('Claimed'), t('Observed'), t('Tasks')]}
      rows={points.map((point) => [percent(point.claimed), percent(point.observed), number(point.n)])}
    >
      <svg
        viewBox={`0 0 ${width} ${height}`}
        style={{ width: '100%', maxWidth: width, display: 'block' }}
        aria-hidden="true"
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={x(tick)} x2={x(tick)} y1={8} y2={8 + SIDE} stroke="var(--cup-line)" />
            <line x1={INSET_LEFT} x2={INSET_LEFT + SIDE} y1={y(tick)} y2={y(tick)} stroke="var(--cup-line)" />
            <text className="cup-axis" x={x(tick)} y={8 + SIDE + 14} textAnchor="middle">
              {number(tick * 100, 1)}
            </text>
            <text className="cup-axis" x={INSET_LEFT - 5} y={y(tick) + 4} textAnchor="end">
              {number(tick * 100, 1)}
            </text>
          </g>
        ))}
        <rect x={INSET_LEFT} y={8} width={SIDE} height={SIDE} fill="none" stroke="var(--cup-neutral-fill)" />
        <line x1={x(low)} y1={y(low)} x2={x(1)} y2={y(1)} stroke="var(--mantine-color-text)" strokeDasharray="3 3" />
        {points.map((point) => (
          <circle
            key={point.claimed}
            cx={x(point.claimed)}
            cy={y(point.observed)}
            r={2 + (MOST_RADIUS - 2) * Math.sqrt(point.n / most)}
            fill="var(--cup-person-fill)"
            fillOpacity={0.75}
          />
        ))}
        <text className="cup-axis" x={INSET_LEFT + SIDE / 2} y={height - 6} textAnchor="middle">
          {t('claimed, %')}
        </text>
        <text
          className="cup-axis"
          x={12}
          y={8 + SIDE / 2}
          textAnchor="middle"
          transform={`rotate(-90 12 ${8 + SIDE / 2})`}
        >
          {t('right, %')}
        </text>
      </svg>
    </Chart>
  );
}
