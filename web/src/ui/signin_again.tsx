/** The session ended while a page was open: sign in over it, and what it holds goes on as if nothing had been. */
import { Text } from '@mantine/core';
import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { door } from '../api/door';
import { useSession } from '../api/session';
import type { Session } from '../api/types';
import { useT } from '../i18n';
import { Dialog } from './dialog';
import { SignInForm } from './signin_form';

/** A task that somebody decides or audits is asked for once: anew it would open over a half-made answer. */
function isUnderWork(key: QueryKey): boolean {
  return ['decide', 'audit-next'].includes(String(key[0]));
}

export function SignInAgain() {
  const t = useT();
  const client = useQueryClient();
  const { session, enter, forget } = useSession();
  const isOut = useSyncExternalStore(door.subscribe, door.isOut);
  if (!session) return null;
  const entered = (next: Session) => {
    // Another person must never see, or send, what this one has on screen.
    if (next.person.id !== session.person.id) window.location.replace('/');
    else {
      enter(next);
      void client.invalidateQueries({
        predicate: ({ queryKey, state }) => !isUnderWork(queryKey) || state.error !== null,
      });
    }
  };
  return (
    <Dialog opened={isOut} onClose={forget} title={t('You are signed out')}>
      <Text size="sm" mb={12}>
        {t('Your session has ended. What is on this page is kept: sign in, and it goes on from here.')}
      </Text>
      <SignInForm known={session.person.email ?? ''} onEntered={entered} />
    </Dialog>
  );
}
