import { Alert, Button, Group, MultiSelect, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { tenant as calls } from '../api/calls';
import { useSession } from '../api/session';
import type { Delivery, Webhook } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Copyable, Empty, Moment, Page, Panel, ProblemNote, State, Why } from '../ui/bits';
import { Confirm } from '../ui/confirm';
import { Rows } from '../ui/table';

const EVENTS = [
  'task.settled',
  'task.escalated',
  'judgement.submitted',
  'import.done',
  'release.certified',
  'project.launched',
  'export.done',
];

function Deliveries({ webhook }: { webhook: string }) {
  const t = useT();
  const { number } = useFormat();
  const client = useQueryClient();
  const query = useQuery({
    queryKey: ['deliveries', webhook],
    queryFn: () => calls.deliveries(webhook),
    refetchInterval: 5_000,
  });
  const resend = useMutation({
    mutationFn: calls.resend,
    onSettled: () => client.invalidateQueries({ queryKey: ['deliveries', webhook] }),
  });
  return (
    <>
      <ProblemNote error={resend.error} />
      <Asked query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Text c="dimmed">{t('Nothing sent yet.')}</Text>
          ) : (
            <Rows<Delivery>
              label={t('Deliveries')}
              rows={items}
              keyOf={(delivery) => delivery.id}
              columns={[
                { head: t('Event'), cell: (delivery) => <code>{delivery.event}</code> },
                { head: t('State'), cell: (delivery) => <State of={delivery.state} /> },
                { head: t('Tries'), numeric: true, cell: (delivery) => number(delivery.tries) },
                {
                  head: t('Answer'),
                  cell: (delivery) =>
                    delivery.last_status ??
                    (delivery.last_error ? <Why code={delivery.last_error_code} detail={delivery.last_error} /> : '–'),
                },
                {
                  head: t('Next try'),
                  cell: (delivery) => (delivery.state === 'waiting' ? <Moment at={delivery.next_at} /> : '–'),
                },
                { head: t('Made'), cell: (delivery) => <Moment at={delivery.created_at} /> },
                {
                  head: t('Send again'),
                  quiet: true,
                  cell: (delivery) => (
                    <Button size="compact-xs" variant="default" onClick={() => resend.mutate(delivery.id)}>
                      {t('Send again')}
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Asked>
    </>
  );
}

export function Webhooks() {
  const t = useT();
  const { tenant } = useSession();
  const client = useQueryClient();
  const [url, setUrl] = useState('');
  const [events, setEvents] = useState<string[]>(['task.settled', 'release.certified']);
  const refresh = () => client.invalidateQueries({ queryKey: ['webhooks'] });
  const query = useQuery({ queryKey: ['webhooks', tenant?.id], queryFn: calls.webhooks });
  const create = useMutation({ mutationFn: () => calls.createWebhook(url.trim(), events), onSuccess: refresh });
  const turn = useMutation({
    mutationFn: (webhook: Webhook) => calls.turnWebhook(webhook.id, webhook.state === 'on' ? 'off' : 'on'),
    onSuccess: refresh,
  });
  const [leaving, setLeaving] = useState<Webhook | null>(null);
  return (
    <Page
      title={t('Webhooks')}
      lead={t('Cupola calls your server when something happens, signed, and tries again for 24 hours.')}
    >
      <Panel title={t('New webhook')}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate();
          }}
        >
          <Stack gap={12}>
            <TextInput
              label={t('Address')}
              type="url"
              required
              placeholder="https://…"
              value={url}
              onChange={(event) => setUrl(event.currentTarget.value)}
            />
            <MultiSelect label={t('Events')} data={EVENTS} value={events} onChange={setEvents} />
            <ProblemNote error={create.error} />
            <Group>
              <Button type="submit" loading={create.isPending} disabled={events.length === 0}>
                {t('Add')}
              </Button>
            </Group>
            {create.data?.secret && (
              <Alert color="ember" variant="outline" title={t('Copy the signing secret now: it is shown once')}>
                <Copyable value={create.data.secret} label={t('Signing secret')} />
              </Alert>
            )}
          </Stack>
        </form>
      </Panel>
      <Asked query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="play" title={t('No webhook yet')}>
              {t('Check the signature in the header Cupola-Signature before you trust a call.')}
            </Empty>
          ) : (
            <Stack gap={16}>
              <ProblemNote error={turn.error} />
              {items.map((webhook: Webhook) => (
                <Panel
                  key={webhook.id}
                  title={<span style={{ overflowWrap: 'anywhere' }}>{webhook.url}</span>}
                  aside={
                    <Group gap={8}>
                      <State of={webhook.state} />
                      <Button
                        size="compact-xs"
                        variant="default"
                        loading={turn.isPending && turn.variables.id === webhook.id}
                        onClick={() => turn.mutate(webhook)}
                        aria-label={
                          webhook.state === 'on'
                            ? t('Switch off {name}', { name: webhook.url })
                            : t('Switch on {name}', { name: webhook.url })
                        }
                      >
                        {webhook.state === 'on' ? t('Switch off') : t('Switch on')}
                      </Button>
                      <Button
                        size="compact-xs"
                        variant="default"
                        onClick={() => setLeaving(webhook)}
                        aria-label={t('Remove {name}', { name: webhook.url })}
                      >
                        {t('Remove')}
                      </Button>
                    </Group>
                  }
                >
                  <Text size="xs" c="dimmed" mb={8}>
                    {webhook.events.join(' · ')}
                  </Text>
                  <Deliveries webhook={webhook.id} />
                </Panel>
              ))}
            </Stack>
          )
        }
      </Asked>
      {leaving && (
        <Confirm
          title={t('Remove {name}', { name: leaving.url })}
          verb={t('Remove')}
          act={() => calls.deleteWebhook(leaving.id)}
          onClose={() => setLeaving(null)}
          onDone={refresh}
        >
          {t('What waits for it is sent no more, and its log and its secret are gone. To pause it, switch it off.')}
        </Confirm>
      )}
    </Page>
  );
}
