/** What orders pay and how they are checked. */
import { Button, Group, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { orders } from '../api/calls';
import { useSession } from '../api/session';
import type { Terms } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Panel, ProblemNote } from '../ui/bits';
import { MoneyInput } from '../ui/money_input';

const PERCENT = 100;

function Form({ kept }: { kept: Terms }) {
  const t = useT();
  const { money } = useFormat();
  const { tenant } = useSession();
  const client = useQueryClient();
  const [terms, setTerms] = useState(kept);
  const set = (part: Partial<Terms>) => setTerms((now) => ({ ...now, ...part }));
  const save = useMutation({
    mutationFn: () => orders.setTerms({ ...terms, callback: terms.callback?.trim() || null }),
    onSuccess: (next) => {
      setTerms(next);
      client.setQueryData(['terms', tenant?.id], next);
    },
  });
  const changed = JSON.stringify(terms) !== JSON.stringify(kept);
  const whole = (value: string | number, otherwise: number) => (typeof value === 'number' ? value : otherwise);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap={16} maw={640}>
        <Group align="flex-end" gap={12}>
          <MoneyInput
            label={t('A judgement pays')}
            description={t('Whole, to the person; the fee comes on top.')}
            currency={terms.currency}
            value_minor={terms.price_minor}
            onChange={(price_minor) => set({ price_minor })}
          />
          <TextInput
            label={t('Currency')}
            w={96}
            maxLength={3}
            value={terms.currency}
            onChange={(event) => set({ currency: event.currentTarget.value.toUpperCase() })}
          />
        </Group>
        <Group gap={12} grow align="flex-start">
          <NumberInput
            label={t('Least judgements')}
            min={1}
            max={50}
            allowDecimal={false}
            value={terms.min_judgements}
            onChange={(next) => set({ min_judgements: whole(next, terms.min_judgements) })}
          />
          <NumberInput
            label={t('Most judgements')}
            min={1}
            max={50}
            allowDecimal={false}
            value={terms.max_judgements}
            onChange={(next) => set({ max_judgements: whole(next, terms.max_judgements) })}
          />
          <NumberInput
            label={t('Tasks to a page')}
            min={1}
            max={50}
            allowDecimal={false}
            value={terms.page_size}
            onChange={(next) => set({ page_size: whole(next, terms.page_size) })}
          />
        </Group>
        <NumberInput
          label={t('Target accuracy')}
          description={t(
            'Begin low: of the first people nothing is known, and above about 90 % each of the first orders would wait for an expert. Raise it once a line of orders has settled some hundreds.',
          )}
          suffix=" %"
          min={50}
          max={99.99}
          step={1}
          decimalScale={2}
          value={Math.round(terms.target_accuracy * PERCENT * 100) / 100}
          onChange={(next) => set({ target_accuracy: whole(next, terms.target_accuracy * PERCENT) / PERCENT })}
        />
        <TextInput
          label={t('Callbacks go to')}
          description={t('Where an order gives no address of its own.')}
          placeholder="https://…"
          type="url"
          value={terms.callback ?? ''}
          onChange={(event) => set({ callback: event.currentTarget.value || null })}
        />
        <Text size="sm" c="dimmed">
          {t('An order of up to {most} judgements costs at most {sum}, and the fee.', {
            most: terms.max_judgements,
            sum: money(terms.max_judgements * terms.price_minor, terms.currency),
          })}{' '}
          {t('New terms hold for what is placed from now on; what is in the queue keeps its price.')}
        </Text>
        <ProblemNote error={save.error} />
        <Group gap={12}>
          <Button
            type="submit"
            loading={save.isPending}
            disabled={!changed || terms.price_minor <= 0 || terms.currency.length !== 3}
          >
            {t('Set these terms')}
          </Button>
          {save.isSuccess && !changed && (
            <span role="status">
              <Chip tone="settled">{t('Kept')}</Chip>
            </span>
          )}
        </Group>
      </Stack>
    </form>
  );
}

export function OrderTerms() {
  const t = useT();
  const { tenant } = useSession();
  const query = useQuery({
    queryKey: ['terms', tenant?.id],
    queryFn: orders.terms,
    // A form is being written over it: it must not change underneath.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return (
    <Panel title={t('What orders pay')}>
      <Asked query={query}>{(terms) => <Form kept={terms} />}</Asked>
    </Panel>
  );
}
