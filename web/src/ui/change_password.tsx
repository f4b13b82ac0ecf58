import { Button, Group, PasswordInput, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { session as calls } from '../api/calls';
import { useSession } from '../api/session';
import { useT } from '../i18n';
import { ProblemNote } from './bits';
import { Dialog } from './dialog';

const LEAST_CHARS = 10;

/** A new password for who is signed in. Every other session of theirs ends; this one goes on with what the server answers. */
export function ChangePassword({ onClose }: { onClose: () => void }) {
  const t = useT();
  const { enter } = useSession();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({ mutationFn: () => calls.changePassword(current, next), onSuccess: enter });
  const visibilityToggleButtonProps = { 'aria-label': t('Show or hide the password') };
  return (
    <Dialog opened onClose={onClose} title={t('Change password')}>
      {change.isSuccess ? (
        <Stack gap={16}>
          <Text role="status">{t('The password is changed. You were signed out everywhere else.')}</Text>
          <Group justify="flex-end">
            <Button onClick={onClose}>{t('Close')}</Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            change.mutate();
          }}
        >
          <Stack gap={12}>
            <ProblemNote error={change.error} />
            <PasswordInput
              label={t('Current password')}
              autoComplete="current-password"
              required
              data-autofocus
              value={current}
              onChange={(event) => setCurrent(event.currentTarget.value)}
              visibilityToggleButtonProps={visibilityToggleButtonProps}
            />
            <PasswordInput
              label={t('New password')}
              description={t('At least 10 characters.')}
              autoComplete="new-password"
              required
              minLength={LEAST_CHARS}
              value={next}
              onChange={(event) => setNext(event.currentTarget.value)}
              visibilityToggleButtonProps={visibilityToggleButtonProps}
            />
            <Text size="xs" c="dimmed">
              {t('You stay signed in here and are signed out everywhere else.')}
            </Text>
            <Group justify="flex-end" gap={8}>
              <Button variant="default" onClick={onClose}>
                {t('Cancel')}
              </Button>
              <Button type="submit" loading={change.isPending}>
                {t('Change password')}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Dialog>
  );
}
