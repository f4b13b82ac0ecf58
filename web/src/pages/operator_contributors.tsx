/** The contributors of this server: who they are, a way back in for who forgot a password, and an end to their tokens. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { operator as calls } from '../api/calls';
import type { ContributorRow } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Copyable, Empty, ProblemNote } from '../ui/bits';
import { Confirm } from '../ui/confirm';
import { Rows } from '../ui/table';

/** A link with which a person sets a new password. Nothing is mailed: the operator passes it on. */
export function PasswordLink() {
  const t = useT();
  const { moment } = useFormat();
  const [email, setEmail] = useState('');
  const make = useMutation({ mutationFn: () => calls.passwordLink(email.trim()) });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <Stack gap={12}>
        <Text size="sm" c="dimmed">
          {t('For anybody with an account who forgot their password. Using the link ends their sessions.')}
        </Text>
        <Group align="flex-end" gap={12}>
          <TextInput
            label={t('Email')}
            type="email"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" loading={make.isPending}>
            {t('Make a password link')}
          </Button>
        </Group>
        <ProblemNote error={make.error} />
        {make.data && (
          <>
            <Copyable value={new URL(make.data.link, window.location.origin).href} label={t('Password link')} />
            <Text size="xs" c="dimmed">
              {t('Works once, until {when}. Send it yourself: nothing is mailed.', {
                when: moment(make.data.expires_at),
              })}
            </Text>
          </>
        )}
      </Stack>
    </form>
  );
}

export function Contributors() {
  const t = useT();
  const [asking, setAsking] = useState<ContributorRow | null>(null);
  const [ended, setEnded] = useState<string | null>(null);
  const query = useQuery({ queryKey: ['contributors'], queryFn: calls.contributors });
  return (
    <Asked query={query}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty icon="user" title={t('No contributor yet')}>
            {t('Invite people by link, or add many at once.')}
          </Empty>
        ) : (
          <>
            <div style={{ maxHeight: 420, overflow: 'auto' }} tabIndex={0} role="region" aria-label={t('Contributors')}>
              <Rows<ContributorRow>
                label={t('Contributors')}
                rows={items}
                keyOf={(row) => row.id}
                columns={[
                  { head: t('Name'), cell: (row) => row.name },
                  { head: t('Email'), cell: (row) => row.email ?? '–' },
                  {
                    head: t('Work tokens'),
                    quiet: true,
                    numeric: true,
                    cell: (row) => (
                      <Button
                        size="compact-xs"
                        variant="default"
                        aria-label={t('Revoke tokens: {name}', { name: row.name })}
                        onClick={() => setAsking(row)}
                      >
                        {t('Revoke tokens')}
                      </Button>
                    ),
                  },
                ]}
              />
            </div>
            {ended && (
              <Text size="sm" role="status" mt={8}>
                {t('The tokens of {name} no longer work.', { name: ended })}
              </Text>
            )}
            {asking && (
              <Confirm
                title={t('Revoke tokens: {name}', { name: asking.name })}
                verb={t('Revoke tokens')}
                act={() => calls.revokeTokens(asking.id)}
                onClose={() => setAsking(null)}
                onDone={() => setEnded(asking.name)}
              >
                {t('Programs that work as {name} stop at once. What was earned stays, and so does signing in.', {
                  name: asking.name,
                })}
              </Confirm>
            )}
          </>
        )
      }
    </Asked>
  );
}
