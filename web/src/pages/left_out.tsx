/** What a format could not hold, or a reader could not take: counted by reason, each with a place where it was met. */
import { Stack, Text } from '@mantine/core';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Rows } from '../ui/table';

export interface LeftOutRow {
  readonly reason: string;
  readonly count: number;
  readonly example: string;
  readonly words: Record<string, string>;
}

export function LeftOut({ rows }: { rows: readonly LeftOutRow[] }) {
  const t = useT();
  const { localised, number } = useFormat();
  if (rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t('Nothing is left out.')}
      </Text>
    );
  return (
    <Stack gap={4}>
      <Text size="sm" fw={600}>
        {t('Left out, or taken otherwise')}
      </Text>
      <Rows<LeftOutRow>
        label={t('Left out, or taken otherwise')}
        rows={[...rows]}
        keyOf={(row) => row.reason}
        columns={[
          { head: t('What'), cell: (row) => localised(row.words) },
          { head: t('How often'), numeric: true, cell: (row) => number(row.count) },
          {
            head: t('First met at'),
            cell: (row) => (
              <code dir="auto" style={{ overflowWrap: 'anywhere' }}>
                {row.example}
              </code>
            ),
          },
        ]}
      />
    </Stack>
  );
}
