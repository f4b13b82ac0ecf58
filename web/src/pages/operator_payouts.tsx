/** Payouts by hand: one operator prepares a batch, another approves it, and the bank's answer is read back. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { payouts as calls } from '../api/calls';
import { useSession } from '../api/session';
import type { PayoutBatch } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Moment, Panel, ProblemNote } from '../ui/bits';
import { Icon } from '../ui/icons';
import { Rows } from '../ui/table';

const KEY = ['operator', 'payouts'];

function Outcomes({ batch }: { batch: PayoutBatch }) {
  const t = useT();
  const client = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const read = useMutation({
    mutationFn: (file: File) => calls.outcomes(batch.id, file),
    onSuccess: () => void client.invalidateQueries({ queryKey: KEY }),
  });
  return (
    <>
      <input
        ref={field}
        type="file"
        accept=".csv,text/csv"
        hidden
        aria-label={t('Outcomes')}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) read.mutate(file);
        }}
      />
      <Button
        size="compact-sm"
        variant="default"
        loading={read.isPending}
        leftSection={<Icon name="upload" size={14} />}
        onClick={() => field.current?.click()}
      >
        {t('Outcomes')}
      </Button>
      {read.data && (
        <Text size="xs" c="dimmed">
          {t('{paid} paid, {returned} came back, {unknown} unknown', {
            paid: read.data.paid,
            returned: read.data.returned,
            unknown: read.data.unknown,
          })}
        </Text>
      )}
      <ProblemNote error={read.error} />
    </>
  );
}

export function OperatorPayouts() {
  const t = useT();
  const { money, number } = useFormat();
  const { session } = useSession();
  const client = useQueryClient();
  const again = () => void client.invalidateQueries({ queryKey: KEY });
  const query = useQuery({ queryKey: KEY, queryFn: calls.operations });
  const prepare = useMutation({
    mutationFn: ({ rail, currency }: { rail: string; currency: string }) => calls.prepare(rail, currency),
    onSuccess: again,
  });
  const approve = useMutation({ mutationFn: calls.approve, onSuccess: again });
  return (
    <Panel title={t('Payouts')}>
      <Stack gap={12}>
        <Text size="sm" c="dimmed">
          {t(
            'One operator prepares a batch, another approves it; then its file goes to the bank, and what the bank says comes back as a table of payout, outcome (paid or returned) and reason.',
          )}
        </Text>
        <ProblemNote error={prepare.error ?? approve.error} />
        <Asked query={query}>
          {({ waiting, batches }) => (
            <Stack gap={16}>
              {waiting.length === 0 ? (
                <Text size="sm">{t('Nothing waits to be paid out.')}</Text>
              ) : (
                waiting.map((one) => (
                  <Group key={`${one.rail} ${one.currency}`} gap={12}>
                    <Text size="sm">
                      {t('{count, plural, one {# payout waits} other {# payouts wait}}: {sum}', {
                        count: one.payouts,
                        sum: money(one.amount_minor, one.currency),
                      })}
                    </Text>
                    <Button size="compact-sm" loading={prepare.isPending} onClick={() => prepare.mutate(one)}>
                      {t('Prepare a batch')}
                    </Button>
                  </Group>
                ))
              )}
              {batches.length > 0 && (
                <Rows<PayoutBatch>
                  label={t('Batches')}
                  rows={batches}
                  keyOf={(row) => row.id}
                  columns={[
                    { head: t('Prepared'), cell: (row) => <Moment at={row.prepared_at} /> },
                    { head: t('Payouts'), numeric: true, cell: (row) => number(row.payouts) },
                    { head: t('Amount'), numeric: true, cell: (row) => money(row.amount_minor, row.currency) },
                    {
                      head: t('State'),
                      cell: (row) =>
                        row.approved_at === null ? (
                          <Chip tone="doubtful">{t('To be approved')}</Chip>
                        ) : (
                          <Chip tone={row.ended === row.payouts ? 'settled' : 'person'}>
                            {t('{ended} of {all} ended', { ended: row.ended, all: row.payouts })}
                          </Chip>
                        ),
                    },
                    {
                      head: t('Do'),
                      quiet: true,
                      cell: (row) =>
                        row.approved_at === null ? (
                          row.prepared_by === session?.person.id ? (
                            <Text size="xs" c="dimmed">
                              {t('Another operator approves it')}
                            </Text>
                          ) : (
                            <Button
                              size="compact-sm"
                              loading={approve.isPending}
                              onClick={() => approve.mutate(row.id)}
                            >
                              {t('Approve')}
                            </Button>
                          )
                        ) : (
                          <Group gap={8}>
                            <Button
                              component="a"
                              size="compact-sm"
                              variant="default"
                              leftSection={<Icon name="download" size={14} />}
                              href={calls.fileUrl(row.id)}
                              download
                            >
                              {t('File')}
                            </Button>
                            <Outcomes batch={row} />
                          </Group>
                        ),
                    },
                  ]}
                />
              )}
            </Stack>
          )}
        </Asked>
      </Stack>
    </Panel>
  );
}
