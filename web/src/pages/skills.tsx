/** A contributor's skills: what they say of themselves, what somebody named has verified, what they showed in exams. */
import { Button, FileButton, Group, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { skills as calls } from '../api/calls';
import type { Attempt, Credential, Profile } from '../api/types';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Moment, Page, Panel, ProblemNote, type Tone } from '../ui/bits';
import { Rows } from '../ui/table';

const ATTEMPT: Record<Attempt['state'], [Tone, string]> = {
  open: ['person', msg('Under way')],
  passed: ['settled', msg('Passed')],
  failed: ['refused', msg('Not passed')],
  left: ['neutral', msg('Given back')],
};
const CREDENTIAL: Record<Credential['state'], [Tone, string]> = {
  claimed: ['person', msg('Waits to be verified')],
  verified: ['settled', msg('Verified')],
  refused: ['refused', msg('Not verified')],
  revoked: ['refused', msg('Revoked')],
};
export const KINDS: Record<Credential['kind'], string> = {
  degree: msg('Degree'),
  licence: msg('Licence'),
  certificate: msg('Certificate'),
  language: msg('Language'),
};

function ProfileForm({ profile }: { profile: Profile }) {
  const t = useT();
  const client = useQueryClient();
  const [languages, setLanguages] = useState(profile.languages);
  const [fields, setFields] = useState(profile.fields);
  const [country, setCountry] = useState(profile.country ?? '');
  const save = useMutation({
    mutationFn: () => calls.setProfile({ languages, fields, country: country.trim() || null }),
    onSuccess: (next) => {
      client.setQueryData(['profile'], next);
      void client.invalidateQueries({ queryKey: ['offers'] });
      void client.invalidateQueries({ queryKey: ['openings'] });
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap={12} maw={520}>
        <TagsInput
          label={t('Languages')}
          description={t('As codes, each followed by Enter: zh, en, pt-BR.')}
          value={languages}
          onChange={setLanguages}
          maxTags={20}
        />
        <TagsInput
          label={t('Fields you know about')}
          description={t('In your words, each followed by Enter: radiology, law, cooking.')}
          value={fields}
          onChange={setFields}
          maxTags={50}
        />
        <TextInput
          label={t('Country')}
          description={t('Two letters: DE, KE, VN.')}
          maxLength={2}
          maw={240}
          value={country}
          onChange={(event) => setCountry(event.currentTarget.value.toUpperCase())}
        />
        <Text size="xs" c="dimmed">
          {t('No organisation that you work for reads this. It decides what you are offered, and each offer says why.')}
        </Text>
        <ProblemNote error={save.error} />
        <Group gap={12}>
          <Button type="submit" loading={save.isPending}>
            {t('Save')}
          </Button>
          {save.isSuccess && (
            <Text size="sm" role="status">
              {t('Saved.')}
            </Text>
          )}
        </Group>
      </Stack>
    </form>
  );
}

function Claim() {
  const t = useT();
  const client = useQueryClient();
  const [kind, setKind] = useState<Credential['kind']>('degree');
  const [subject, setSubject] = useState('');
  const [issuer, setIssuer] = useState('');
  const [expires, setExpires] = useState('');
  const [file, setFile] = useState<File | null>(null);
  const claim = useMutation({
    mutationFn: async () => {
      const made = await calls.claim({ kind, subject, issuer, expires_on: expires || null });
      return file ? calls.handIn(made.id, file) : made;
    },
    onSuccess: () => {
      setSubject('');
      setIssuer('');
      setExpires('');
      setFile(null);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['credentials'] }),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        claim.mutate();
      }}
    >
      <Stack gap={12} maw={520}>
        <Group gap={12} grow>
          <Select
            label={t('What it is')}
            data={Object.entries(KINDS).map(([value, text]) => ({ value, label: t(text) }))}
            value={kind}
            allowDeselect={false}
            onChange={(next) => next && setKind(next as Credential['kind'])}
          />
          <TextInput
            label={t('In what')}
            placeholder={t('medicine')}
            required
            maxLength={100}
            value={subject}
            onChange={(event) => setSubject(event.currentTarget.value)}
          />
        </Group>
        <TextInput
          label={t('Who issued it')}
          maxLength={200}
          value={issuer}
          onChange={(event) => setIssuer(event.currentTarget.value)}
        />
        <TextInput
          type="date"
          label={t('Holds until')}
          description={t('Leave it empty where it does not run out.')}
          value={expires}
          onChange={(event) => setExpires(event.currentTarget.value)}
        />
        <Group gap={12}>
          <FileButton onChange={setFile} accept="application/pdf,image/png,image/jpeg">
            {(props) => (
              <Button {...props} variant="default">
                {t('Choose the document')}
              </Button>
            )}
          </FileButton>
          <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {file ? file.name : t('PDF, PNG or JPEG, at most 5 MB; kept under lock.')}
          </Text>
        </Group>
        <ProblemNote error={claim.error} />
        <Group>
          <Button type="submit" loading={claim.isPending} disabled={!subject.trim()}>
            {t('Hand it in')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Credentials() {
  const t = useT();
  const { date } = useFormat();
  const query = useQuery({ queryKey: ['credentials'], queryFn: calls.credentials });
  return (
    <Asked query={query}>
      {(credentials) =>
        credentials.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t('None yet. A credential counts once somebody named has looked at its document.')}
          </Text>
        ) : (
          <Rows<Credential>
            label={t('Credentials')}
            rows={credentials}
            keyOf={(row) => row.id}
            columns={[
              { head: t('What it is'), cell: (row) => `${t(KINDS[row.kind])}: ${row.subject}` },
              {
                head: t('State'),
                cell: (row) => (
                  <>
                    <Chip tone={CREDENTIAL[row.state][0]}>{t(CREDENTIAL[row.state][1])}</Chip>
                    {row.reason && (
                      <Text size="xs" c="dimmed">
                        {row.reason}
                      </Text>
                    )}
                  </>
                ),
              },
              { head: t('Verified by'), cell: (row) => row.verifier || '–' },
              {
                head: t('Holds until'),
                cell: (row) => (row.expires_on ? date(row.expires_on) : t('does not run out')),
              },
            ]}
          />
        )
      }
    </Asked>
  );
}

function Exams() {
  const t = useT();
  const { percent, date } = useFormat();
  const query = useQuery({ queryKey: ['attempts'], queryFn: calls.attempts });
  return (
    <Asked query={query}>
      {(attempts) =>
        attempts.length === 0 ? (
          <Text size="sm" c="dimmed">
            {t('None yet. Exams stand among the offers; each answer is paid, right or wrong.')}
          </Text>
        ) : (
          <Rows<Attempt>
            label={t('Exams')}
            rows={attempts}
            keyOf={(row) => row.id}
            columns={[
              {
                head: t('Skill'),
                cell: (row) => (
                  <Link to="/exams/$attempt" params={{ attempt: row.id }}>
                    {row.skill}
                  </Link>
                ),
              },
              {
                head: t('State'),
                cell: (row) => <Chip tone={ATTEMPT[row.state][0]}>{t(ATTEMPT[row.state][1])}</Chip>,
              },
              {
                head: t('Shown'),
                cell: (row) => (row.low === null ? '–' : t('{share} at least', { share: percent(row.low) })),
              },
              {
                head: t('When'),
                cell: (row) =>
                  row.expires_at ? t('holds until {date}', { date: date(row.expires_at) }) : <Moment at={row.at} />,
              },
            ]}
          />
        )
      }
    </Asked>
  );
}

export function Skills() {
  const t = useT();
  const profile = useQuery({ queryKey: ['profile'], queryFn: calls.profile });
  return (
    <Page
      title={t('Skills')}
      lead={t('What you say of yourself, what somebody named has checked, and what you showed in paid exams.')}
    >
      <Panel title={t('Exams')}>
        <Exams />
      </Panel>
      <Panel title={t('Profile')}>
        <Asked query={profile}>{(data) => <ProfileForm profile={data} />}</Asked>
      </Panel>
      <Panel title={t('Credentials')}>
        <Stack gap={16}>
          <Credentials />
          <Claim />
        </Stack>
      </Panel>
    </Page>
  );
}
