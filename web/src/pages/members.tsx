import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { session as calls, rows, tenant as tenantCalls } from '../api/calls';
import { SESSION_KEY, useSession } from '../api/session';
import type { Member, TenantRole } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Copyable, Page, Panel, ProblemNote } from '../ui/bits';
import { Confirm } from '../ui/confirm';
import { type Column, Rows } from '../ui/table';

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

const ROLES: readonly TenantRole[] = ['owner', 'manager', 'reviewer'];

export function Members() {
  const t = useT();
  const { tenant, session } = useSession();
  const client = useQueryClient();
  const [leaving, setLeaving] = useState<Member | null>(null);
  const query = useQuery({ queryKey: ['members', tenant?.id], queryFn: tenantCalls.members });
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ['members'] });
    void client.invalidateQueries({ queryKey: SESSION_KEY });
  };
  const change = useMutation({
    mutationFn: ({ person, role }: { person: string; role: TenantRole }) => tenantCalls.changeRole(person, role),
    onSettled: refresh,
  });
  const owns = tenant?.role === 'owner';
  const roleOf = (member: Member) => t(ROLE_NAMES[member.role] ?? member.role);
  const columns: Column<Member>[] = [
    {
      head: t('Name'),
      cell: (member) => (member.person === session?.person.id ? t('{name} (you)', { name: member.name }) : member.name),
    },
    { head: t('Email'), cell: (member) => member.email ?? '–' },
    {
      head: t('Role'),
      cell: (member) =>
        owns ? (
          <Select
            aria-label={t('Role of {name}', { name: member.name })}
            size="xs"
            w={240}
            data={ROLES.map((value) => ({ value, label: t(ROLE_NAMES[value] ?? value) }))}
            value={member.role}
            allowDeselect={false}
            disabled={change.isPending}
            onChange={(value) => {
              const role = ROLES.find((one) => one === value);
              if (role && role !== member.role) change.mutate({ person: member.person, role });
            }}
          />
        ) : (
          roleOf(member)
        ),
    },
  ];
  if (owns) {
    columns.push({
      head: t('Remove'),
      quiet: true,
      numeric: true,
      cell: (member) => (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={t('Remove {name}', { name: member.name })}
          onClick={() => setLeaving(member)}
        >
          {t('Remove')}
        </Button>
      ),
    });
  }
  return (
    <Page title={t('Members')} lead={t('Who may act for this tenant.')}>
      <Panel title={t('Invite')}>
        <Invite roles={['reviewer', 'manager', 'owner']} />
      </Panel>
      <ProblemNote error={change.error} />
      <Asked query={query}>
        {(answer) => (
          <Rows<Member> label={t('Members')} rows={rows(answer)} keyOf={(member) => member.person} columns={columns} />
        )}
      </Asked>
      {leaving && (
        <Confirm
          title={t('Remove {name}', { name: leaving.name })}
          verb={t('Remove')}
          act={() => tenantCalls.removeMember(leaving.person)}
          onClose={() => setLeaving(null)}
          onDone={refresh}
        >
          {t('{name} can no longer act for {tenant}. What they decided stays.', {
            name: leaving.name,
            tenant: tenant?.name ?? '',
          })}
        </Confirm>
      )}
    </Page>
  );
}
