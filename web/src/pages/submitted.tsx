/** A contributor's work that is looked at before it is paid: what waits, what was rejected and why, and the appeal. */
import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { appeals } from '../api/calls';
import type { Submission } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Empty, Moment, Page, Panel, ProblemNote, type Tone } from '../ui/bits';
import { Steps } from '../ui/steps';
import { Rows } from '../ui/table';
import { Against, WorkLook } from './submission_look';

export function SubmissionState({ of }: { of: Submission }) {
  const t = useT();
  const heard = of.appeal && of.rejection?.upheld === null;
  const [tone, text]: [Tone, string] =
    of.state === 'accepted'
      ? ['settled', t('Paid')]
      : of.state === 'refused'
        ? ['refused', t('Refused')]
        : of.state === 'waiting'
          ? ['neutral', t('Waits for a look')]
          : heard
            ? ['person', t('Under appeal')]
            : ['doubtful', t('Rejected')];
  return <Chip tone={tone}>{text}</Chip>;
}

export function Submitted() {
  const t = useT();
  const { money } = useFormat();
  const query = useQuery({ queryKey: ['submitted'], queryFn: () => appeals.mine({ limit: 100 }) });
  return (
    <Page
      title={t('Reviewed work')}
      lead={t(
        'Some projects look at work before they pay it. What nobody looked at in time is paid by itself; what is rejected you may appeal against for 14 days.',
      )}
    >
      <Asked query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              icon="eye"
              title={t('Nothing of yours is reviewed')}
              action={<Link to="/work">{t('See the offers')}</Link>}
            >
              {t('An offer says whether its project reviews first. Most pay the moment you submit.')}
            </Empty>
          ) : (
            <Rows<Submission>
              label={t('Reviewed work')}
              rows={items}
              keyOf={(row) => row.id}
              columns={[
                { head: t('State'), cell: (row) => <SubmissionState of={row} /> },
                {
                  head: t('Project'),
                  cell: (row) => (
                    <Link to="/submitted/$submission" params={{ submission: row.id }}>
                      {row.project_name}
                    </Link>
                  ),
                },
                { head: t('Submitted'), cell: (row) => <Moment at={row.at} /> },
                { head: t('Next by'), cell: (row) => <NextBy of={row} /> },
                { head: t('Amount'), numeric: true, cell: (row) => money(row.price_minor, row.currency) },
              ]}
            />
          )
        }
      </Asked>
    </Page>
  );
}

export function NextBy({ of }: { of: Submission }) {
  const awaited = of.steps.find((step) => step.at === null);
  return awaited?.due_at ? <Moment at={awaited.due_at} /> : <>–</>;
}

function AppealForm({ of }: { of: Submission }) {
  const t = useT();
  const client = useQueryClient();
  const [words, setWords] = useState('');
  const appeal = useMutation({
    mutationFn: () => appeals.appeal(of.id, words.trim()),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['submitted'] });
      void client.invalidateQueries({ queryKey: ['earnings'] });
    },
  });
  return (
    <Panel title={t('Appeal')}>
      <Stack gap={12}>
        <Text size="sm">
          {t(
            'The requester has 72 hours to take the rejection back or to stand by it. If they stand by it, three people who belong to neither side look at your work without knowing whose it is, and two of them decide. Where anybody misses their deadline, you have won and are paid. An appeal costs you nothing.',
          )}
        </Text>
        <Textarea
          label={t('Why the rejection is wrong')}
          required
          autosize
          minRows={3}
          maxLength={4_000}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <ProblemNote error={appeal.error} />
        <Group>
          <Button disabled={!words.trim()} loading={appeal.isPending} onClick={() => appeal.mutate()}>
            {t('Appeal')}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

export function SubmittedOne() {
  const t = useT();
  const { money } = useFormat();
  const { submission: id } = useParams({ strict: false }) as { submission: string };
  const query = useQuery({ queryKey: ['submitted', id], queryFn: () => appeals.myOne(id) });
  return (
    <Asked query={query}>
      {({ submission: one, item, ontology, parts }) => (
        <Page
          back={
            <Link to="/submitted" style={{ fontSize: 12 }}>
              {t('Reviewed work')}
            </Link>
          }
          title={one.project_name}
          lead={
            <Group gap={12} component="span">
              <SubmissionState of={one} />
              {money(one.price_minor, one.currency)}
            </Group>
          }
        >
          <Panel title={t('What happened, and what comes next')}>
            <Steps steps={one.steps} />
          </Panel>
          {one.rejection && <Against why={one.rejection} parts={parts} ontology={ontology} item={item} />}
          {one.state === 'rejected' && !one.appeal && <AppealForm of={one} />}
          <WorkLook item={item} label={one.label} ontology={ontology} />
        </Page>
      )}
    </Asked>
  );
}
