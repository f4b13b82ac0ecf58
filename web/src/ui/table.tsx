import { Table } from '@mantine/core';
import type { ReactNode } from 'react';
import { useT } from '../i18n';

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ReactNode;
  /** Numbers stand right-aligned under a right-aligned head. */
  numeric?: boolean;
  /** A head that is there for screen readers only (buttons). */
  quiet?: boolean;
}

/** With more columns than these, a phone shows each row as a card of its own, each figure beside its head. */
const MOST_ON_PHONE = 3;

export function Rows<Row>({
  columns,
  rows,
  keyOf,
  label,
}: {
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  label: string;
}) {
  const t = useT();
  return (
    <div
      className={columns.length > MOST_ON_PHONE ? 'cup-rows cup-rows-stacked' : 'cup-rows'}
      tabIndex={0}
      role="region"
      aria-label={t('Table: {label}', { label })}
    >
      {/* The roles are said outright: laid out as cards, a table would no longer be told as one. */}
      <Table className="cup-table" highlightOnHover role="table">
        <Table.Thead role="rowgroup">
          <Table.Tr role="row">
            {columns.map((column) => (
              <Table.Th key={column.head} role="columnheader" className={column.numeric ? 'cup-num' : undefined}>
                {column.quiet ? <span className="cup-visually-hidden">{column.head}</span> : column.head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody role="rowgroup">
          {rows.map((row) => (
            <Table.Tr key={keyOf(row)} role="row">
              {columns.map((column) => (
                <Table.Td
                  key={column.head}
                  role="cell"
                  className={column.numeric ? 'cup-num' : undefined}
                  data-head={column.quiet ? undefined : column.head}
                >
                  <div>{column.cell(row)}</div>
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
