import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { projects } from '../api/calls';
import type { Project } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Figure, Panel, ProblemNote } from '../ui/bits';
import { MoneyInput } from '../ui/money_input';

const BASIS_POINTS = 10_000;

export function Funding({ project }: { project: Project }) {
  const t = useT();
  const { money, percent } = useFormat();
  const client = useQueryClient();
  const { currency } = project.offer;
  const [amount_minor, setAmount] = useState(0);
  const [price_minor, setPrice] = useState(project.offer.price_minor);
  const refresh = () => client.invalidateQueries({ queryKey: ['project', project.id] });
  const allot = useMutation({ mutationFn: () => projects.allot(project.id, amount_minor), onSuccess: refresh });
  const reprice = useMutation({
    mutationFn: () => projects.newOffer(project.id, { price_minor, currency }),
    onSuccess: refresh,
  });
  return (
    <div className="cup-two">
      <Panel title={t('Budget')}>
        <Stack gap={12}>
          <Text size="sm">
            {t('Left in this project: {left}. Nothing is claimed that the budget cannot pay.', {
              left: money(project.budget_minor, currency),
            })}
          </Text>
          <MoneyInput
            label={t('Move from the tenant’s money into this project')}
            currency={currency}
            value_minor={amount_minor}
            onChange={setAmount}
          />
          <ProblemNote error={allot.error} />
          <Group>
            <Button onClick={() => allot.mutate()} loading={allot.isPending} disabled={amount_minor <= 0}>
              {t('Allot {sum}', { sum: money(amount_minor, currency) })}
            </Button>
          </Group>
        </Stack>
      </Panel>
      <Panel title={t('Price')}>
        <Stack gap={12}>
          <Group gap={32}>
            <Figure label={t('Now')} value={money(project.offer.price_minor, currency)} note={t('a judgement')} />
            {project.offer.fee_bp !== undefined && (
              <Figure
                label={t('Fee')}
                value={percent(project.offer.fee_bp / BASIS_POINTS)}
                note={t('on top, paid by you')}
              />
            )}
          </Group>
          <MoneyInput
            label={t('New price for each judgement')}
            description={t('Pages already claimed keep the price they were claimed at.')}
            currency={currency}
            value_minor={price_minor}
            onChange={setPrice}
          />
          <ProblemNote error={reprice.error} />
          <Group>
            <Button
              variant="default"
              onClick={() => reprice.mutate()}
              loading={reprice.isPending}
              disabled={price_minor <= 0 || price_minor === project.offer.price_minor}
            >
              {t('Offer this price')}
            </Button>
          </Group>
        </Stack>
      </Panel>
    </div>
  );
}
