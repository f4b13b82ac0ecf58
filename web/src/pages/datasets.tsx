import { Button, Group, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { catalogue } from '../api/calls';
import { useSession } from '../api/session';
import type { Dataset } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Empty, Moment, Page, ProblemNote } from '../ui/bits';
import { Dialog } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { Rows } from '../ui/table';

function NewDataset({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [licence, setLicence] = useState('');
  const create = useMutation({
    mutationFn: () =>
      catalogue.createDataset({ name: name.trim(), ...(licence.trim() ? { licence: licence.trim() } : {}) }),
    onSuccess: (dataset) => {
      void client.invalidateQueries({ queryKey: ['datasets'] });
      void navigate({ to: '/datasets/$dataset', params: { dataset: dataset.id } });
    },
  });
  return (
    <Dialog opened={opened} onClose={onClose} title={t('New dataset')}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Stack gap={12}>
          <ProblemNote error={create.error} />
          <TextInput
            label={t('Name')}
            required
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <TextInput
            label={t('Licence')}
            description={t('Of the data itself, for example CC-BY-4.0.')}
            value={licence}
            onChange={(event) => setLicence(event.currentTarget.value)}
          />
          <Group justify="flex-end" gap={8}>
            <Button variant="default" onClick={onClose}>
              {t('Cancel')}
            </Button>
            <Button type="submit" loading={create.isPending}>
              {t('Create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

export function Datasets() {
  const t = useT();
  const { number } = useFormat();
  const { tenant } = useSession();
  const [creating, setCreating] = useState(false);
  const list = useQuery({ queryKey: ['datasets', tenant?.id], queryFn: () => catalogue.datasets({ limit: 100 }) });
  const button = (
    <Button leftSection={<Icon name="plus" />} onClick={() => setCreating(true)}>
      {t('New dataset')}
    </Button>
  );
  return (
    <Page
      title={t('Datasets')}
      lead={t('Raw data, imported once and used by any number of projects.')}
      actions={button}
    >
      <Asked query={list}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="cloud" title={t('No data yet')} action={button}>
              {t(
                'Import a zip, a manifest (JSONL, CSV or Parquet) or a list of addresses. What is refused is told row by row, and the rest goes on.',
              )}
            </Empty>
          ) : (
            <Rows<Dataset>
              label={t('Datasets')}
              rows={items}
              keyOf={(dataset) => dataset.id}
              columns={[
                {
                  head: t('Name'),
                  cell: (dataset) => (
                    <Link to="/datasets/$dataset" params={{ dataset: dataset.id }} style={{ fontWeight: 600 }}>
                      {dataset.name}
                    </Link>
                  ),
                },
                { head: t('Licence'), cell: (dataset) => dataset.licence ?? '–' },
                { head: t('Items'), numeric: true, cell: (dataset) => number(dataset.items) },
                { head: t('Begun'), cell: (dataset) => <Moment at={dataset.created_at} /> },
              ]}
            />
          )
        }
      </Asked>
      <NewDataset opened={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}
