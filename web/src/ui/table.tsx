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
    <div style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label={t('Table: {label}', { label })}>
      <Table className="cup-table" highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.head} className={column.numeric ? 'cup-num' : undefined}>
                {column.quiet ? <span className="cup-visually-hidden">{column.head}</span> : column.head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={keyOf(row)}>
              {columns.map((column) => (
                <Table.Td key={column.head} className={column.numeric ? 'cup-num' : undefined}>
                  {column.cell(row)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
