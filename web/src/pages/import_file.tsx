/** Sends a file, or several as a zip; they may also be dropped here, as may folders. */
import { Button, FileButton, Group, Progress, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Problem } from '../api/http';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { ProblemNote } from '../ui/bits';
import { Icon } from '../ui/icons';
import { archive, fitsArchive } from './archive';
import { type Dropped, filesOf, namedFiles } from './dropped';

/** What is sent: a file as it is, several as a zip. */
async function oneFile(files: readonly Dropped[]): Promise<File> {
  const [first] = files;
  if (first === undefined)
    throw new Problem(0, {
      code: 'dropped-nothing',
      detail: 'There is no file in what was dropped.',
      remedy: 'Drop files, or a folder that holds some.',
    });
  if (files.length === 1 && first.path === first.file.name) return first.file;
  if (!fitsArchive(files))
    throw new Problem(0, {
      code: 'dropped-too-much',
      detail: 'These are more than 65,535 files, or more than 4 GB.',
      remedy: 'Drop them folder by folder, or import them by the command line.',
    });
  return archive(files, 'dropped.zip');
}

interface Props<R> {
  accept: string;
  children: ReactNode;
  send: (file: File, onProgress: (fraction: number) => void) => Promise<R>;
  onDone: (result: R) => void;
}

export function FileForm<R>({ accept, children, send, onDone }: Props<R>) {
  const t = useT();
  const { percent } = useFormat();
  const [sent, setSent] = useState<number | null>(null);
  const [over, setOver] = useState(false);
  const sending = useMutation({
    mutationFn: async (chosen: Promise<Dropped[]> | Dropped[]) => {
      const file = await oneFile(await chosen);
      setSent(0);
      return send(file, setSent);
    },
    onSuccess: onDone,
    onSettled: () => setSent(null),
  });
  return (
    <Stack gap={12}>
      <Text size="sm">{children}</Text>
      <ProblemNote error={sending.error} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is the pointer's way; the button inside is everybody's. */}
      <div
        className="cup-drop"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          if (!sending.isPending) sending.mutate(filesOf(event.dataTransfer));
        }}
      >
        <FileButton
          multiple
          onChange={(files) => files.length > 0 && sending.mutate(namedFiles(files))}
          accept={accept}
        >
          {(props) => (
            <Button {...props} leftSection={<Icon name="upload" />} loading={sending.isPending && sent === null}>
              {t('Choose files')}
            </Button>
          )}
        </FileButton>
        {sent === null ? (
          <Text size="sm" c="dimmed">
            {t('or drop files or a folder here')}
          </Text>
        ) : (
          <Group gap={8} role="status">
            <Progress value={sent * 100} w={160} size="sm" aria-label={t('Uploaded')} />
            <Text size="xs">{sent < 1 ? percent(sent, 0) : t('Looking at it…')}</Text>
          </Group>
        )}
      </div>
    </Stack>
  );
}
