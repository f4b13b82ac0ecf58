/** Judgements, settled tasks and cost over time (uPlot, loaded with this page only). */
import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { Quality } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Chart } from './charts';

const HEIGHT_PX = 200;
const COST_HEADROOM = 1.5;
const TWO_DAYS_MS = 2 * 86_400_000;
const TEN_MINUTES_MS = 600_000;

export default function ProgressChart({ points, currency }: { points: Quality['progress']; currency: string }) {
  const t = useT();
  const { number, money, moment, locale } = useFormat();
  const scheme = useComputedColorScheme();
  const host = useRef<HTMLDivElement>(null);
  const first = points[0];
  const last = points.at(-1);

  useEffect(() => {
    const element = host.current;
    if (!element || points.length === 0) return;
    const style = getComputedStyle(document.documentElement);
    const ink = scheme === 'dark' ? '#ced4da' : '#343a40';
    const line = style.getPropertyValue('--cup-line').trim();
    const axis = {
      stroke: ink,
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1 },
      font: '11px system-ui',
    };
    const wide = last !== undefined && first !== undefined && Date.parse(last.at) - Date.parse(first.at) > TWO_DAYS_MS;
    const brief =
      first !== undefined && last !== undefined && Date.parse(last.at) - Date.parse(first.at) < TEN_MINUTES_MS;
    const clock = (at_s: number, asDate: boolean) =>
      new Intl.DateTimeFormat(
        locale === 'zh' ? 'zh-CN' : 'en-GB',
        asDate
          ? { day: 'numeric', month: 'short' }
          : { hour: '2-digit', minute: '2-digit', ...(brief ? { second: '2-digit' } : {}) },
      ).format(new Date(at_s * 1000));
    const series = (label: string, stroke: string, scale: string, dash?: number[]): uPlot.Series => ({
      label,
      stroke,
      scale,
      width: 2,
      ...(dash ? { dash } : {}),
      points: { show: points.length < 3 },
    });
    const columns: uPlot.AlignedData = [
      points.map((point) => Date.parse(point.at) / 1000),
      points.map((point) => point.judgements),
      points.map((point) => point.settled),
      points.map((point) => point.cost_minor),
    ];
    // Where no pointer is, the legend says how it stands now.
    const shown = (at: number, words: (value: number) => string) => (_: uPlot, value: number | null) => {
      const here = value ?? columns[at]?.at(-1);
      return here === null || here === undefined ? '–' : words(here);
    };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_PX,
        cursor: { y: false },
        scales: {
          x: { time: true },
          // Cost grows as judgements do: on the same slope the two would be one line.
          cost: { range: (_, __, most) => [0, Math.max(1, most * COST_HEADROOM)] },
        },
        axes: [
          { ...axis, values: (_, ticks) => ticks.map((tick) => clock(tick, wide)) },
          { ...axis, scale: 'count', values: (_, ticks) => ticks.map((tick) => number(tick)), size: 56 },
          {
            ...axis,
            scale: 'cost',
            side: 1,
            grid: { show: false },
            values: (_, ticks) => ticks.map((tick) => money(tick, currency)),
            size: 72,
          },
        ],
        series: [
          { label: t('When'), value: shown(0, (at) => moment(new Date(at * 1000).toISOString())) },
          { ...series(t('Judgements'), '#1971c2', 'count'), value: shown(1, (count) => number(count)) },
          { ...series(t('Settled'), '#2f9e44', 'count', [6, 3]), value: shown(2, (count) => number(count)) },
          { ...series(t('Cost'), '#e8590c', 'cost', [2, 3]), value: shown(3, (minor) => money(minor, currency)) },
        ],
      },
      columns,
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [points, currency, scheme, t, number, money, moment, locale, first, last]);

  return (
    <Chart
      summary={
        last
          ? t('{judgements} judgements settled {settled} tasks for {cost} so far.', {
              judgements: number(last.judgements),
              settled: number(last.settled),
              cost: money(last.cost_minor, currency),
            })
          : t('Nothing judged yet.')
      }
      head={[t('When'), t('Judgements'), t('Settled'), t('Cost')]}
      rows={points.map((point) => [
        moment(point.at),
        number(point.judgements),
        number(point.settled),
        money(point.cost_minor, currency),
      ])}
    >
      <div ref={host} aria-hidden="true" style={{ minHeight: points.length ? HEIGHT_PX : 0 }} />
    </Chart>
  );
}
