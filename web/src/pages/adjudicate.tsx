import { Button, Divider, Stack, Textarea, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { review } from '../api/calls';
import type { Label, TaskDetail } from '../api/types';
import { Desk } from '../editor/Desk';
import { KINDS } from '../editor/kinds';
import { isEmpty, modelOf } from '../editor/kinds/models';
import { useDocument } from '../editor/kinds/use_label';
import { useKeptLabel } from '../editor/use_kept_label';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, Chip, ProblemNote } from '../ui/bits';
import { Icon, Mark } from '../ui/icons';

function DecideDesk({ task }: { task: TaskDetail }) {
  const { ontology, guidelines } = task;
  const t = useT();
  const { duration, percent } = useFormat();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { queue } = useSearch({ strict: false }) as { queue?: 'guideline' };
  const [note, setNote] = useState('');
  const { session, forget } = useKeptLabel(
    `decide.${task.id}`,
    ontology,
    task.item,
    async () => (await review.task(task.id)).item,
  );
  const { View } = KINDS[ontology.kind];
  const { isDrawn, isWide } = modelOf(ontology.kind);
  const decide = useMutation({
    mutationFn: (verdict: { label: Label } | { undecidable: true }) =>
      review.decide(task.id, { ...verdict, ...(note.trim() ? { note: note.trim() } : {}) }),
    onSuccess: async () => {
      forget();
      await client.invalidateQueries({
        predicate: ({ queryKey }) =>
          ['doubtful', 'project', 'tasks', 'task', 'guideline-queue'].includes(String(queryKey[0])),
      });
      if (queue === 'guideline' && task.project) {
        await navigate({ to: '/projects/$project/guideline', params: { project: task.project } });
        return;
      }
      const rest = await review.doubtful({ limit: 2, project: task.project });
      const next = rest.items.find((row) => row.task !== task.id);
      if (next) await navigate({ to: '/adjudication/$task', params: { task: next.task } });
      else await navigate({ to: '/adjudication' });
    },
  });
  const { label } = useDocument(session);
  const nothing = isEmpty(label) ? t('The label is empty. It is recorded as it is, for good.') : null;
  const adopt = (label: Label) => session.perform((document) => ({ ...document, label, selected: [] }));
  return (
    <Desk
      session={session}
      guidelines={guidelines}
      finish={{
        title: 'Settle with this label',
        run: () => decide.mutate({ label: session.document.label }),
        busy: decide.isPending,
        asks: nothing,
      }}
      bar={
        <>
          <Link to="/adjudication" className="cup-wordmark" aria-label={t('Back to the doubtful tasks')}>
            <Mark size={20} />
            <Icon name="left" />
          </Link>
          <span className="cup-ellipsis">{task.item.ref}</span>
          {task.confidence !== null && (
            <Chip tone="doubtful">{t('posterior {confidence}', { confidence: percent(task.confidence) })}</Chip>
          )}
        </>
      }
      aside={
        <Stack gap={8} mb={16}>
          <Title order={2}>{t('Judgements ({count})', { count: task.judgements.length })}</Title>
          {task.judgements.map((judgement) => {
            const who = <Chip tone="person">{judgement.worker}</Chip>;
            const use = (
              <Button size="compact-xs" variant="default" onClick={() => adopt(judgement.label)}>
                {t('Use this')}
              </Button>
            );
            const view = <View label={judgement.label} ontology={ontology} item={task.item} bare={!isDrawn} />;
            return (
              <article key={judgement.id} className="cup-panel" style={{ padding: '4px 8px' }}>
                <div className="cup-judgement">
                  {who}
                  {isWide ? <span /> : view}
                  <span style={{ fontSize: 12 }}>{duration(judgement.seconds)}</span>
                  {use}
                </div>
                {isWide && view}
              </article>
            );
          })}
          <Divider my={4} />
          <Title order={2}>{t('Your decision')}</Title>
        </Stack>
      }
      foot={
        <Stack gap={8}>
          <ProblemNote error={decide.error} />
          <Textarea
            size="xs"
            label={t('Note')}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            autosize
            maxRows={3}
          />
          <Button
            variant="default"
            size="xs"
            onClick={() => decide.mutate({ undecidable: true })}
            loading={decide.isPending}
          >
            {t('Nobody could decide this')}
          </Button>
        </Stack>
      }
    />
  );
}

export function Adjudicate() {
  const { task: id } = useParams({ strict: false }) as { task: string };
  // Fetched once for each visit: another refetch would open a new editor over a half-made decision.
  const query = useQuery({
    queryKey: ['decide', id],
    queryFn: () => review.task(id),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return <Asked query={query}>{(found) => <DecideDesk key={found.id} task={found} />}</Asked>;
}
