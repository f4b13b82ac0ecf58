import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../../api/http';
import type { SubmitResult } from '../../api/types';
import { memoryJournal, type OutboxEntry } from './journal';
import { SubmitQueue } from './submit_queue';

const RESULT: SubmitResult = { paid_minor: 2, currency: 'EUR', judgements: [], state: 'submitted', remaining: 0 };
const entry = (key: string, created_at_ms = 0): OutboxEntry => ({
  key,
  assignment: `a-${key}`,
  fence: 1,
  judgements: [],
  created_at_ms,
  state: 'waiting',
  problem: null,
});
const offline = () => new Problem(0, { code: 'no-answer' });

describe('the submit queue', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('sends under the entry’s own key and forgets it when acknowledged', async () => {
    const journal = memoryJournal();
    const sent: string[] = [];
    const queue = new SubmitQueue(journal, async ({ key }) => {
      sent.push(key);
      return RESULT;
    });
    await queue.add(entry('k1'));
    await queue.flush();
    expect(sent).toEqual(['k1']);
    expect(await journal.outbox()).toEqual([]);
    expect(queue.state.waiting).toBe(0);
  });

  it('waits without an answer and sends the same key again', async () => {
    const journal = memoryJournal();
    const sent: string[] = [];
    let isUp = false;
    const queue = new SubmitQueue(journal, async ({ key }) => {
      sent.push(key);
      if (!isUp) throw offline();
      return RESULT;
    });
    await queue.add(entry('k1'));
    await vi.advanceTimersByTimeAsync(0);
    expect(queue.state).toMatchObject({ waiting: 1, trouble: 'absent' });
    expect(await journal.outbox()).toHaveLength(1);
    isUp = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual(['k1', 'k1']);
    expect(queue.state).toMatchObject({ waiting: 0, trouble: null });
  });

  it('waits longer each time, up to half a minute', async () => {
    let tries = 0;
    const queue = new SubmitQueue(memoryJournal(), async () => {
      tries += 1;
      throw offline();
    });
    await queue.add(entry('k1'));
    await vi.advanceTimersByTimeAsync(7_000);
    expect(tries).toBe(4);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(tries).toBeLessThan(12);
    queue.stop();
  });

  it('parks what the server refuses, keeps it, and goes on with the rest', async () => {
    const journal = memoryJournal();
    const parked: string[] = [];
    const queue = new SubmitQueue(
      journal,
      async ({ key }) => {
        if (key === 'bad')
          throw new Problem(400, { code: 'invalid', detail: 'No such label.', remedy: 'Choose again.' });
        return RESULT;
      },
      { onParked: ({ key }) => parked.push(key) },
    );
    await queue.add(entry('bad', 1));
    await queue.add(entry('good', 2));
    await vi.advanceTimersByTimeAsync(0);
    expect(parked).toEqual(['bad']);
    expect(queue.state.waiting).toBe(0);
    const [kept] = await journal.outbox();
    expect(kept).toMatchObject({ key: 'bad', state: 'parked', problem: { code: 'invalid', remedy: 'Choose again.' } });
  });

  it('keeps work while the session is signed out, since signing in again mends it', async () => {
    const queue = new SubmitQueue(memoryJournal(), async () => {
      throw new Problem(401, { code: 'unauthenticated' });
    });
    await queue.add(entry('k1'));
    await vi.advanceTimersByTimeAsync(0);
    expect(queue.state).toMatchObject({ waiting: 1, parked: [] });
    queue.stop();
  });

  it('takes up what an earlier page left, oldest first', async () => {
    const journal = memoryJournal();
    await journal.putOutbox(entry('young', 9));
    await journal.putOutbox(entry('old', 3));
    const sent: string[] = [];
    const queue = new SubmitQueue(journal, async ({ key }) => {
      sent.push(key);
      return RESULT;
    });
    await queue.resume();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['old', 'young']);
  });

  it('forgets a parked submission on the person’s word alone', async () => {
    const journal = memoryJournal();
    await journal.putOutbox({ ...entry('bad'), state: 'parked' });
    const queue = new SubmitQueue(journal, async () => RESULT);
    await queue.resume();
    expect(queue.state.parked).toHaveLength(1);
    await queue.discard('bad');
    expect(await journal.outbox()).toEqual([]);
  });
});
