import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../../api/http';
import type { Assignment } from '../../api/types';
import { chooseValue } from '../actions/choose_value';
import { CHOICE } from '../testing';
import { memoryJournal, type OutboxEntry } from './journal';
import { WorkController, type WorkPorts } from './work_controller';

function page(id: string, tasks: number): Assignment {
  return {
    id,
    project: 'p',
    project_name: 'Animals',
    claimed_at: '2026-01-01T00:00:00Z',
    fence: 1,
    state: 'claimed',
    offer_version: 1,
    price_minor: 2,
    currency: 'EUR',
    stage: 0,
    does: 'draw',
    expires_at: '2026-01-01T00:00:00Z',
    kind: 'choice',
    training: false,
    ontology: CHOICE,
    guidelines: {},
    tasks: Array.from({ length: tasks }, (_, at) => ({
      task: `${id}-${at}`,
      position: at + 1,
      state: 'open' as const,
      item: { text: 'A sentence to judge.' },
      draft: null,
      draft_rev: 0,
    })),
  };
}

describe('a shift', () => {
  let waiting: Assignment[] = [];
  let claims = 0;
  let sent: OutboxEntry[] = [];
  let answer: (entry: OutboxEntry) => Promise<void> = async () => {};
  let journal = memoryJournal();

  const ports = (extra: Partial<WorkPorts> = {}): WorkPorts => ({
    journal,
    now_ms: () => 0,
    newKey: () => `key-${sent.length}-${Math.random()}`,
    openAssignments: async () => [],
    claim: async () => {
      claims += 1;
      return waiting.shift() ?? null;
    },
    heartbeat: async () => ({ expires_at: '2026-01-01T00:10:00Z' }),
    freshItem: async () => null,
    onReturn: () => () => {},
    saveDraft: async (_assignment, _task, { rev, writer }) => ({ rev, writer }),
    submit: async (entry) => {
      sent.push(structuredClone(entry));
      await answer(entry);
      return {
        paid_minor: 2 * entry.judgements.length,
        currency: 'EUR',
        judgements: entry.judgements.map(({ task }) => ({ task, judgement: task, paid_minor: 2 })),
        state: 'submitted',
        remaining: 0,
      };
    },
    giveBack: async () => {},
    preload: () => {},
    ...extra,
  });
  const start = async (extra: Partial<WorkPorts> = {}) => {
    const controller = new WorkController('p', ports(extra));
    await controller.start();
    return controller;
  };
  const label = (controller: WorkController) => {
    controller.snapshot().page?.current?.perform(chooseValue('cat', false));
    return controller.finishCurrent();
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);

  beforeEach(() => {
    vi.useFakeTimers();
    waiting = [];
    claims = 0;
    sent = [];
    answer = async () => {};
    journal = memoryJournal();
  });
  afterEach(() => void vi.useRealTimers());

  it('submits a finished page once and shows the next one', async () => {
    waiting = [page('a', 2), page('b', 2)];
    const controller = await start();
    label(controller);
    label(controller);
    await settle();
    expect(sent.map((entry) => entry.judgements.map(({ task }) => task))).toEqual([['a-0', 'a-1']]);
    expect(controller.snapshot().page?.assignment.id).toBe('b');
    expect(controller.snapshot()).toMatchObject({ phase: 'working', paid_minor: 4, submitted: 2 });
    controller.stop();
  });

  it('has the next page in hand before this one ends, so that it shows while the submission is under way', async () => {
    waiting = [page('a', 2), page('b', 2)];
    let finish = () => {};
    answer = () =>
      new Promise((resolve) => {
        finish = resolve;
      });
    const controller = await start();
    await settle();
    expect(claims).toBe(2);
    label(controller);
    label(controller);
    await settle();
    expect(controller.snapshot().page?.assignment.id).toBe('b');
    expect(controller.snapshot().paid_minor).toBe(0);
    finish();
    await settle();
    expect(controller.snapshot().paid_minor).toBe(4);
    controller.stop();
  });

  it('says that there is nothing more when a claim gives nothing', async () => {
    waiting = [page('a', 1)];
    const controller = await start();
    label(controller);
    await settle();
    await settle();
    expect(controller.snapshot().phase).toBe('empty');
    controller.stop();
  });

  it('takes up the page it held before', async () => {
    const controller = await start({ openAssignments: async () => [page('held', 4)] });
    expect(claims).toBe(0);
    expect(controller.snapshot().page?.assignment.id).toBe('held');
    controller.stop();
  });

  it('does not show a page again that is still on its way to the server', async () => {
    await journal.putOutbox({
      key: 'k',
      assignment: 'sent',
      fence: 1,
      judgements: [],
      created_at_ms: 0,
      state: 'waiting',
      problem: null,
    });
    answer = async () => {
      throw new Problem(0, { code: 'no-answer' });
    };
    waiting = [page('fresh', 4)];
    const controller = await start({ openAssignments: async () => [page('sent', 2)] });
    await settle();
    expect(controller.snapshot().page?.assignment.id).toBe('fresh');
    controller.stop();
  });

  it('says that expired work is kept, and goes on', async () => {
    waiting = [page('a', 1), page('b', 1)];
    answer = async () => {
      if (sent.length === 1) throw new Problem(409, { code: 'assignment-expired', detail: 'Expired.', kept: true });
    };
    const controller = await start();
    label(controller);
    await settle();
    await settle();
    expect(controller.snapshot().notice?.code).toBe('expired-kept');
    expect(controller.queue.state.parked).toEqual([]);
    expect(controller.snapshot().page?.assignment.id).toBe('b');
    controller.stop();
  });

  it('parks a refused page and goes on with the next', async () => {
    waiting = [page('a', 1), page('b', 1)];
    answer = async () => {
      if (sent.length === 1) throw new Problem(400, { code: 'invalid', detail: 'Not in the ontology.' });
    };
    const controller = await start();
    label(controller);
    await settle();
    await settle();
    expect(controller.snapshot().notice).toEqual({ code: 'refused', detail: 'Not in the ontology.' });
    expect(controller.queue.state.parked).toHaveLength(1);
    expect(controller.snapshot().page?.assignment.id).toBe('b');
    controller.stop();
  });

  it('submits what is done before it gives the rest back', async () => {
    waiting = [page('a', 5)];
    const given: string[] = [];
    const controller = await start({
      giveBack: async (assignment, reason) => void given.push(`${assignment.id} ${reason}`),
    });
    label(controller);
    await controller.giveBack('no-time', '');
    expect(sent.map((entry) => entry.judgements.length)).toEqual([1]);
    expect(given).toEqual(['a no-time']);
    controller.stop();
  });

  it('shows the problem when the first claim fails', async () => {
    const controller = await start({
      claim: async () => {
        throw new Problem(403, { code: 'forbidden', detail: 'This project is not for you.' });
      },
    });
    expect(controller.snapshot()).toMatchObject({ phase: 'failed' });
    expect(controller.snapshot().problem?.message).toBe('This project is not for you.');
    controller.stop();
  });

  it('shows what was right after a page of training, claims nothing before it was read, and then goes on', async () => {
    waiting = [{ ...page('t', 2), training: true }, page('b', 1)];
    const controller = new WorkController(
      'p',
      ports({
        submit: async (entry) => ({
          paid_minor: 4,
          currency: 'EUR',
          judgements: entry.judgements.map(({ task }, at) => ({
            task,
            judgement: task,
            paid_minor: 2,
            feedback: { right: at === 0, expected: { kind: 'choice' as const, values: ['cat'] } },
          })),
          state: 'submitted',
          remaining: 0,
          training: { tasks: 10, answered: 2, right: 1, counted: 10, needed: 8, passed: false },
        }),
      }),
    );
    await controller.start();
    for (const value of ['cat', 'dog']) {
      controller.snapshot().page?.current?.perform(chooseValue(value, false));
      controller.finishCurrent();
    }
    await vi.waitFor(() => expect(controller.snapshot().phase).toBe('lesson'));
    expect(claims).toBe(1);
    const { lesson } = controller.snapshot();
    expect(lesson?.answers.map(({ said, feedback }) => [said, feedback.right])).toEqual([
      [{ kind: 'choice', values: ['cat'] }, true],
      [{ kind: 'choice', values: ['dog'] }, false],
    ]);
    expect(lesson?.progress?.needed).toBe(8);
    await controller.readLesson();
    expect(controller.snapshot()).toMatchObject({ phase: 'working', lesson: null });
    expect(controller.snapshot().page?.assignment.id).toBe('b');
    controller.stop();
  });
});
