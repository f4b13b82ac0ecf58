/** Small hand-drawn charts. Each has a text summary, and its figures in a table behind it. */
import { Table } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useId } from 'react';
import type { Quality } from '../api/types';
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

/**
 * A drawing as wide as its place, in its pixels: words keep their size on a narrow screen, where a scaled picture's
 * would shrink with it. Drawn once the width is known.
 */
export function Drawn({
  height,
  mostWidth,
  children,
}: {
  height: number;
  mostWidth?: number;
  children: (width: number) => ReactNode;
}) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  return (
    <div ref={ref} style={{ minHeight: height, ...(mostWidth ? { maxWidth: mostWidth } : {}) }}>
      {width > 0 && (
        <svg width={width} height={height} style={{ display: 'block' }} aria-hidden="true">
          {children(width)}
        </svg>
      )}
    </div>
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
