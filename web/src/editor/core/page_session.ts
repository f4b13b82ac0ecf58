/**
 * A page of tasks in one person's hands: which task is shown, what each label is, how long each took, and that
 * nothing of it is lost: every change goes to the journal at once and to the server soon after.
 */
import { Problem } from '../../api/http';
import type { Assignment, AssignmentTask, JudgementInput, Label } from '../../api/types';
import { openDocument } from './document';
import { openHistory } from './history';
import type { DraftEntry, Journal } from './journal';
import { LabelSession } from './label_session';
import { Stopwatch } from './stopwatch';

export interface PagePorts {
  readonly journal: Journal;
  readonly saveDraft: (task: string, label: Label, rev: number) => Promise<{ rev: number }>;
  readonly now_ms: () => number;
}

/** saved: acknowledged by the server. local: in this browser's journal, the server has yet to answer. */
export type Saving = 'saved' | 'saving' | 'local' | 'refused';

interface Slot {
  readonly task: AssignmentTask;
  readonly session: LabelSession;
  readonly watch: Stopwatch;
  ready: boolean;
  rev: number;
  saved_rev: number;
}

export interface PageSnapshot {
  readonly index: number;
  readonly ready: readonly boolean[];
  readonly saving: Saving;
  readonly version: number;
}

const DRAFT_DELAY_MS = 600;
const RETRY_MS = 5_000;

export class PageSession {
  readonly assignment: Assignment;
  readonly #ports: PagePorts;
  readonly #slots: Slot[];
  #index = 0;
  #saving: Saving = 'saved';
  #timer: ReturnType<typeof setTimeout> | null = null;
  #flushing: Promise<void> | null = null;
  #closed = false;
  #version = 0;
  #snapshot: PageSnapshot;
  readonly #listeners = new Set<() => void>();

