import { Alert, Button, Group, Loader, Select, Stack, Text, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Navigate, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { filesOfWork } from '../api/calls';
import { Problem } from '../api/http';
import { useSession } from '../api/session';
import type { Trouble } from '../api/trouble';
import type { ReturnReason } from '../api/types';
import type { OutboxEntry } from '../editor/core/journal';
import type { PageSession, Saving } from '../editor/core/page_session';
import { WorkController } from '../editor/core/work_controller';
import { Desk } from '../editor/Desk';
import { FilesHome } from '../editor/kinds/form/files';
import { modelOf } from '../editor/kinds/models';
import { msg, useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Chip, Empty, Heading, ProblemNote, type Tone } from '../ui/bits';
import { Dialog } from '../ui/dialog';
import { Icon, Mark } from '../ui/icons';
import { journalFor, workPorts } from './work_ports';
import { RejectDialog, StageChip, WhyRejected, whyRejected } from './work_reviewing';
import { LessonView } from './work_training';

const REASONS: readonly [ReturnReason, string][] = [
  ['unclear', msg('The guidelines do not say')],
  ['too-hard', msg('Too hard for me')],
  ['broken-item', msg('The item is broken')],
  ['sensitive', msg('I would rather not see this')],
  ['no-time', msg('No time')],
  ['other', msg('Another reason')],
];

const SAVING: Record<Saving, { tone: Tone; text: string }> = {
  saved: { tone: 'settled', text: msg('All saved') },
  saving: { tone: 'person', text: msg('Saving…') },
  absent: { tone: 'doubtful', text: msg('Kept in this browser; the server does not answer') },
  busy: { tone: 'doubtful', text: msg('Kept in this browser; the server cannot take it now') },
  'signed-out': { tone: 'doubtful', text: msg('Kept in this browser; sign in to go on') },
  fault: { tone: 'refused', text: msg('Kept in this browser; this page failed to send it') },
  refused: { tone: 'refused', text: msg('Kept in this browser; the server refused it') },
};

const SUBMITTING = { tone: 'person', text: msg('Submitting…') } as const;
const FOR_THE_SERVER = msg('{count, plural, one {# page waits} other {# pages wait}} for the server');
/** Why submitted pages are still here. */
const WAITING: Record<Trouble, { tone: Tone; text: string }> = {
  absent: { tone: 'doubtful', text: FOR_THE_SERVER },
  busy: { tone: 'doubtful', text: FOR_THE_SERVER },
  refused: { tone: 'doubtful', text: FOR_THE_SERVER },
  'signed-out': {
    tone: 'doubtful',
    text: msg('{count, plural, one {# page waits} other {# pages wait}} for you to sign in'),
  },
  fault: { tone: 'refused', text: msg('This page fails to send {count, plural, one {# page} other {# pages}}') },
};

function useController(project: string, stage: number): { controller: WorkController | null; durable: boolean } {
  const { session } = useSession();
  const client = useQueryClient();
  const person = session?.person.id;
  const [state, setState] = useState<{ controller: WorkController | null; durable: boolean }>({
    controller: null,
    durable: true,
  });
  useEffect(() => {
    if (!person) return;
    let controller: WorkController | null = null;
    let alive = true;
    void journalFor(person).then(({ journal, durable }) => {
      if (!alive) return;
      controller = new WorkController(project, workPorts(project, stage, journal));
      setState({ controller, durable });
      void controller.start();
    });
    return () => {
      alive = false;
      controller?.stop();
      void client.invalidateQueries({ queryKey: ['offers'] });
      void client.invalidateQueries({ queryKey: ['earnings'] });
    };
  }, [project, stage, person, client]);
  return state;
}

function exportParked(entries: readonly OutboxEntry[]): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(entries, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'cupola-unsent-work.json';
  link.click();
  URL.revokeObjectURL(url);
}

function Parked({ controller }: { controller: WorkController }) {
  const t = useT();
  const queue = useSyncExternalStore(controller.queue.subscribe, () => controller.queue.state);
  const [opened, setOpened] = useState(false);
  if (queue.parked.length === 0) {
    if (!queue.trouble && queue.waiting === 0) return null;
    const { tone, text } = queue.trouble ? WAITING[queue.trouble] : SUBMITTING;
    return <Chip tone={tone}>{t(text, { count: queue.waiting })}</Chip>;
  }
  return (
    <>
      <Button size="compact-xs" variant="default" onClick={() => setOpened(true)}>
        <Chip tone="refused">
          {t('{count, plural, one {# page was} other {# pages were}} refused', { count: queue.parked.length })}
        </Chip>
      </Button>
      <Dialog opened={opened} onClose={() => setOpened(false)} title={t('Work that the server refused')}>
        <Stack gap={12}>
          <Text size="sm">
            {t('It is kept in this browser. Try again, or save it as a file and send it to the requester.')}
          </Text>
          {queue.parked.map((entry) => (
            <div key={entry.key} className="cup-panel">
              <Text size="sm" fw={600}>
                {entry.problem?.detail}
              </Text>
              <Text size="sm">{entry.problem?.remedy}</Text>
              <Text size="xs" c="dimmed">
                {t('{count, plural, one {# judgement} other {# judgements}}', { count: entry.judgements.length })}
              </Text>
              <Group gap={8} mt={8}>
                <Button size="compact-sm" variant="default" onClick={() => void controller.queue.retry(entry.key)}>
                  {t('Try again')}
                </Button>
                <Button
                  size="compact-sm"
                  variant="subtle"
                  color="red"
                  onClick={() => void controller.queue.discard(entry.key)}
                >
                  {t('Discard')}
                </Button>
              </Group>
            </div>
          ))}
          <Button variant="default" leftSection={<Icon name="download" />} onClick={() => exportParked(queue.parked)}>
            {t('Save as a file')}
          </Button>
        </Stack>
      </Dialog>
    </>
  );
}

function GiveBack({
  opened,
  onClose,
  onGive,
}: {
  opened: boolean;
  onClose: () => void;
  onGive: (reason: ReturnReason, note: string) => void;
}) {
  const t = useT();
  const [reason, setReason] = useState<ReturnReason>('unclear');
  const [note, setNote] = useState('');
  return (
    <Dialog opened={opened} onClose={onClose} title={t('Give the page back')}>
      <Stack gap={12}>
        <Text size="sm">
          {t('What you have marked as done is submitted and paid first. The rest goes to someone else.')}
        </Text>
        <Select
          label={t('Why')}
          data={REASONS.map(([value, label]) => ({ value, label: t(label) }))}
          value={reason}
          allowDeselect={false}
          onChange={(value) => value && setReason(value as ReturnReason)}
        />
        <Textarea
          label={t('A note for the requester')}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          autosize
          minRows={2}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('Keep working')}
          </Button>
          <Button onClick={() => onGive(reason, note)}>{t('Give back')}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

function PageDots({ page }: { page: PageSession }) {
  const t = useT();
  const { index, ready } = useSyncExternalStore(page.subscribe, page.snapshot);
  return (
    <>
      <span className="cup-dots-short">{t('{number} of {count}', { number: index + 1, count: ready.length })}</span>
      <nav className="cup-dots" aria-label={t('Tasks of this page')}>
        {ready.map((done, at) => (
          <button
            key={page.taskAt(at)?.task ?? at}
            type="button"
            data-ready={done}
            aria-current={at === index}
            aria-label={done ? t('Task {number}, done', { number: at + 1 }) : t('Task {number}', { number: at + 1 })}
            onClick={() => page.go(at)}
          />
        ))}
      </nav>
    </>
  );
}

function Working({ controller, page, durable }: { controller: WorkController; page: PageSession; durable: boolean }) {
  const t = useT();
  const { money, clock } = useFormat();
  const navigate = useNavigate();
  const shift = useSyncExternalStore(controller.subscribe, controller.snapshot);
  const state = useSyncExternalStore(page.subscribe, page.snapshot);
  const [giving, setGiving] = useState(false);
  const [rejecting, setRejecting] = useState(false);
  const session = page.current;

  useEffect(() => {
    const seen = () => (document.hidden ? page.pause() : page.touch());
    const active = () => page.touch();
    const leaving = (event: BeforeUnloadEvent) => {
      // The journal has it all; ask only when there is no journal to come back to.
      if (!durable && page.snapshot().saving !== 'saved') event.preventDefault();
    };
    document.addEventListener('visibilitychange', seen);
    window.addEventListener('pointerdown', active);
    window.addEventListener('keydown', active);
    window.addEventListener('beforeunload', leaving);
    return () => {
      document.removeEventListener('visibilitychange', seen);
      window.removeEventListener('pointerdown', active);
      window.removeEventListener('keydown', active);
      window.removeEventListener('beforeunload', leaving);
    };
  }, [page, durable]);

  const { assignment } = page;
  const task = page.currentTask?.task;
  const files = useMemo(() => (task ? filesOfWork(assignment.id, task) : null), [assignment.id, task]);

  if (!session) return null;
  const last = page.undone <= 1;
  const saving = SAVING[state.saving];
  const reviews = assignment.does === 'review';
  return (
    <FilesHome value={files}>
      <Desk
        key={task}
        session={session}
        guidelines={assignment.guidelines}
        keysEnabled={!giving && !rejecting}
        finish={{
          title: last ? 'Done: submit the page' : 'Done: next item',
          run: () => controller.finishCurrent(),
          asks: page.isLastAndEmpty
            ? t('Every label of this page is empty. It is submitted as it is, for good.')
            : null,
        }}
        undoBeyond={
          state.index > 0 ? { title: 'Back to the previous item', run: () => page.go(state.index - 1) } : null
        }
        commands={[
          {
            command: 'previous-item',
            title: 'Previous item',
            keys: ['Alt+ArrowLeft'],
            disabledBecause: state.index > 0 ? null : 'This is the first item.',
            run: () => page.go(state.index - 1),
          },
          {
            command: 'next-item',
            title: 'Next item',
            keys: ['Alt+ArrowRight'],
            disabledBecause: state.index < page.size - 1 ? null : 'This is the last item.',
            run: () => page.go(state.index + 1),
          },
          {
            command: 'give-back',
            title: 'Give the page back',
            keys: ['Ctrl+Backspace'],
            disabledBecause: null,
            run: () => setGiving(true),
          },
          ...(reviews
            ? [
                {
                  command: 'reject',
                  title: 'Reject this label',
                  keys: ['Ctrl+Shift+Backspace'],
                  disabledBecause: null,
                  run: () => setRejecting(true),
                },
              ]
            : []),
        ].filter(
          (command) =>
            !modelOf(assignment.kind).takesAltArrows || !command.keys.some((key) => key.startsWith('Alt+Arrow')),
        )}
        bar={
          <>
            <Link to="/work" className="cup-wordmark" aria-label={t('Leave: back to the offers')}>
              <Mark size={20} />
              <Icon name="left" />
            </Link>
            {assignment.training && <Chip tone="model">{t('Training')}</Chip>}
            {assignment.exam && <Chip tone="model">{t('Exam')}</Chip>}
            <StageChip does={assignment.does} brief />
            {page.currentRejected && (
              <Chip tone="refused" title={whyRejected(t, page.currentRejected)}>
                {t('You reject it')}
              </Chip>
            )}
            <PageDots page={page} />
            <span role="status" style={{ display: 'flex', gap: 12 }}>
              <Chip tone={saving.tone}>{t(saving.text)}</Chip>
              {!durable && <Chip tone="doubtful">{t('This browser keeps nothing: do not close the page')}</Chip>}
            </span>
            <Parked controller={controller} />
          </>
        }
        foot={
          <Group justify="space-between" wrap="nowrap" gap={8}>
            <span>
              {t('{price} a judgement, paid on submit', { price: money(assignment.price_minor, assignment.currency) })}
              {shift.paid_minor > 0 && (
                <>
                  {' · '}
                  {t('{sum} this session', { sum: money(shift.paid_minor, shift.currency) })}
                </>
              )}
              {shift.expires_at && (
                <span style={{ display: 'block', color: 'var(--mantine-color-dimmed)' }}>
                  {t('Yours until {time}; being here extends it', { time: clock(shift.expires_at) })}
                </span>
              )}
            </span>
            <Group gap={8} wrap="nowrap" style={{ flex: 'none' }}>
              {reviews && (
                <Button size="compact-xs" variant="default" onClick={() => setRejecting(true)}>
                  {t('Reject')}
                </Button>
              )}
              <Button
                size="compact-xs"
                variant="subtle"
                color="gray"
                c="var(--mantine-color-text)"
                onClick={() => setGiving(true)}
              >
                {t('Give back')}
              </Button>
            </Group>
          </Group>
        }
        aside={
          <>
            {shift.problem && <ProblemNote error={shift.problem} />}
            {page.currentTask?.rejected && <WhyRejected rejected={page.currentTask.rejected} />}
            {shift.notice && (
              <Alert
                color={shift.notice.code === 'refused' ? 'red' : 'ember'}
                variant="outline"
                mb={12}
                withCloseButton
                closeButtonLabel={t('Close')}
                onClose={() => controller.dismissNotice()}
              >
                {shift.notice.code === 'expired-kept'
                  ? t('The last page ran out of time. Your work is kept and offered to you again first.')
                  : shift.notice.code === 'returned'
                    ? t('The page went back.')
                    : t('A page was refused: {detail}', { detail: shift.notice.detail })}
              </Alert>
            )}
          </>
        }
      />
      <RejectDialog
        opened={rejecting}
        onClose={() => setRejecting(false)}
        onReject={(rejected) => {
          setRejecting(false);
          controller.rejectCurrent(rejected);
        }}
      />
      <GiveBack
        opened={giving}
        onClose={() => setGiving(false)}
        onGive={(reason, note) => {
          setGiving(false);
          void controller.giveBack(reason, note).then(() => navigate({ to: '/work' }));
        }}
      />
    </FilesHome>
  );
}

function Shift({ controller, durable }: { controller: WorkController; durable: boolean }) {
  const t = useT();
  const { money } = useFormat();
  const shift = useSyncExternalStore(controller.subscribe, controller.snapshot);
  if (shift.page && shift.phase === 'working')
    return <Working controller={controller} page={shift.page} durable={durable} />;
  if (shift.lesson && shift.phase === 'lesson')
    return <LessonView lesson={shift.lesson} onRead={() => void controller.readLesson()} />;
  if (shift.examined) return <Navigate to="/exams/$attempt" params={{ attempt: shift.examined }} replace />;
  const first =
    shift.problem instanceof Problem && shift.problem.code === 'training-first' ? shift.problem.body.training : null;
  return (
    <main id="main" style={{ minHeight: '100dvh', display: 'grid', placeItems: 'center', padding: 24 }}>
      <Heading unseen>{t('Work')}</Heading>
      {shift.phase === 'loading' && (
        <Group gap={8} role="status">
          <Loader size="xs" />
          <Text>{t('Getting your next page…')}</Text>
          <Parked controller={controller} />
        </Group>
      )}
      {shift.phase === 'empty' && (
        <Empty
          icon="check"
          title={t('Nothing more to do here for now')}
          action={<Link to="/work">{t('See other offers')}</Link>}
        >
          {shift.submitted > 0
            ? t('{count, plural, one {# judgement} other {# judgements}} this session, {sum} paid.', {
                count: shift.submitted,
                sum: money(shift.paid_minor, shift.currency),
              })
            : t('Every task you may take is taken or settled.')}
        </Empty>
      )}
      {shift.phase === 'failed' && (
        <Stack maw={520}>
          <ProblemNote error={shift.problem} onRetry={() => void controller.advance()} />
          {typeof first === 'string' && (
            <Button component={Link} to={`/work/${first}`}>
              {t('Begin the training')}
            </Button>
          )}
          <Link to="/work">{t('Back to the offers')}</Link>
        </Stack>
      )}
    </main>
  );
}

export function WorkDesk() {
  const { project } = useParams({ strict: false }) as { project: string };
  const { stage = 0 } = useSearch({ strict: false }) as { stage?: number };
  const { controller, durable } = useController(project, stage);
  // Another project is another shift, and so is another stage of it: from a project to its training, say.
  return controller ? <Shift key={`${project} ${stage}`} controller={controller} durable={durable} /> : null;
}
