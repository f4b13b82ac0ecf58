import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { session as calls } from '../api/calls';
import { homeOf, useSession } from '../api/session';
import type { Session } from '../api/types';
import { useT } from '../i18n';
import { Heading, ProblemNote } from '../ui/bits';
import { EmailField, PasswordField } from '../ui/credentials';
import { Mark } from '../ui/icons';
import { LanguageButton, SchemeButton } from '../ui/preferences';
import { SignInForm } from '../ui/signin_form';

function Door({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <main id="main" style={{ minHeight: '100dvh', display: 'grid', placeItems: 'center', padding: 16 }}>
      <div style={{ width: '100%', maxWidth: 380 }}>
        <Stack gap={16}>
          <Mark size={36} />
          <div>
            <Heading>{title}</Heading>
            <Text c="dimmed">{lead}</Text>
          </div>
          {children}
          <div style={{ display: 'flex', gap: 4, marginLeft: -8 }}>
            <LanguageButton />
            <SchemeButton />
          </div>
        </Stack>
      </div>
    </main>
  );
}

function useEnter(): (session: Session) => void {
  const { enter } = useSession();
  const navigate = useNavigate();
  return (next) => {
    enter(next);
    const wanted = new URLSearchParams(window.location.search).get('next');
    // Only a path of our own: anything else would make the sign-in page a springboard.
    if (wanted?.startsWith('/') && !wanted.startsWith('//')) void navigate({ href: wanted });
    else void navigate({ to: homeOf(next) });
  };
}

export function SignIn() {
  const t = useT();
  const enter = useEnter();
  return (
    <Door title={t('Sign in to Cupola')} lead={t('Raw data in, certified training data out, everyone paid.')}>
      <SignInForm onEntered={enter}>
        <Text size="xs" c="dimmed">
          {t('No account? Ask whoever runs this server for an invitation link.')}
        </Text>
      </SignInForm>
    </Door>
  );
}

/** First administrator and invited people choose a name and a password behind a one-time link. */
export function JoinByLink({ first }: { first: boolean }) {
  const t = useT();
  const enter = useEnter();
  const token = new URLSearchParams(window.location.search).get('token') ?? '';
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const join = useMutation({
    mutationFn: () =>
      (first ? calls.firstAdmin : calls.accept)({ token, name: name.trim(), email: email.trim(), password }),
    onSuccess: enter,
  });
  if (!token) {
    return (
      <Door title={t('This link is incomplete')} lead={t('Open the whole link you were given; it ends in a token.')}>
        <Anchor href="/signin">{t('Sign in instead')}</Anchor>
      </Door>
    );
  }
  return (
    <Door
      title={first ? t('Set up the first administrator') : t('Join Cupola')}
      lead={
        first
          ? t('This link works once. You will run this server: tenants, people, settings.')
          : t('You were invited. This link works once.')
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          join.mutate();
        }}
      >
        <Stack gap={12}>
          <ProblemNote error={join.error} />
          <TextInput
            label={t('Name')}
            name="name"
            autoComplete="name"
            required
            autoFocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <EmailField value={email} onChange={setEmail} />
          <PasswordField value={password} onChange={setPassword} fresh />
          <Button type="submit" loading={join.isPending} fullWidth>
            {t('Create the account')}
          </Button>
        </Stack>
      </form>
    </Door>
  );
}

export const FirstAdmin = () => <JoinByLink first />;
export const Join = () => <JoinByLink first={false} />;
