import { Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { session as calls, rows, tenant as tenantCalls } from '../api/calls';
import { SESSION_KEY, useSession } from '../api/session';
import type { Member, OpenInvitation, TenantRole } from '../api/types';
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
  labeler: msg('Labeler: works for this tenant, and is paid'),
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

/** Invitations by address that nobody has accepted yet; what a key made waits here for an owner. */
function Invitations() {
  const t = useT();
  const { moment } = useFormat();
  const { tenant } = useSession();
  const client = useQueryClient();
  const query = useQuery({ queryKey: ['invitations', tenant?.id], queryFn: tenantCalls.invitations });
  const settle = useMutation({
    mutationFn: ({ email, verb }: { email: string; verb: 'confirm' | 'withdraw' }) => tenantCalls[verb](email),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['invitations'] });
      void client.invalidateQueries({ queryKey: ['members'] });
    },
  });
  const waiting = query.data ? rows(query.data) : [];
  if (waiting.length === 0) return null;
  const columns: Column<OpenInvitation>[] = [
    { head: t('Email'), cell: (one) => one.email },
    { head: t('Role'), cell: (one) => t(ROLE_NAMES[one.role] ?? one.role) },
    {
      head: t('State'),
      cell: (one) =>
        one.confirmed
          ? t('waits until {when}', { when: moment(one.expires_at) })
          : t('made by a key, waits for an owner'),
    },
  ];
  if (tenant?.role === 'owner') {
    columns.push({
      head: t('What to do'),
      quiet: true,
      numeric: true,
      cell: (one) => (
        <Group gap={8} justify="flex-end">
          {!one.confirmed && (
            <Button
              size="compact-xs"
              disabled={settle.isPending}
              onClick={() => settle.mutate({ email: one.email, verb: 'confirm' })}
            >
              {t('Confirm')}
            </Button>
          )}
          <Button
            size="compact-xs"
            variant="default"
            disabled={settle.isPending}
            onClick={() => settle.mutate({ email: one.email, verb: 'withdraw' })}
          >
            {t('Withdraw')}
          </Button>
        </Group>
      ),
    });
  }
  return (
    <Panel title={t('Invited')}>
      <ProblemNote error={settle.error} />
      <Rows<OpenInvitation> label={t('Invited')} rows={waiting} keyOf={(one) => one.email} columns={columns} />
    </Panel>
  );
}

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
      <Invitations />
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
