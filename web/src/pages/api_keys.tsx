import { Alert, Button, Group, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { tenant as calls } from '../api/calls';
import { useSession } from '../api/session';
import type { ApiKey } from '../api/types';
import { useT } from '../i18n';
import { Asked, Copyable, Empty, Moment, Page, Panel, ProblemNote, State } from '../ui/bits';
import { Confirm } from '../ui/confirm';
import { Rows } from '../ui/table';

export function ApiKeys() {
  const t = useT();
  const { tenant } = useSession();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const refresh = () => client.invalidateQueries({ queryKey: ['keys'] });
  const query = useQuery({ queryKey: ['keys', tenant?.id], queryFn: calls.keys });
  const create = useMutation({ mutationFn: () => calls.createKey(name.trim()), onSuccess: refresh });
  const [leaving, setLeaving] = useState<ApiKey | null>(null);
  return (
    <Page
      title={t('API keys')}
      lead={
        tenant?.world === 'test'
          ? t('Keys made here act in the test world of this tenant.')
          : t('Keys made here act in the live world: they spend real money.')
      }
    >
      <Panel title={t('New key')}>
        <Stack gap={12}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              create.mutate();
            }}
          >
            <Group align="flex-end" gap={12}>
              <TextInput
                label={t('What it is for')}
                required
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                w={280}
              />
              <Button type="submit" loading={create.isPending}>
                {t('Make a key')}
              </Button>
            </Group>
          </form>
          <ProblemNote error={create.error} />
          {create.data?.key && (
            <Alert color="ember" variant="outline" title={t('Copy it now: it is shown once')}>
              <Copyable value={create.data.key} label={t('API key')} />
            </Alert>
          )}
        </Stack>
      </Panel>
      <Asked query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="link" title={t('No key yet')}>
              {t('A program signs in with a key. The API is described at')} <a href="/docs">/docs</a>
            </Empty>
          ) : (
            <Rows<ApiKey>
              label={t('API keys')}
              rows={items}
              keyOf={(key) => key.id}
              columns={[
                { head: t('What it is for'), cell: (key) => key.name },
                { head: t('Begins with'), cell: (key) => <code>{key.prefix}…</code> },
                { head: t('Made'), cell: (key) => <Moment at={key.created_at} /> },
                {
                  head: t('Revoke'),
                  quiet: true,
                  cell: (key) =>
                    key.revoked_at ? (
                      <State of="revoked" />
                    ) : (
                      <Button
                        size="compact-xs"
                        variant="default"
                        onClick={() => setLeaving(key)}
                        aria-label={t('Revoke {name}', { name: key.name })}
                      >
                        {t('Revoke')}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </Asked>
      {leaving && (
        <Confirm
          title={t('Revoke {name}', { name: leaving.name })}
          verb={t('Revoke')}
          act={() => calls.deleteKey(leaving.id)}
          onClose={() => setLeaving(null)}
          onDone={refresh}
        >
          {t('Programs that use this key are refused from now on. A revoked key does not come back.')}
        </Confirm>
      )}
    </Page>
  );
}
