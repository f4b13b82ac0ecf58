/**
 * Submissions leave in order, each under its own Idempotency-Key, so that sending one twice is sending it once.
 * No answer or server trouble: wait and try again. A refusal: parked, kept, shown, exportable.
 */

import { Problem } from '../../api/http';
import { type Trouble, troubleOf } from '../../api/trouble';
import type { SubmitResult } from '../../api/types';
import type { Journal, OutboxEntry } from './journal';

export type Send = (entry: OutboxEntry) => Promise<SubmitResult>;

export interface QueueState {
  readonly waiting: number;
  readonly parked: readonly OutboxEntry[];
  /** Why the last attempt did not get through; the next one is scheduled, or waits for the person to sign in. */
  readonly trouble: Trouble | null;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export class SubmitQueue {
  #entries: OutboxEntry[] = [];
  #running = false;
  #wait_ms = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #state: QueueState = { waiting: 0, parked: [], trouble: null };
  readonly #listeners = new Set<() => void>();
  readonly #journal: Journal;
  readonly #send: Send;
  readonly #onSubmitted: (entry: OutboxEntry, result: SubmitResult) => void;
  readonly #onParked: (entry: OutboxEntry) => void;

  constructor(
    journal: Journal,
    send: Send,
    hooks: {
      onSubmitted?: (entry: OutboxEntry, result: SubmitResult) => void;
      onParked?: (entry: OutboxEntry) => void;
    } = {},
  ) {
    this.#journal = journal;
    this.#send = send;
    this.#onSubmitted = hooks.onSubmitted ?? (() => {});
    this.#onParked = hooks.onParked ?? (() => {});
  }

  get state(): QueueState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Takes up what an earlier page left behind. */
  async resume(): Promise<void> {
    this.#entries = (await this.#journal.outbox()).sort((a, b) => a.created_at_ms - b.created_at_ms);
    this.#publish(null);
    void this.flush();
  }

  /** Durable before it returns; sent in the background. */
  async add(entry: OutboxEntry): Promise<void> {
    await this.#journal.putOutbox(entry);
    this.#entries.push(entry);
    this.#publish(this.#state.trouble);
    void this.flush();
  }

  /** Sends what waits, oldest first, until it is all gone or an answer fails to come. */
  async flush(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    if (this.#timer) clearTimeout(this.#timer);
    try {
      for (let entry = this.#next(); entry; entry = this.#next()) {
        if (!(await this.#attempt(entry))) break;
      }
    } finally {
      this.#running = false;
    }
  }

  /** Tries a parked submission again, after the person has read why it was refused. */
  async retry(key: string): Promise<void> {
    const entry = this.#entries.find((candidate) => candidate.key === key);
    if (!entry) return;
    Object.assign(entry, { state: 'waiting', problem: null });
    await this.#journal.putOutbox(entry);
    this.#publish(null);
    await this.flush();
  }

  /** Forgets a parked submission, on the person's word alone. */
  async discard(key: string): Promise<void> {
    await this.#journal.dropOutbox(key);
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    this.#publish(this.#state.trouble);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #next(): OutboxEntry | undefined {
    return this.#entries.find((entry) => entry.state === 'waiting');
  }

  async #attempt(entry: OutboxEntry): Promise<boolean> {
    try {
      const result = await this.#send(entry);
      await this.#journal.dropOutbox(entry.key);
      this.#entries = this.#entries.filter((other) => other.key !== entry.key);
      this.#wait_ms = FIRST_WAIT_MS;
      this.#publish(null);
      this.#onSubmitted(entry, result);
      return true;
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'refused' && error instanceof Problem) {
        entry.state = 'parked';
        entry.problem = { code: error.code, detail: error.detail, remedy: error.remedy };
        await this.#journal.putOutbox(entry);
        this.#publish(null);
        this.#onParked(entry);
        return true;
      }
      // Whoever is signed out has to act first: `flush` is called when they are back.
      if (trouble !== 'signed-out') {
        this.#timer = setTimeout(() => void this.flush(), this.#wait_ms);
        this.#wait_ms = Math.min(this.#wait_ms * 2, LONGEST_WAIT_MS);
      }
      this.#publish(trouble);
      return false;
    }
  }

  #publish(trouble: Trouble | null): void {
    this.#state = {
      waiting: this.#entries.filter((entry) => entry.state === 'waiting').length,
      parked: this.#entries.filter((entry) => entry.state === 'parked'),
      trouble,
    };
    for (const listener of this.#listeners) listener();
  }
}
