import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useT } from '../i18n';
import { ProblemNote } from './bits';
import { Dialog } from './dialog';

/** Asks before what cannot be undone by the same button. A problem is shown here; the dialog closes when it is done. */
export function Confirm({
  title,
  verb,
  act,
  onClose,
  onDone,
  children,
}: {
  title: string;
  verb: string;
  act: () => Promise<unknown>;
  onClose: () => void;
  onDone: () => void;
  children: ReactNode;
}) {
  const t = useT();
  const turn = useMutation({
    mutationFn: act,
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  return (
    <Dialog opened onClose={onClose} title={title}>
      <Stack gap={16}>
        <Text>{children}</Text>
        <ProblemNote error={turn.error} />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose} data-autofocus>
            {t('Cancel')}
          </Button>
          <Button color="red" loading={turn.isPending} onClick={() => turn.mutate()}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
