/** A requester's side of work that is reviewed before it is paid: accept, reject with evidence, answer appeals. */
import { Button, Checkbox, Group, SegmentedControl, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { appeals } from '../api/calls';
import type { Label, RejectedWork, Submission, SubmissionDetail } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, Empty, Moment, Page, Panel, ProblemNote } from '../ui/bits';
import { Confirm } from '../ui/confirm';
import { Steps } from '../ui/steps';
import { Rows } from '../ui/table';
import { Against, EVIDENCE, partName, WHY, WorkLook } from './submission_look';
import { NextBy, SubmissionState } from './submitted';

const KEY = ['submissions'];
type Shown = 'waiting' | 'appealed' | 'all';

export function Submissions() {
  const t = useT();
  const { money } = useFormat();
  const client = useQueryClient();
  const [shown, setShown] = useState<Shown>('waiting');
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const query = useQuery({
    queryKey: [...KEY, shown],
    queryFn: () =>
      appeals.ours({
        limit: 100,
        ...(shown === 'waiting' ? { state: 'waiting' } : shown === 'appealed' ? { appealed: 'true' } : {}),
      }),
  });
  const accept = useMutation({
    mutationFn: () => appeals.accept([...chosen]),
    onSuccess: () => {
      setChosen(new Set());
      void client.invalidateQueries({ queryKey: KEY });
    },
  });
  const toggle = (one: string) => {
    const next = new Set(chosen);
    if (!next.delete(one)) next.add(one);
    setChosen(next);
  };
  return (
    <Page
      title={t('Reviews before pay')}
      lead={t(
        'What you do not look at in time is accepted and paid by itself. What you reject is not yours, and its maker may appeal.',
      )}
      actions={
        <Button disabled={chosen.size === 0} loading={accept.isPending} onClick={() => accept.mutate()}>
          {t('Accept {count}', { count: chosen.size })}
        </Button>
      }
    >
      <SegmentedControl
        aria-label={t('Which')}
        value={shown}
        onChange={(value) => {
          setShown(value as Shown);
          setChosen(new Set());
        }}
        data={[
          { value: 'waiting', label: t('To look at') },
          { value: 'appealed', label: t('Appeals') },
          { value: 'all', label: t('All') },
        ]}
        style={{ alignSelf: 'flex-start' }}
      />
      <ProblemNote error={accept.error} />
      <Asked query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="eye" title={t('Nothing to look at')} action={<Link to="/projects">{t('Projects')}</Link>}>
              {t('Work of projects that review first stands here. Others pay on submit.')}
            </Empty>
          ) : (
            <Rows<Submission>
              label={t('Reviews before pay')}
              rows={items}
              keyOf={(row) => row.id}
              columns={[
                {
                  head: t('Choose'),
                  quiet: true,
                  cell: (row) =>
                    row.state === 'waiting' && (
                      <Checkbox aria-label={t('Choose')} checked={chosen.has(row.id)} onChange={() => toggle(row.id)} />
                    ),
                },
                { head: t('State'), cell: (row) => <SubmissionState of={row} /> },
                {
                  head: t('Project'),
                  cell: (row) => (
                    <Link to="/submissions/$submission" params={{ submission: row.id }}>
                      {row.project_name}
                    </Link>
                  ),
                },
                { head: t('Who'), cell: (row) => row.worker && <Chip tone="person">{row.worker}</Chip> },
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

function Reject({ of, onDone }: { of: SubmissionDetail; onDone: () => void }) {
  const t = useT();
  const [reason, setReason] = useState<RejectedWork['reason']>('wrong-class');
  const [evidence, setEvidence] = useState<RejectedWork['evidence']>('corrected');
  const [part, setPart] = useState<string | null>(null);
  const [place, setPlace] = useState('');
  const [note, setNote] = useState('');
  const [right, setRight] = useState(() => JSON.stringify(of.submission.label, null, 2));
  const [unreadable, setUnreadable] = useState(false);
  const reject = useMutation({
    mutationFn: (corrected: Label | null) =>
      appeals.reject(of.submission.id, {
        reason,
        place: place.trim(),
        ...(part === null ? {} : { part }),
        note: note.trim(),
        evidence,
        ...(corrected ? { corrected } : {}),
      }),
    onSuccess: onDone,
  });
  const send = () => {
    try {
      setUnreadable(false);
      reject.mutate(evidence === 'corrected' ? (JSON.parse(right) as Label) : null);
    } catch {
      setUnreadable(true);
    }
  };
  return (
    <Panel title={t('Reject')}>
      <Stack gap={12}>
        <Text size="sm">
          {t(
            'You do not get this label. Its maker reads why and may appeal for 14 days; a panel that you pay for its time decides if you stand by it.',
          )}
        </Text>
        <Group gap={12} grow preventGrowOverflow={false}>
          <Select
            label={t('Why')}
            data={WHY.map(([value, label]) => ({ value, label: t(label) }))}
            value={reason}
            allowDeselect={false}
            onChange={(value) => value && setReason(value as RejectedWork['reason'])}
          />
          <Select
            label={t('Evidence')}
            data={EVIDENCE.map(([value, label]) => ({ value, label: t(label) }))}
            value={evidence}
            allowDeselect={false}
            onChange={(value) => value && setEvidence(value as RejectedWork['evidence'])}
          />
        </Group>
        {of.parts.length > 0 && (
          <Select
            label={t('Part')}
            description={t('Where only one of the label’s parts is wrong. Its maker and a panel see which.')}
            placeholder={t('All of the label')}
            data={of.parts.map(({ name }) => ({ value: name, label: partName(of.parts, name) }))}
            value={part}
            clearable
            searchable
            onChange={setPart}
          />
        )}
        <TextInput
          label={t('Where')}
          description={t('What to look at: an object, a word, a moment.')}
          required
          maxLength={500}
          value={place}
          onChange={(event) => setPlace(event.currentTarget.value)}
        />
        <Textarea
          label={t('In your words')}
          autosize
          minRows={2}
          maxLength={2_000}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        {evidence === 'corrected' && (
          <Textarea
            label={t('The label as it should be')}
            description={t('As JSON: change what is wrong.')}
            error={unreadable ? t('This is no JSON.') : undefined}
            autosize
            minRows={4}
            maxRows={16}
            value={right}
            onChange={(event) => setRight(event.currentTarget.value)}
            styles={{ input: { fontFamily: 'ui-monospace, monospace', fontSize: 12 } }}
          />
        )}
        <ProblemNote error={reject.error} />
        <Group>
          <Button color="red" disabled={!place.trim()} loading={reject.isPending} onClick={send}>
            {t('Reject')}
          </Button>
        </Group>
      </Stack>
    </Panel>
  );
}

function Answer({ of, onDone }: { of: Submission; onDone: () => void }) {
  const t = useT();
  const [words, setWords] = useState('');
  const [standing, setStanding] = useState(false);
  const appeal = of.appeal;
  const back = useMutation({
    mutationFn: () => appeals.answer(appeal?.id ?? '', false, words.trim()),
    onSuccess: onDone,
  });
  if (!appeal) return null;
  return (
    <Panel title={t('Answer the appeal')}>
      <Stack gap={12}>
        <Text size="sm" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {appeal.words}
        </Text>
        <Textarea
          label={t('Your answer')}
          autosize
          minRows={2}
          maxLength={4_000}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <ProblemNote error={back.error} />
        <Group gap={8}>
          <Button loading={back.isPending} onClick={() => back.mutate()}>
            {t('Take the rejection back and pay')}
          </Button>
          <Button variant="default" onClick={() => setStanding(true)}>
            {t('Stand by it')}
          </Button>
        </Group>
      </Stack>
      {standing && (
        <Confirm
          title={t('Stand by the rejection?')}
          verb={t('Stand by it')}
          act={() => appeals.answer(appeal.id, true, words.trim())}
          onClose={() => setStanding(false)}
          onDone={onDone}
        >
          {t(
            'Three people who belong to neither side look at it. Their time is paid from the project’s budget, whoever is right.',
          )}
        </Confirm>
      )}
    </Panel>
  );
}

export function SubmissionPage() {
  const t = useT();
  const { money } = useFormat();
  const client = useQueryClient();
  const { submission: id } = useParams({ strict: false }) as { submission: string };
  const query = useQuery({ queryKey: [...KEY, id], queryFn: () => appeals.ourOne(id) });
  const again = () => void client.invalidateQueries({ queryKey: KEY });
  const accept = useMutation({ mutationFn: () => appeals.accept([id]), onSuccess: again });
  return (
    <Asked query={query}>
      {(detail) => {
        const one = detail.submission;
        return (
          <Page
            back={
              <Link to="/submissions" style={{ fontSize: 12 }}>
                {t('Reviews before pay')}
              </Link>
            }
            title={one.project_name}
            lead={
              <Group gap={12} component="span">
                <SubmissionState of={one} />
                {money(one.price_minor, one.currency)}
                {one.doubts > 0 && one.state === 'waiting' && (
                  <Chip tone="doubtful">{t('A first reviewer would reject it')}</Chip>
                )}
              </Group>
            }
            actions={
              one.state === 'waiting' && (
                <Button loading={accept.isPending} onClick={() => accept.mutate()}>
                  {t('Accept and pay')}
                </Button>
              )
            }
          >
            <ProblemNote error={accept.error} />
            <WorkLook item={detail.item} label={one.label} ontology={detail.ontology} />
            {one.appeal?.state === 'filed' && <Answer of={one} onDone={again} />}
            {one.rejection && (
              <Against why={one.rejection} parts={detail.parts} ontology={detail.ontology} item={detail.item} />
            )}
            <Panel title={t('What happened, and what comes next')}>
              <Steps steps={one.steps} />
            </Panel>
            {one.state === 'waiting' && <Reject of={detail} onDone={again} />}
          </Page>
        );
      }}
    </Asked>
  );
}
