/** The log of callbacks: where each stands, what it says, and sending it again. */
import { Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { orders } from '../api/calls';
import { useSession } from '../api/session';
import type { Callback, CallbackState } from '../api/types';
import { msg, type Translate, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Copyable, Empty, Moment, Panel, ProblemNote, State, Why } from '../ui/bits';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Rows } from '../ui/table';
import { indented } from './orders_body';

const STATES: readonly CallbackState[] = ['waiting', 'delivered', 'failed'];
const STATE_WORDS: Record<CallbackState, string> = {
  waiting: msg('Waiting'),
  delivered: msg('Delivered'),
  failed: msg('Failed'),
};
const KINDS: Record<string, string> = {
  completed: msg('task completed'),
  error: msg('task refused'),
  audit: msg('audit'),
  recall: msg('recall'),
  batch: msg('batch completed'),
};
const REFRESH_MS = 5_000;

function kindIn(t: Translate, kind: string): string {
  const known = KINDS[kind];
  return known ? t(known) : kind;
}

/** The header by which a receiver knows us; its value is asked for only when a person wants to see it. */
export function CallbackAuth() {
  const t = useT();
  const { tenant } = useSession();
  const [shown, setShown] = useState(false);
  const query = useQuery({
    queryKey: ['callback-auth', tenant?.id],
    queryFn: orders.auth,
    enabled: shown,
    gcTime: 0,
  });
  return (
    <Panel
      title={t('How a receiver knows us')}
      style={{ marginBottom: 16 }}
      aside={
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="eye" />}
          onClick={() => setShown(!shown)}
          aria-expanded={shown}
        >
          {shown ? t('Hide the secret') : t('Show the secret')}
        </Button>
      }
    >
      <Text size="sm" mb={shown ? 12 : 0}>
        {t(
          'Every callback of this world carries one secret in a header. A receiver that finds another value there should answer 401.',
        )}
      </Text>
      {shown && (
        <Asked query={query}>
          {({ header, value }) => (
            <Stack gap={8}>
              <Text size="sm">
                <code className="cup-code">{header}</code>
              </Text>
              <Copyable value={value} label={header} />
            </Stack>
          )}
        </Asked>
      )}
    </Panel>
  );
}

function Message({ callback, onClose }: { callback: Callback; onClose: () => void }) {
  const t = useT();
  const query = useQuery({ queryKey: ['callback', callback.id], queryFn: () => orders.callback(callback.id) });
  return (
    <Dialog opened onClose={onClose} size="lg" title={t('What the callback says')}>
      <Stack gap={8}>
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {`POST ${callback.url}`}
        </Text>
        {callback.last_error && (
          <Text component="div" size="sm" c="var(--cup-refused)">
            <Why code={callback.last_error_code} detail={callback.last_error} />
          </Text>
        )}
        <Asked query={query}>
          {({ body }) => (
            <pre className="cup-body" tabIndex={0}>
              {indented(body)}
            </pre>
          )}
        </Asked>
      </Stack>
    </Dialog>
  );
}

/** One line on how the last try went, and when the next is. */
function Outcome({ callback }: { callback: Callback }) {
  const t = useT();
  return (
    <>
      {callback.last_error ? (
        <Why code={callback.last_error_code} detail={callback.last_error} />
      ) : (
        <span>{callback.last_status ?? '–'}</span>
      )}
      {callback.state === 'waiting' && callback.next_at && (
        <Text size="xs" c="dimmed">
          {t('next try')} <Moment at={callback.next_at} />
        </Text>
      )}
    </>
  );
}

export function CallbackLog({
  state,
  onState,
}: {
  state: CallbackState | null;
  onState: (state: CallbackState | null) => void;
}) {
  const t = useT();
  const { number } = useFormat();
  const { tenant } = useSession();
  const client = useQueryClient();
  const [opened, setOpened] = useState<Callback | null>(null);
  const query = useInfiniteQuery({
    queryKey: ['callbacks', tenant?.id, state],
    queryFn: ({ pageParam }) => orders.callbacks({ limit: 50, cursor: pageParam, state }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    refetchInterval: REFRESH_MS,
  });
  const resend = useMutation({
    mutationFn: orders.resend,
    onSettled: () => client.invalidateQueries({ queryKey: ['callbacks'] }),
  });
  const list = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel
      title={t('Callbacks')}
      aside={
        <SegmentedControl
          size="xs"
          aria-label={t('State')}
          value={state ?? ''}
          onChange={(next) => onState(STATES.find((one) => one === next) ?? null)}
          data={[{ value: '', label: t('All') }, ...STATES.map((one) => ({ value: one, label: t(STATE_WORDS[one]) }))]}
        />
      }
    >
      <Text size="sm" c="dimmed" mb={12}>
        {t('Tried up to 20 times within 24 hours, until the receiver answers with a status of 200 to 299.')}
      </Text>
      <ProblemNote error={query.error ?? resend.error} onRetry={() => void query.refetch()} />
      {query.data && list.length === 0 ? (
        state === null ? (
          <Empty icon="upload" title={t('No callback yet')}>
            {t('An order with a callback address, or a default address under “What orders pay”, makes the first one.')}
          </Empty>
        ) : (
          <Empty title={t('No callback in this state')} />
        )
      ) : (
        <Rows<Callback>
          label={t('Callbacks')}
          rows={list}
          keyOf={(callback) => callback.id}
          columns={[
            { head: t('What for'), cell: (callback) => kindIn(t, callback.kind) },
            {
              head: t('Address'),
              cell: (callback) => <span style={{ overflowWrap: 'anywhere' }}>{callback.url}</span>,
            },
            { head: t('State'), cell: (callback) => <State of={callback.state} /> },
            { head: t('Tries'), numeric: true, cell: (callback) => number(callback.tries) },
            { head: t('Answer'), cell: (callback) => <Outcome callback={callback} /> },
            { head: t('Made'), cell: (callback) => <Moment at={callback.created_at} /> },
            {
              head: t('Look and send'),
              quiet: true,
              cell: (callback) => (
                <Group gap={8} wrap="nowrap" justify="flex-end">
                  <Button size="compact-xs" variant="default" onClick={() => setOpened(callback)}>
                    {t('See what it says')}
                  </Button>
                  <Button
                    size="compact-xs"
                    variant="default"
                    loading={resend.isPending && resend.variables === callback.id}
                    onClick={() => resend.mutate(callback.id)}
                  >
                    {t('Send again')}
                  </Button>
                </Group>
              ),
            },
          ]}
        />
      )}
      {query.hasNextPage && (
        <Group justify="center" mt={12}>
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t('Show more')}
          </Button>
        </Group>
      )}
      {opened && <Message callback={opened} onClose={() => setOpened(null)} />}
    </Panel>
  );
}
