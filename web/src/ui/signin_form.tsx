import { Button, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { session as calls } from '../api/calls';
import type { Session } from '../api/types';
import { useT } from '../i18n';
import { ProblemNote } from './bits';
import { EmailField, PasswordField } from './credentials';

export function SignInForm({
  known = '',
  onEntered,
  children,
}: {
  /** The address of whoever was signed in here. */
  known?: string;
  onEntered: (session: Session) => void;
  children?: ReactNode;
}) {
  const t = useT();
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState('');
  const signIn = useMutation({ mutationFn: () => calls.signIn(email.trim(), password), onSuccess: onEntered });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        signIn.mutate();
      }}
    >
      <Stack gap={12}>
        <ProblemNote error={signIn.error} />
        <EmailField value={email} onChange={setEmail} autoFocus={known === ''} />
        <PasswordField value={password} onChange={setPassword} autoFocus={known !== ''} />
        <Button type="submit" loading={signIn.isPending} fullWidth>
          {t('Sign in')}
        </Button>
        {children}
      </Stack>
    </form>
  );
}
