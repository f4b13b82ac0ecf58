import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { tenant as calls, projects } from '../api/calls';
import { useSession } from '../api/session';
import type { Account, Transfer } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Figure, Moment, Page, Panel, ProblemNote } from '../ui/bits';
import { MoneyInput } from '../ui/money_input';
import { Rows } from '../ui/table';
import { ACCOUNTS, TRANSFERS } from './money_words';

function Fund({ currencies }: { currencies: string[] }) {
  const t = useT();
  const { money } = useFormat();
  const { tenant } = useSession();
  const client = useQueryClient();
  const [currency, setCurrency] = useState(currencies[0] ?? 'EUR');
  const [amount_minor, setAmount] = useState(10_000);
  const fund = useMutation({
    mutationFn: () => calls.fund(amount_minor, currency),
    onSuccess: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ['money', 'transfers'].includes(String(queryKey[0])) }),
  });
  return (
    <Panel title={t('Put money in')}>
      <Stack gap={12}>
        <Text size="sm">
          {tenant?.world === 'test'
            ? t('Play money for this world of tests. Projects are given their budgets from it.')
            : t('Records a payment received for this tenant. Projects are given their budgets from it.')}
        </Text>
        <Group align="flex-end" gap={12}>
          <MoneyInput label={t('Amount')} currency={currency} value_minor={amount_minor} onChange={setAmount} />
          <TextInput
            label={t('Currency')}
            w={96}
            maxLength={3}
            value={currency}
            onChange={(event) => setCurrency(event.currentTarget.value.toUpperCase())}
          />
          <Button
            onClick={() => fund.mutate()}
            loading={fund.isPending}
            disabled={amount_minor <= 0 || currency.length !== 3}
          >
            {t('Fund {sum}', { sum: money(amount_minor, currency) })}
          </Button>
        </Group>
        <ProblemNote error={fund.error} />
      </Stack>
    </Panel>
  );
}

export function MoneyPage() {
  const t = useT();
  const { money } = useFormat();
  const { tenant } = useSession();
  const query = useQuery({ queryKey: ['money', tenant?.id], queryFn: calls.money });
  const list = useQuery({ queryKey: ['projects', tenant?.id, 'names'], queryFn: () => projects.list({ limit: 100 }) });
  const names = new Map(list.data?.items.map((project) => [project.id, project.name]));
  const wordFor = (words: Record<string, string>, key: string) => {
    const known = words[key];
    return known ? t(known) : key;
  };
  const transfers = useQuery({ queryKey: ['transfers', tenant?.id], queryFn: () => calls.transfers({ limit: 50 }) });
  return (
    <Page
      title={t('Money')}
      lead={t('Every movement is one row with a debit and a credit, and no row is ever changed.')}
    >
      <Asked query={query}>
        {(sum) => (
          <>
            <Group gap={48}>
              {sum.budgets.map((budget) => (
                <Figure
                  key={budget.currency}
                  label={t('Free for projects')}
                  value={<span style={{ fontSize: 26 }}>{money(budget.budget_minor, budget.currency)}</span>}
                />
              ))}
              {sum.budgets.length === 0 && <Figure label={t('Free for projects')} value="–" />}
            </Group>
            <div className="cup-two">
              <Panel title={t('Accounts')}>
                {sum.accounts.length === 0 ? (
                  <Text c="dimmed">{t('Accounts appear with the first payment.')}</Text>
                ) : (
                  <Rows<Account>
                    label={t('Accounts')}
                    // An empty account says nothing: there are several for each project.
                    rows={sum.accounts.filter((account) => account.balance_minor !== 0)}
                    keyOf={(account) => account.id}
                    columns={[
                      {
                        head: t('Account'),
                        cell: (account) => <span className="cup-word">{wordFor(ACCOUNTS, account.type)}</span>,
                      },
                      {
                        head: t('Project'),
                        cell: (account) =>
                          account.project ? (
                            <Link to="/projects/$project" params={{ project: account.project }}>
                              {names.get(account.project) ?? account.project.slice(0, 8)}
                            </Link>
                          ) : (
                            '–'
                          ),
                      },
                      {
                        head: t('Balance'),
                        numeric: true,
                        cell: (account) => money(account.balance_minor, account.currency),
                      },
                    ]}
                  />
                )}
              </Panel>
              {sum.may_fund ? (
                <Fund currencies={sum.budgets.map((budget) => budget.currency)} />
              ) : (
                <Panel title={t('Put money in')}>
                  <Text size="sm">
                    {t('Pay the operator of this instance: the payment shows here once it is recorded.')}
                  </Text>
                </Panel>
              )}
            </div>
          </>
        )}
      </Asked>
      <Panel title={t('Transfers')}>
        <Asked query={transfers}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title={t('No money has moved')}>
                {t('Put money in, give a project a budget, and each judgement that is paid shows here.')}
              </Empty>
            ) : (
              <Rows<Transfer>
                label={t('Transfers')}
                rows={items}
                keyOf={(transfer) => transfer.id}
                columns={[
                  { head: t('When'), cell: (transfer) => <Moment at={transfer.at} /> },
                  { head: t('Kind'), cell: (transfer) => wordFor(TRANSFERS, transfer.kind) },
                  {
                    head: t('Amount'),
                    numeric: true,
                    cell: (transfer) => money(transfer.amount_minor, transfer.currency),
                  },
                ]}
              />
            )
          }
        </Asked>
      </Panel>
    </Page>
  );
}
