import { Button, Group, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { operator as calls } from '../api/calls';
import { SESSION_KEY } from '../api/session';
import type { Organisation } from '../api/types';
import { useT } from '../i18n';
import { Asked, Copyable, Page, Panel, ProblemNote } from '../ui/bits';
import { Rows } from '../ui/table';
import { Invite } from './members';
import { Contributors, PasswordLink } from './operator_contributors';
import { OperatorCredentials } from './operator_credentials';
import { InstancePanel } from './operator_instance';
import { OperatorPayouts } from './operator_payouts';

function Tenants() {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const query = useQuery({ queryKey: ['tenants'], queryFn: calls.tenants });
  const create = useMutation({
    mutationFn: () => calls.createTenant(name.trim()),
    onSuccess: () => {
      setName('');
      void client.invalidateQueries({ queryKey: ['tenants'] });
      void client.invalidateQueries({ queryKey: SESSION_KEY });
    },
  });
  return (
    <Panel title={t('Tenants')}>
      <Stack gap={12}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            create.mutate();
          }}
        >
          <Group align="flex-end" gap={12}>
            <TextInput
              label={t('Name of a new tenant')}
              required
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Button type="submit" loading={create.isPending}>
              {t('Create')}
            </Button>
          </Group>
        </form>
        <ProblemNote error={create.error} />
        <Asked query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <Text c="dimmed">{t('A tenant is one customer, with a live and a test world of its own.')}</Text>
            ) : (
              <Rows<Organisation>
                label={t('Tenants')}
                rows={items}
                keyOf={(row) => row.id}
                columns={[
                  { head: t('Name'), cell: (row) => row.name },
                  { head: t('Id'), cell: (row) => <code>{row.id}</code> },
                ]}
              />
            )
          }
        </Asked>
      </Stack>
    </Panel>
  );
}

function NewContributors() {
  const t = useT();
  const client = useQueryClient();
  const [names, setNames] = useState('');
  const [tokens, setTokens] = useState(false);
  const people = names
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [name = '', email] = line.split(/\s*[,;\t]\s*/);
      return email ? { name, email } : { name };
    });
  const create = useMutation({
    mutationFn: () => calls.createContributors({ people, tokens }),
    onSuccess: () => {
      setNames('');
      void client.invalidateQueries({ queryKey: ['contributors'] });
    },
  });
  const made = create.data?.items.filter((row) => row.token) ?? [];
  return (
    <Stack gap={12}>
      <Textarea
        label={t('One a line: name, email')}
        autosize
        minRows={3}
        maxRows={10}
        value={names}
        onChange={(event) => setNames(event.currentTarget.value)}
      />
      <Switch
        label={t('Give each a token, for programs')}
        checked={tokens}
        onChange={(event) => setTokens(event.currentTarget.checked)}
      />
      <ProblemNote error={create.error} />
      <Group>
        <Button onClick={() => create.mutate()} disabled={people.length === 0} loading={create.isPending}>
          {t('Add {count, plural, one {# contributor} other {# contributors}}', { count: people.length })}
        </Button>
      </Group>
      {made.length > 0 && (
        <>
          <Text size="sm" fw={600}>
            {t('Copy the tokens now: they are shown once')}
          </Text>
          {made.map((row) => (
            <Copyable key={row.id} value={row.token ?? ''} label={row.name} />
          ))}
        </>
      )}
    </Stack>
  );
}

export function OperatorPage() {
  const t = useT();
  return (
    <Page
      title={t('Tenants and people')}
      lead={t('You run this server. You create tenants and let people in; you do not see a tenant’s data.')}
    >
      <InstancePanel />
      <OperatorPayouts />
      <OperatorCredentials />
      <div className="cup-two">
        <Tenants />
        <Panel title={t('Invite a contributor')}>
          <Invite roles={['contributor']} />
        </Panel>
      </div>
      <div className="cup-two">
        <Panel title={t('Contributors')}>
          <Contributors />
        </Panel>
        <Stack gap={16}>
          <Panel title={t('Add many')}>
            <NewContributors />
          </Panel>
          <Panel title={t('Forgotten password')}>
            <PasswordLink />
          </Panel>
        </Stack>
      </div>
    </Page>
  );
}
