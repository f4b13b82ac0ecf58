import { Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { work } from '../api/calls';
import type { Earnings } from '../api/types';
import { useT } from '../i18n';
import { timeZoneName, useFormat } from '../i18n/format';
import { Asked, Empty, Figure, Moment, Page, Panel } from '../ui/bits';
import { Icon } from '../ui/icons';
import { Rows } from '../ui/table';
import { Payouts } from './payouts';
import { spanOf } from './statement_span';

const SECONDS_AN_HOUR = 3600;
/** Less than this is no measure of an hour. */
const ENOUGH_S = 60;

/** The day that it is here, as a date field writes it. */
function dayOf(moment: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

function Statement() {
  const t = useT();
  const today = dayOf(new Date());
  const [from, setFrom] = useState(`${today.slice(0, 8)}01`);
  const [to, setTo] = useState(today);
  const field = {
    padding: '6px 8px',
    border: '1px solid var(--mantine-color-default-border)',
    borderRadius: 6,
    background: 'var(--cup-panel)',
    color: 'inherit',
    font: 'inherit',
  };
  return (
    <Panel title={t('Statement')}>
      <Text size="sm" mb={12}>
        {t('Every payment with its project, date and price: something you can hand to a bank.')}
      </Text>
      <Group gap={12} align="flex-end">
        <label>
          <Text size="sm">{t('From')}</Text>
          <input
            type="date"
            style={field}
            value={from}
            max={to}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
        </label>
        <label>
          <Text size="sm">{t('To')}</Text>
          <input
            type="date"
            style={field}
            value={to}
            min={from}
            onChange={(event) => setTo(event.currentTarget.value)}
          />
        </label>
        {(['csv', 'json'] as const).map((format) => (
          <Button
            key={format}
            component="a"
            variant="default"
            leftSection={<Icon name="download" />}
            href={work.statementUrl({ ...spanOf(from, to), format })}
            download={`cupola-statement-${from}-${to}.${format}`}
          >
            {format.toUpperCase()}
          </Button>
        ))}
      </Group>
    </Panel>
  );
}

export function EarningsPage() {
  const t = useT();
  const { money, number, duration } = useFormat();
  const query = useQuery({ queryKey: ['earnings'], queryFn: work.earnings });
  return (
    <Page title={t('Earnings')} lead={t('What you were paid, and for what. A payment cannot be taken back.')}>
      <Asked query={query}>
        {(sum: Earnings) => (
          <Stack gap={16}>
            {sum.by_currency.map((one) => (
              <Group key={one.currency} gap={48} align="flex-start" style={{ rowGap: 16 }}>
                <Figure
                  label={t('Balance')}
                  value={<span style={{ fontSize: 26 }}>{money(one.balance_minor, one.currency)}</span>}
                  note={t('earned, not yet paid out')}
                />
                <Figure label={t('Today')} value={money(one.today_minor, one.currency)} />
                <Figure label={t('This week')} value={money(one.week_minor, one.currency)} />
                <Figure
                  label={t('In all')}
                  value={money(one.total_minor, one.currency)}
                  note={t('{count, plural, one {# judgement} other {# judgements}}', { count: one.judgements })}
                />
                <Figure
                  label={t('An hour')}
                  value={one.seconds < ENOUGH_S ? '–' : money(one.hourly_minor, one.currency)}
                  note={
                    one.seconds >= ENOUGH_S
                      ? t('over {time} of counted work', { time: duration(one.seconds) })
                      : t('after a minute of counted work')
                  }
                />
              </Group>
            ))}
            {sum.by_project.length === 0 ? (
              <Empty
                icon="clock"
                title={t('Nothing earned yet')}
                action={<Link to="/work">{t('See the offers')}</Link>}
              >
                {t('You are paid the moment you submit a page.')}
              </Empty>
            ) : (
              <div className="cup-two">
                <Panel title={t('By project')}>
                  <Rows
                    label={t('By project')}
                    rows={sum.by_project}
                    keyOf={(row) => `${row.project}${row.currency}`}
                    columns={[
                      { head: t('Project'), cell: (row) => row.name },
                      { head: t('Judgements'), numeric: true, cell: (row) => number(row.judgements) },
                      { head: t('Paid'), numeric: true, cell: (row) => money(row.amount_minor, row.currency) },
                      {
                        head: t('An hour'),
                        numeric: true,
                        cell: (row) =>
                          row.seconds >= ENOUGH_S
                            ? money(Math.round((row.amount_minor * SECONDS_AN_HOUR) / row.seconds), row.currency)
                            : '–',
                      },
                    ]}
                  />
                </Panel>
                <Panel
                  title={t('Latest')}
                  aside={
                    <Text size="xs" c="dimmed">
                      {timeZoneName()}
                    </Text>
                  }
                >
                  <Rows
                    label={t('Latest')}
                    rows={sum.recent.slice(0, 20)}
                    keyOf={(row) => `${row.at}${row.kind}${row.amount_minor}`}
                    columns={[
                      { head: t('When'), cell: (row) => <Moment at={row.at} /> },
                      { head: t('What for'), cell: (row) => row.name || row.kind },
                      { head: t('Amount'), numeric: true, cell: (row) => money(row.amount_minor, row.currency) },
                    ]}
                  />
                </Panel>
              </div>
            )}
            <Payouts />
            <Statement />
          </Stack>
        )}
      </Asked>
    </Page>
  );
}
