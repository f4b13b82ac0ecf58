import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { session as calls } from '../api/calls';
import { useSession } from '../api/session';
import { useT } from '../i18n';
import { ProblemNote } from './bits';
import { PasswordField } from './credentials';
import { Dialog } from './dialog';

/** A new password for who is signed in. Every other session of theirs ends; this one goes on with what the server answers. */
export function ChangePassword({ onClose }: { onClose: () => void }) {
  const t = useT();
  const { enter } = useSession();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({ mutationFn: () => calls.changePassword(current, next), onSuccess: enter });
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
            <PasswordField label={t('Current password')} value={current} onChange={setCurrent} autoFocus />
            <PasswordField label={t('New password')} value={next} onChange={setNext} fresh />
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
