/** Credentials that people claim, for an operator to look at; and lists of those that were verified elsewhere. */
import { Anchor, Button, FileButton, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { skills as calls } from '../api/calls';
import type { ClaimedCredential } from '../api/types';
import { useT } from '../i18n';
import { Asked, Moment, Panel, ProblemNote } from '../ui/bits';
import { Rows } from '../ui/table';
import { KINDS } from './skills';

const KEY = ['operator', 'credentials'];

function Decision({ of }: { of: ClaimedCredential }) {
  const t = useT();
  const client = useQueryClient();
  const [words, setWords] = useState('');
  const decide = useMutation({
    mutationFn: (state: 'verified' | 'refused') =>
      calls.decide(of.id, {
        state,
        verifier: state === 'verified' ? words : '',
        reason: state === 'refused' ? words : '',
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
  });
  return (
    <Stack gap={8}>
      <TextInput
        aria-label={t('Who looked, or why not')}
        placeholder={t('Who looked, or why not')}
        value={words}
        maxLength={200}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      <Group gap={8}>
        <Button
          size="compact-sm"
          disabled={!words.trim() || !of.document_name}
          loading={decide.isPending}
          onClick={() => decide.mutate('verified')}
        >
          {t('Verify')}
        </Button>
        <Button
          size="compact-sm"
          variant="default"
          disabled={!words.trim()}
          loading={decide.isPending}
          onClick={() => decide.mutate('refused')}
        >
          {t('Refuse')}
        </Button>
      </Group>
      <ProblemNote error={decide.error} />
    </Stack>
  );
}

export function OperatorCredentials() {
  const t = useT();
  const query = useQuery({ queryKey: KEY, queryFn: calls.waiting });
  const list = useMutation({ mutationFn: calls.list });
  return (
    <Panel title={t('Credentials')}>
      <Stack gap={12}>
        <Text size="sm" c="dimmed">
          {t(
            'Look at the document, then verify it under your name or say why not. A CSV of credentials that were verified elsewhere names email, kind, subject and verifier.',
          )}
        </Text>
        <Asked query={query}>
          {(claims) =>
            claims.length === 0 ? (
              <Text size="sm">{t('Nothing waits to be looked at.')}</Text>
            ) : (
              <Rows<ClaimedCredential>
                label={t('Credentials')}
                rows={claims}
                keyOf={(row) => row.id}
                columns={[
                  { head: t('Who'), cell: (row) => row.email ?? row.name },
                  { head: t('What it is'), cell: (row) => `${t(KINDS[row.kind])}: ${row.subject}` },
                  { head: t('Who issued it'), cell: (row) => row.issuer || '–' },
                  {
                    head: t('Document'),
                    cell: (row) =>
                      row.document_name ? (
                        <Anchor href={calls.documentUrl(row.id)}>{row.document_name}</Anchor>
                      ) : (
                        t('not handed in yet')
                      ),
                  },
                  { head: t('When'), cell: (row) => <Moment at={row.at} /> },
                  { head: t('Do'), quiet: true, cell: (row) => <Decision of={row} /> },
                ]}
              />
            )
          }
        </Asked>
        <Group gap={12}>
          <FileButton onChange={(file) => file && list.mutate(file)} accept=".csv,text/csv">
            {(props) => (
              <Button {...props} variant="default" loading={list.isPending}>
                {t('Take a list (CSV)')}
              </Button>
            )}
          </FileButton>
          {list.data && (
            <Text size="sm" role="status">
              {t('{count, plural, one {# line} other {# lines}} taken.', { count: list.data.lines })}
            </Text>
          )}
        </Group>
        <ProblemNote error={list.error} />
      </Stack>
    </Panel>
  );
}
