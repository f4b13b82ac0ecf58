import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { session as calls, rows, tenant as tenantCalls } from '../api/calls';
import { useSession } from '../api/session';
import type { Member } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Copyable, Page, Panel, ProblemNote } from '../ui/bits';
import { Rows } from '../ui/table';

export const ROLE_NAMES: Record<string, string> = {
  owner: msg('Owner: everything'),
  manager: msg('Manager: projects and data'),
  reviewer: msg('Reviewer: decides and audits'),
  contributor: msg('Contributor: labels, and is paid'),
};

/** An invitation link for a role; shared by the tenant's and the operator's pages. */
export function Invite({ roles }: { roles: readonly string[] }) {
  const t = useT();
  const { moment } = useFormat();
  const [email, setEmail] = useState('');
  const [role, setRole] = useState(roles[0] ?? 'reviewer');
  const invite = useMutation({
    mutationFn: () => calls.invite({ role, ...(email.trim() ? { email: email.trim() } : {}) }),
  });
  const link = invite.data ? new URL(invite.data.link, window.location.origin).href : '';
  return (
    <Stack gap={12}>
      <Group align="flex-end" gap={12}>
        <Select
          label={t('Role')}
          data={roles.map((value) => ({ value, label: t(ROLE_NAMES[value] ?? value) }))}
          value={role}
          allowDeselect={false}
          onChange={(value) => value && setRole(value)}
          w={260}
        />
        <TextInput
          label={t('Email (optional)')}
          type="email"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <Button onClick={() => invite.mutate()} loading={invite.isPending}>
          {t('Make a link')}
        </Button>
      </Group>
      <ProblemNote error={invite.error} />
      {invite.data && (
        <>
          <Copyable value={link} label={t('Invitation link')} />
          <Text size="xs" c="dimmed">
            {t('Works once, until {when}. Send it yourself: nothing is mailed.', {
              when: moment(invite.data.expires_at),
            })}
          </Text>
        </>
      )}
    </Stack>
  );
}

export function Members() {
  const t = useT();
  const { tenant } = useSession();
  const query = useQuery({ queryKey: ['members', tenant?.id], queryFn: tenantCalls.members });
  return (
    <Page title={t('Members')} lead={t('Who may act for this tenant.')}>
      <Panel title={t('Invite')}>
        <Invite roles={['reviewer', 'manager', 'owner']} />
      </Panel>
      <Asked query={query}>
        {(answer) => (
          <Rows<Member>
            label={t('Members')}
            rows={rows(answer)}
            keyOf={(member) => member.person}
            columns={[
              { head: t('Name'), cell: (member) => member.name },
              { head: t('Email'), cell: (member) => member.email ?? '–' },
              { head: t('Role'), cell: (member) => t(ROLE_NAMES[member.role] ?? member.role) },
            ]}
          />
        )}
      </Asked>
    </Page>
  );
}