  /** `drafts` is what the journal holds for this assignment; a newer one than the server's wins. */
  constructor(assignment: Assignment, drafts: readonly DraftEntry[], ports: PagePorts) {
    this.assignment = assignment;
    this.#ports = ports;
    const byTask = new Map(drafts.map((draft) => [draft.task, draft]));
    this.#slots = assignment.tasks
      .filter((task) => task.state === 'open')
      .sort((a, b) => a.position - b.position)
      .map((task) => this.#open(task, byTask.get(task.task)));
    const first = this.#slots.findIndex((slot) => !slot.ready);
    this.#index = first === -1 ? Math.max(0, this.#slots.length - 1) : first;
    this.#snapshot = this.#take();
    if (this.#slots.some((slot) => slot.rev > slot.saved_rev)) this.#schedule(0);
  }

  get size(): number {
    return this.#slots.length;
  }
  get current(): LabelSession | null {
    return this.#slots[this.#index]?.session ?? null;
  }
  get currentTask(): AssignmentTask | null {
    return this.#slots[this.#index]?.task ?? null;
  }
  get isFinished(): boolean {
    return this.#slots.every((slot) => slot.ready);
  }
  get undone(): number {
    return this.#slots.filter((slot) => !slot.ready).length;
  }
  taskAt(index: number): AssignmentTask | undefined {
    return this.#slots[index]?.task;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): PageSnapshot => this.#snapshot;

  /** Shows another task of the page; its clock runs, the others stand. */
  go(index: number): void {
    if (index < 0 || index >= this.#slots.length) return;
    const now_ms = this.#ports.now_ms();
    this.#slots[this.#index]?.watch.pause(now_ms);
    this.#index = index;
    this.#slots[index]?.watch.touch(now_ms);
    this.#publish();
  }

  /** The person is here and working; called on input and when the page is seen again. */
  touch(): void {
    this.#slots[this.#index]?.watch.touch(this.#ports.now_ms());
  }
  /** The page is hidden. */
  pause(): void {
    this.#slots[this.#index]?.watch.pause(this.#ports.now_ms());
  }

  /**
   * Declares the shown task done and shows the next one that is not. False, and nothing happens, while its label
   * has an error.
   */
  finishCurrent(): boolean {
    const slot = this.#slots[this.#index];
    if (!slot || slot.session.issues.some((issue) => issue.severity === 'error')) return false;
    slot.ready = true;
    slot.watch.pause(this.#ports.now_ms());
    // Accepting a pre-label unchanged is an answer too: it must be in the journal like any other.
    if (slot.rev === 0) slot.rev = 1;
    this.#keep(slot);
    const after = this.#slots.findIndex((other, at) => at > this.#index && !other.ready);
    const next = after !== -1 ? after : this.#slots.findIndex((other) => !other.ready);
    if (next !== -1) this.go(next);
    else this.#publish();
    return true;
  }

  /** What would be submitted now: every task declared done. */
  judgements(): JudgementInput[] {
    const now_ms = this.#ports.now_ms();
    return this.#slots
      .filter((slot) => slot.ready)
      .map((slot) => ({
        task: slot.task.task,
        label: slot.session.document.label,
        seconds: slot.watch.seconds(now_ms),
      }));
  }

  /** Sends what the server has not acknowledged; resolves when it is tried. */
  async flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushing ??= this.#send().finally(() => {
      this.#flushing = null;
    });
    await this.#flushing;
  }

  /** Stops saving: the page is submitted or given back. */
  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #open(task: AssignmentTask, draft: DraftEntry | undefined): Slot {
    const setting = { ontology: this.assignment.ontology, item: task.item };
    const useDraft = draft !== undefined && draft.rev >= task.draft_rev;
    const history = useDraft
      ? draft.history
      : openHistory(openDocument(setting.ontology, task.draft ?? task.pre_label ?? null));
    const slot: Slot = {
      task,
      session: new LabelSession(setting, history),
      watch: new Stopwatch(draft?.seconds ?? 0),
      ready: useDraft ? draft.ready : false,
      rev: useDraft ? draft.rev : task.draft_rev,
      saved_rev: useDraft ? Math.max(draft.saved_rev, task.draft_rev) : task.draft_rev,
    };
    let label = slot.session.document.label;
    slot.session.subscribe(() => {
      if (slot.session.document.label !== label) {
        label = slot.session.document.label;
        slot.rev += 1;
        slot.ready = false;
        this.#keep(slot);
      }
      this.touch();
      this.#publish();
    });
    return slot;
  }

  #keep(slot: Slot): void {
    if (this.#closed) return;
    void this.#journal(slot);
    this.#saving = 'saving';
    this.#schedule(DRAFT_DELAY_MS);
  }

  #journal(slot: Slot): Promise<void> {
    return this.#ports.journal.saveDraft({
      key: `${this.assignment.id}/${slot.task.task}`,
      assignment: this.assignment.id,
      task: slot.task.task,
      history: slot.session.history,
      rev: slot.rev,
      saved_rev: slot.saved_rev,
      seconds: slot.watch.seconds(this.#ports.now_ms()),
      ready: slot.ready,
      updated_at_ms: this.#ports.now_ms(),
    });
  }

  #schedule(delay_ms: number): void {
    if (this.#closed) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), delay_ms);
  }

  async #send(): Promise<void> {
    for (const slot of this.#slots) {
      if (this.#closed) return;
      if (slot.rev <= slot.saved_rev) continue;
      const rev = slot.rev;
      try {
        await this.#ports.saveDraft(slot.task.task, slot.session.document.label, rev);
        slot.saved_rev = Math.max(slot.saved_rev, rev);
        if (!this.#closed) await this.#journal(slot);
      } catch (error) {
        const transient = !(error instanceof Problem) || error.isTransient || error.status === 401;
        this.#saving = transient ? 'local' : 'refused';
        if (transient) this.#schedule(RETRY_MS);
        this.#publish();
        return;
      }
    }
    const behind = this.#slots.some((slot) => slot.rev > slot.saved_rev);
    this.#saving = behind ? 'saving' : 'saved';
    if (behind) this.#schedule(DRAFT_DELAY_MS);
    this.#publish();
  }

  #take(): PageSnapshot {
    return {
      index: this.#index,
      ready: this.#slots.map((slot) => slot.ready),
      saving: this.#saving,
      version: this.#version,
    };
  }

  #publish(): void {
    this.#version += 1;
    this.#snapshot = this.#take();
    for (const listener of this.#listeners) listener();
  }
}
