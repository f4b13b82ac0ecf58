/** Appeals that somebody may decide, and the case that they sit on: not whose it is, nor of which organisation. */
import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { appeals } from '../api/calls';
import type { Case, Hearing, Label } from '../api/types';
import { modelOf } from '../editor/kinds/models';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Empty, Moment, Page, Panel, ProblemNote } from '../ui/bits';
import { Markdown } from '../ui/markdown';
import { Rows } from '../ui/table';
import { Against, WHY, WorkLook } from './submission_look';

export function PanelCases() {
  const t = useT();
  const { money } = useFormat();
  const navigate = useNavigate();
  const query = useQuery({ queryKey: ['panel'], queryFn: appeals.cases });
  const sit = useMutation({
    mutationFn: (one: Case) => appeals.sit(one.id),
    onSuccess: (_, one) => void navigate({ to: '/panel/$hearing', params: { hearing: one.id } }),
  });
  return (
    <Page
      title={t('Appeals to decide')}
      lead={t(
        'Somebody says that their work was rejected wrongly. You see the case, not the people; your time is paid, however you decide.',
      )}
    >
      <ProblemNote error={sit.error} />
      <Asked query={query}>
        {(cases) =>
          cases.length === 0 ? (
            <Empty icon="flag" title={t('No appeal waits for you')}>
              {t(
                'When one does, it stands here. You are never asked about your own work, nor about an organisation that you belong to.',
              )}
            </Empty>
          ) : (
            <Rows<Case>
              label={t('Appeals to decide')}
              rows={cases}
              keyOf={(row) => row.id}
              columns={[
                { head: t('Kind'), cell: (row) => t(modelOf(row.kind as Label['kind']).title) },
                {
                  head: t('Rejected for'),
                  cell: (row) => t(WHY.find(([value]) => value === row.reason)?.[1] ?? row.reason),
                },
                { head: t('Until'), cell: (row) => <Moment at={row.panel_by} /> },
                {
                  head: t('Pays at most'),
                  numeric: true,
                  cell: (row) => money(row.pays_minor, row.currency),
                },
                {
                  head: t('Do'),
                  quiet: true,
                  cell: (row) =>
                    row.voted ? (
                      <Chip tone="settled">{t('Voted')}</Chip>
                    ) : (
                      <Button size="compact-sm" onClick={() => sit.mutate(row)} loading={sit.isPending}>
                        {row.mine ? t('Continue') : t('Take a seat')}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </Asked>
    </Page>
  );
}

function Vote({ of }: { of: Hearing }) {
  const t = useT();
  const { money } = useFormat();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [words, setWords] = useState('');
  const vote = useMutation({
    mutationFn: (upheld: boolean) => appeals.vote(of.id, upheld, words.trim()),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['panel'] });
      void client.invalidateQueries({ queryKey: ['earnings'] });
    },
  });
  if (vote.data)
    return (
      <Panel title={t('Your vote is cast')}>
        <Text size="sm" mb={12}>
          {t('{sum} for your time is in your balance.', { sum: money(vote.data.paid_minor, vote.data.currency) })}
        </Text>
        <Button variant="default" onClick={() => void navigate({ to: '/panel' })}>
          {t('To the other appeals')}
        </Button>
      </Panel>
    );
  return (
    <Panel title={t('Your vote')}>
      <Stack gap={12}>
        <Text size="sm">
          {t('Is the rejection right, by the guidelines? Nobody sees how you vote before all is decided.')}
        </Text>
        <Textarea
          label={t('Why, in your words')}
          autosize
          minRows={2}
          maxLength={4_000}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <ProblemNote error={vote.error} />
        <Group gap={8}>
          <Button onClick={() => vote.mutate(false)} loading={vote.isPending}>
            {t('The work is right')}
          </Button>
          <Button variant="default" onClick={() => vote.mutate(true)} loading={vote.isPending}>
            {t('The rejection is right')}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

export function PanelCase() {
  const t = useT();
  const { money, localised } = useFormat();
  const { hearing: id } = useParams({ strict: false }) as { hearing: string };
  const query = useQuery({ queryKey: ['hearing', id], queryFn: () => appeals.hearing(id), staleTime: Infinity });
  return (
    <Asked query={query}>
      {(one) => {
        const guidelines = localised(one.guidelines);
        return (
          <Page
            back={
              <Link to="/panel" style={{ fontSize: 12 }}>
                {t('Appeals to decide')}
              </Link>
            }
            title={t('An appeal')}
            lead={t('Your time is paid from when you sat down, up to {sum}.', {
              sum: money(one.pays_minor, one.currency),
            })}
          >
            <WorkLook item={one.item} label={one.label} ontology={one.ontology} />
            <Against why={one} parts={one.parts} ontology={one.ontology} item={one.item} />
            <div className="cup-two">
              <Panel title={t('Whoever did the work says')}>
                <Text size="sm" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
                  {one.words}
                </Text>
              </Panel>
              <Panel title={t('The requester answers')}>
                <Text size="sm" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
                  {one.answer || '–'}
                </Text>
              </Panel>
            </div>
            {guidelines && (
              <Panel title={t('Guidelines')}>
                <Markdown source={guidelines} />
              </Panel>
            )}
            <Vote of={one} />
          </Page>
        );
      }}
    </Asked>
  );
}
