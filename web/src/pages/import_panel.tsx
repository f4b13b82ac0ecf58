import { Button, FileButton, Group, Progress, SegmentedControl, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { catalogue } from '../api/calls';
import type { ImportRun } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { ProblemNote } from '../ui/bits';
import { Icon } from '../ui/icons';

type Source = 'upload' | 'urls';

/** Starts an import from a file or a list of addresses. */
export function ImportPanel({ dataset, onStarted }: { dataset: string; onStarted?: (run: ImportRun) => void }) {
  const t = useT();
  const { percent } = useFormat();
  const client = useQueryClient();
  const [source, setSource] = useState<Source>('upload');
  const [addresses, setAddresses] = useState('');
  const [sent, setSent] = useState<number | null>(null);
  const urls = addresses.split(/\s+/).filter(Boolean);
  const done = (run: ImportRun) => {
    setSent(null);
    setAddresses('');
    void client.invalidateQueries({ queryKey: ['imports', dataset] });
    onStarted?.(run);
  };
  const send = useMutation({
    mutationFn: async (file: File) => {
      setSent(0);
      const { upload } = await catalogue.upload(dataset, file, setSent);
      return catalogue.startImport(dataset, { type: 'upload', upload });
    },
    onSuccess: done,
    onError: () => setSent(null),
  });
  const list = useMutation({
    mutationFn: () => catalogue.startImport(dataset, { type: 'urls', urls }),
    onSuccess: done,
  });
  return (
    <Stack gap={12}>
      <SegmentedControl
        aria-label={t('Where the data is')}
        size="xs"
        value={source}
        onChange={(value) => setSource(value as Source)}
        data={[
          { value: 'upload', label: t('A file here') },
          { value: 'urls', label: t('Addresses') },
        ]}
        style={{ alignSelf: 'flex-start' }}
      />
      <ProblemNote error={source === 'upload' ? send.error : list.error} />
      {source === 'upload' ? (
        <>
          <Text size="sm">
            {t(
              'A zip of images or texts, one image, or a manifest: JSONL, CSV or Parquet with ref, and url or text, on each row.',
            )}
          </Text>
          <Group gap={12}>
            <FileButton onChange={(file) => file && send.mutate(file)} accept=".zip,.jsonl,.csv,.parquet,image/*,.txt">
              {(props) => (
                <Button {...props} leftSection={<Icon name="upload" />} loading={send.isPending && sent === null}>
                  {t('Choose a file')}
                </Button>
              )}
            </FileButton>
            {sent !== null && (
              <Group gap={8} role="status">
                <Progress value={sent * 100} w={160} size="sm" aria-label={t('Uploaded')} />
                <Text size="xs">{percent(sent, 0)}</Text>
              </Group>
            )}
          </Group>
        </>
      ) : (
        <>
          <Textarea
            label={t('One address a line')}
            placeholder="https://…"
            autosize
            minRows={4}
            maxRows={12}
            value={addresses}
            onChange={(event) => setAddresses(event.currentTarget.value)}
          />
          <Group>
            <Button onClick={() => list.mutate()} disabled={urls.length === 0} loading={list.isPending}>
              {t('Import {count, plural, one {# address} other {# addresses}}', { count: urls.length })}
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}
