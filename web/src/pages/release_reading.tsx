/** Reading the labels that an open audit drew: who does, judges none of them. */
import { Button, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { releases } from '../api/calls';
import { useSession } from '../api/session';
import type { Release } from '../api/types';
import { useT } from '../i18n';
import { Confirm } from '../ui/confirm';

export function Reading({ release }: { release: Release }) {
  const t = useT();
  const client = useQueryClient();
  const { tenant } = useSession();
  const [asked, setAsked] = useState(false);
  const [reads, setReads] = useState(false);
  if (tenant?.role === 'reviewer') return null;
  return (
    <div>
      <Text size="sm" c="dimmed" maw="72ch" role={reads ? 'status' : undefined}>
        {reads
          ? t('You read the labels of this release, and audit none of them.')
          : t(
              'Until the audit is closed, its labels are kept from everybody who may still audit. Whoever opens an export or the evidence, or reads the labels, audits none of this release.',
            )}
      </Text>
      {!reads && (
        <Button variant="default" size="xs" mt={8} onClick={() => setAsked(true)}>
          {t('Read the labels')}
        </Button>
      )}
      {asked && (
        <Confirm
          title={t('Read the labels of {name}?', { name: release.name })}
          verb={t('Read, and audit none of it')}
          act={() => releases.readLabels(release.id)}
          onClose={() => setAsked(false)}
          onDone={() => {
            setReads(true);
            // Tasks show their labels from now on, and the audit is no longer this reader's.
            void client.invalidateQueries();
          }}
        >
          {t('You see every label from now on, and judge no item of this audit. This cannot be taken back.')}
        </Confirm>
      )}
    </div>
  );
}
