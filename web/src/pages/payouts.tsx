/** How a contributor's money reaches them: where it goes, what they may ask for, and what is under way. */
import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { payouts as calls } from '../api/calls';
import type { Payout, PayoutStanding } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Moment, Panel, ProblemNote, type Tone } from '../ui/bits';
import { Rows } from '../ui/table';

const KEY = ['payouts'];
const STATES: Record<Payout['state'], [Tone, string]> = {
  gathering: ['neutral', msg('Being gathered')],
  created: ['neutral', msg('Waits to be sent')],
  sent: ['person', msg('Sent')],
  paid: ['settled', msg('Paid')],
  returned: ['refused', msg('Came back')],
  empty: ['neutral', msg('Nothing to pay')],
};
const WHY_NOT: Record<string, string> = {
  'payout-nowhere': msg('Say below where it is to go.'),
  'payout-under-way': msg('A payout is under way.'),
  'payout-held': msg('Waits 72 hours after a change of where it goes.'),
  'payout-small': msg('Paid out with the others, once a week.'),
};
/** What the rails of the house ask for; those of an extension speak for themselves. */
const RAIL_WORDS = [
  msg('Bank transfer, by hand'),
  msg('Name of the account’s holder'),
  msg('Account number or IBAN'),
  msg('Bank, and its code'),
];

function DetailsForm({ standing }: { standing: PayoutStanding }) {
  const t = useT();
  const client = useQueryClient();
  const [open, setOpen] = useState(standing.details === null);
  const [rail, setRail] = useState(standing.details?.rail ?? standing.rails[0]?.name ?? '');
  const [given, setGiven] = useState<Record<string, string>>({});
  const way = standing.rails.find((one) => one.name === rail);
  const known = (text: string) => (RAIL_WORDS.includes(text) ? t(text) : text);
  const save = useMutation({
    mutationFn: () => calls.setDetails(rail, given),
    onSuccess: () => {
      setOpen(false);
      setGiven({});
      void client.invalidateQueries({ queryKey: KEY });
    },
  });
  return (
    <Stack gap={12}>
      {standing.details && (
        <Group gap={12}>
          <Text size="sm">
            {t('Your money goes to the account that ends in {hint}.', { hint: standing.details.hint })}
          </Text>
          {!open && (
            <Button variant="default" size="compact-sm" onClick={() => setOpen(true)}>
              {t('Change')}
            </Button>
          )}
        </Group>
      )}
      {open && way && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate();
          }}
        >
          <Stack gap={12} maw={480}>
            {standing.rails.length > 1 && (
              <Select
                label={t('How')}
                data={standing.rails.map((one) => ({ value: one.name, label: known(one.title) }))}
                value={rail}
                allowDeselect={false}
                onChange={(value) => value && setRail(value)}
              />
            )}
            {way.fields.map((field) => (
              <TextInput
                key={field.name}
                label={known(field.title)}
                maxLength={120}
                autoComplete="off"
                value={given[field.name] ?? ''}
                onChange={(event) => setGiven({ ...given, [field.name]: event.currentTarget.value })}
              />
            ))}
            <Text size="xs" c="dimmed">
              {t('Kept under lock: no organisation that you work for sees it. After a change payouts wait 72 hours.')}
            </Text>
            <ProblemNote error={save.error} />
            <Group gap={8}>
              <Button type="submit" loading={save.isPending}>
                {t('Save')}
              </Button>
              {standing.details && (
                <Button variant="default" onClick={() => setOpen(false)}>
                  {t('Cancel')}
                </Button>
              )}
            </Group>
          </Stack>
        </form>
      )}
    </Stack>
  );
}

export function Payouts() {
  const t = useT();
  const { money } = useFormat();
  const client = useQueryClient();
  const query = useQuery({ queryKey: KEY, queryFn: calls.mine });
  const ask = useMutation({
    mutationFn: calls.ask,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: KEY });
      void client.invalidateQueries({ queryKey: ['earnings'] });
    },
  });
  return (
    <Panel title={t('Payouts')}>
      <Asked query={query}>
        {(standing) => (
          <Stack gap={16}>
            {standing.payable.map((one) => (
              <Group key={one.currency} gap={12}>
                <Button
                  disabled={one.why_not !== null}
                  loading={ask.isPending}
                  onClick={() => ask.mutate(one.currency)}
                >
                  {t('Pay out {sum}', { sum: money(one.balance_minor, one.currency) })}
                </Button>
                {one.why_not && (
                  <Text size="sm" c="dimmed">
                    {t(WHY_NOT[one.why_not] ?? one.why_not)}
                  </Text>
                )}
              </Group>
            ))}
            <ProblemNote error={ask.error} />
            <DetailsForm key={standing.details?.changed_at ?? ''} standing={standing} />
            {standing.payouts.length > 0 && (
              <Rows<Payout>
                label={t('Payouts')}
                rows={standing.payouts}
                keyOf={(row) => row.id}
                columns={[
                  { head: t('When'), cell: (row) => <Moment at={row.at} /> },
                  {
                    head: t('State'),
                    cell: (row) => (
                      <>
                        <Chip tone={STATES[row.state][0]}>{t(STATES[row.state][1])}</Chip>
                        {row.reason && (
                          <Text size="xs" c="dimmed">
                            {row.reason}
                          </Text>
                        )}
                      </>
                    ),
                  },
                  { head: t('To'), cell: (row) => row.hint },
                  { head: t('Amount'), numeric: true, cell: (row) => money(row.amount_minor, row.currency) },
                ]}
              />
            )}
          </Stack>
        )}
      </Asked>
    </Panel>
  );
}
