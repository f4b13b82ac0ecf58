import { Button, FileInput, Group, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { learning } from '../api/calls';
import { useSession } from '../api/session';
import type { LearnedModel, LearnedVersion } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Empty, Moment, Page, Panel, ProblemNote } from '../ui/bits';
import { Rows } from '../ui/table';

const MOST_CLASSES = 8;
const CARD = `{
  "classes": ["cat", "dog"],
  "features": {"provider": "image", "side_px": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
  "input": "input",
  "output": "logits",
  "gives": "logits",
  "licence": "Apache-2.0"
}`;

export function Models() {
  const t = useT();
  const { number } = useFormat();
  const { tenant } = useSession();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const manages = tenant?.role !== 'reviewer';
  const list = useQuery({ queryKey: ['models', tenant?.id], queryFn: () => learning.models() });
  const create = useMutation({
    mutationFn: () => learning.create(name.trim()),
    onSuccess: () => {
      setName('');
      return client.invalidateQueries({ queryKey: ['models'] });
    },
  });
  return (
    <Page
      title={t('Models')}
      lead={t('Fitted here on what people settled, or brought as ONNX files. No code of a model runs here.')}
    >
      <Stack gap={16}>
        <Asked query={list}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty icon="extremes" title={t('No model yet')}>
                {t('A project’s page fits one on what is settled there.')}
              </Empty>
            ) : (
              <Rows<LearnedModel>
                label={t('Models')}
                rows={items}
                keyOf={(row) => row.id}
                columns={[
                  {
                    head: t('Name'),
                    cell: (row) => (
                      <Link to="/models/$model" params={{ model: row.id }} style={{ fontWeight: 600 }}>
                        {row.name}
                      </Link>
                    ),
                  },
                  { head: t('Source'), cell: (row) => <SourceOf model={row} /> },
                  { head: t('Versions'), numeric: true, cell: (row) => number(row.versions) },
                  { head: t('Made'), cell: (row) => <Moment at={row.created_at} /> },
                ]}
              />
            )
          }
        </Asked>
        {manages && (
          <Panel title={t('Bring a model of your own')}>
            <form
              onSubmit={(event) => {
                event.preventDefault();
                create.mutate();
              }}
            >
              <Stack gap={12}>
                <TextInput
                  label={t('Name')}
                  description={t('Its versions, each an ONNX file with a card, are brought on its page.')}
                  value={name}
                  onChange={(event) => setName(event.currentTarget.value)}
                  maxLength={200}
                  required
                />
                <ProblemNote error={create.error} />
                <Group>
                  <Button type="submit" loading={create.isPending} disabled={!name.trim()}>
                    {t('Add')}
                  </Button>
                </Group>
              </Stack>
            </form>
          </Panel>
        )}
      </Stack>
    </Page>
  );
}

function SourceOf({ model }: { model: LearnedModel }) {
  const t = useT();
  return <Chip tone="model">{model.source === 'learner' ? t('fitted here') : t('brought')}</Chip>;
}

function Bring({ model }: { model: LearnedModel }) {
  const t = useT();
  const client = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [card, setCard] = useState(CARD);
  const bring = useMutation({
    mutationFn: (given: File) => learning.bring(model.id, card, given),
    onSuccess: () => {
      setFile(null);
      return client.invalidateQueries({
        predicate: ({ queryKey }) => ['models', 'model-versions'].includes(String(queryKey[0])),
      });
    },
  });
  return (
    <Panel title={t('Bring a version')}>
      <Stack gap={12}>
        <FileInput label={t('ONNX file')} accept=".onnx" value={file} onChange={setFile} clearable required />
        <Textarea
          label={t('Its card')}
          description={t(
            'Its classes as your projects name them, what it reads of an item, and the names of its tensors.',
          )}
          value={card}
          onChange={(event) => setCard(event.currentTarget.value)}
          autosize
          minRows={6}
          maxRows={16}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
          required
        />
        <ProblemNote error={bring.error} />
        <Group>
          <Button onClick={() => file && bring.mutate(file)} loading={bring.isPending} disabled={!file || !card.trim()}>
            {t('Bring it')}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

export function ModelPage() {
  const t = useT();
  const { number } = useFormat();
  const { tenant } = useSession();
  const { model: id } = useParams({ strict: false }) as { model: string };
  const model = useQuery({ queryKey: ['models', tenant?.id, id], queryFn: () => learning.model(id) });
  const versions = useQuery({ queryKey: ['model-versions', id], queryFn: () => learning.versions(id) });
  const manages = tenant?.role !== 'reviewer';
  return (
    <Asked query={model}>
      {(data) => (
        <Page
          back={
            <Link to="/models" style={{ fontSize: 12 }}>
              {t('Models')}
            </Link>
          }
          title={data.name}
          lead={<SourceOf model={data} />}
        >
          <Stack gap={16}>
            <Asked query={versions}>
              {({ items }) =>
                items.length === 0 ? (
                  <Empty icon="extremes" title={t('No version yet')}>
                    {data.source === 'onnx' ? t('Bring the first one below.') : t('Its first fit is not done yet.')}
                  </Empty>
                ) : (
                  <Rows<LearnedVersion>
                    label={t('Versions')}
                    rows={items}
                    keyOf={(row) => String(row.version)}
                    columns={[
                      { head: t('Version'), numeric: true, cell: (row) => number(row.version) },
                      { head: t('Reads'), cell: (row) => <code>{row.card.features.provider}</code> },
                      {
                        head: t('Classes'),
                        cell: (row) => (
                          <Text size="sm" maw={280} truncate title={row.card.classes.join(', ')}>
                            {row.card.classes.slice(0, MOST_CLASSES).join(', ')}
                            {row.card.classes.length > MOST_CLASSES ? ' …' : ''}
                          </Text>
                        ),
                      },
                      {
                        head: t('Learned from'),
                        cell: (row) => (
                          <Text size="sm" maw={280}>
                            {row.card.trained_on || '–'}
                          </Text>
                        ),
                      },
                      { head: 'SHA-256', cell: (row) => <code title={row.sha256}>{row.sha256.slice(0, 12)}</code> },
                      { head: t('Made'), cell: (row) => <Moment at={row.created_at} /> },
                      ...(manages
                        ? [
                            {
                              head: t('File'),
                              cell: (row: LearnedVersion) => (
                                <a href={learning.file(data.id, row.version)} download>
                                  {t('{size} kB', { size: number(Math.ceil(row.size_bytes / 1024)) })}
                                </a>
                              ),
                            },
                          ]
                        : []),
                    ]}
                  />
                )
              }
            </Asked>
            {manages && data.source === 'onnx' && <Bring model={data} />}
          </Stack>
        </Page>
      )}
    </Asked>
  );
}
