/**
 * A page of tasks in one person's hands: which task is shown, what each label is, how long each took, and that
 * nothing of it is lost: every change goes to the journal at once and to the server soon after.
 */
import { Problem } from '../../api/http';
import { type Trouble, troubleOf } from '../../api/trouble';
import type { Assignment, AssignmentTask, ItemView, JudgementInput, Label, Rejected } from '../../api/types';
import { isEmpty } from '../kinds/models';
import { openDocument } from './document';
import { type DraftChange, draftChange } from './draft_change';
import { openHistory } from './history';
import type { DraftEntry, Journal } from './journal';
import { LabelSession } from './label_session';
import { Stopwatch } from './stopwatch';

/** What of a draft is sent: all of it, or what has changed since the revision `base`. */
export type DraftSent = { readonly rev: number; readonly writer: string } & (
  | { readonly label: Label }
  | { readonly base: number; readonly change: DraftChange }
);
/** What the server holds then, and who sent it. */
export interface DraftHeld {
  readonly rev: number;
  readonly writer: string;
}

export interface PagePorts {
  readonly journal: Journal;
  readonly saveDraft: (task: string, draft: DraftSent) => Promise<DraftHeld>;
  /** Names this opened editor: a difference builds only on what it sent itself. */
  readonly writer: string;
  readonly now_ms: () => number;
  /** The task's item with addresses that live: those of the page may have died of old age. */
  readonly freshItem: (task: string) => Promise<ItemView | null>;
}

/** saved: acknowledged by the server. Any trouble: in this browser's journal, and not yet on the server for this reason. */
export type Saving = 'saved' | 'saving' | Trouble;

interface Slot {
  readonly task: AssignmentTask;
  readonly session: LabelSession;
  readonly watch: Stopwatch;
  ready: boolean;
  rejected: Rejected | null;
  rev: number;
  saved_rev: number;
  /** What the server has from this editor; a difference builds on it. */
  acknowledged: { readonly rev: number; readonly label: Label } | null;
}

export interface PageSnapshot {
  readonly index: number;
  readonly ready: readonly boolean[];
  readonly saving: Saving;
  readonly version: number;
}

/** The server's word for: what the difference builds on is not here. */
const BASE_MISSING = 'draft-base-missing';
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
  /** Changes on their way to the journal. */
  readonly #kept: DraftEntry[] = [];
  #writing: ReturnType<typeof setTimeout> | null = null;
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
  /** Why the shown label is not right, where its reviewer said so. */
  get currentRejected(): Rejected | null {
    return this.#slots[this.#index]?.rejected ?? null;
  }
  get isFinished(): boolean {
    return this.#slots.every((slot) => slot.ready);
  }
  get undone(): number {
    return this.#slots.filter((slot) => !slot.ready).length;
  }
  /** The shown task is the last to be finished, and nothing was said on the whole page. */
  get isLastAndEmpty(): boolean {
    return this.#slots.every((slot, at) => (slot.ready || at === this.#index) && isEmpty(slot.session.document.label));
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
  /** The page is hidden: it may never be seen again. */
  pause(): void {
    this.#write();
    this.#slots[this.#index]?.watch.pause(this.#ports.now_ms());
  }

  /**
   * Declares the shown task done and shows the next one that is not. False, and nothing happens, while its label
   * has an error.
   */
  finishCurrent(): boolean {
    const slot = this.#slots[this.#index];
    if (!slot?.session.isSound()) return false;
    this.#finish(slot, null);
    return true;
  }

  /** Of a review: declares the shown task done by saying why its label, as it came, is not right. */
  rejectCurrent(rejected: Rejected): void {
    const slot = this.#slots[this.#index];
    if (slot) this.#finish(slot, rejected);
  }

  #finish(slot: Slot, rejected: Rejected | null): void {
    slot.ready = true;
    slot.rejected = rejected;
    slot.watch.pause(this.#ports.now_ms());
    // Accepting a pre-label unchanged is an answer too: it must be in the journal like any other.
    if (slot.rev === 0) slot.rev = 1;
    this.#keep(slot);
    const after = this.#slots.findIndex((other, at) => at > this.#index && !other.ready);
    const next = after !== -1 ? after : this.#slots.findIndex((other) => !other.ready);
    if (next !== -1) this.go(next);
    else this.#publish();
  }

  /** What would be submitted now: every task declared done. */
  judgements(): JudgementInput[] {
    const now_ms = this.#ports.now_ms();
    return this.#slots
      .filter((slot) => slot.ready)
      .map((slot) => ({
        task: slot.task.task,
        ...(slot.rejected ? { reject: slot.rejected } : { label: slot.session.document.label }),
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
    this.#write();
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
      session: new LabelSession(setting, history, () => this.#ports.freshItem(task.task)),
      watch: new Stopwatch(draft?.seconds ?? 0),
      ready: useDraft ? draft.ready : false,
      rejected: useDraft ? (draft.rejected ?? null) : null,
      rev: useDraft ? draft.rev : task.draft_rev,
      saved_rev: useDraft ? Math.max(draft.saved_rev, task.draft_rev) : task.draft_rev,
      acknowledged: null,
    };
    let label = slot.session.document.label;
    slot.session.subscribe(() => {
      if (slot.session.document.label !== label) {
        label = slot.session.document.label;
        slot.rev += 1;
        slot.ready = false;
        slot.rejected = null;
        this.#keep(slot);
      }
      this.touch();
      this.#publish();
    });
    return slot;
  }

  #keep(slot: Slot): void {
    if (this.#closed) return;
    this.#kept.push(this.#entry(slot));
    // Finding and writing the difference is not done in the stroke of the key that made it, but right after.
    this.#writing ??= setTimeout(() => this.#write());
    this.#saving = 'saving';
    this.#schedule(DRAFT_DELAY_MS);
  }

  /** Hands what was kept to the journal, each change as one, in order. */
  #write(): void {
    if (this.#writing) clearTimeout(this.#writing);
    this.#writing = null;
    for (const entry of this.#kept.splice(0)) void this.#ports.journal.saveDraft(entry);
  }

  #entry(slot: Slot): DraftEntry {
    return {
      key: `${this.assignment.id}/${slot.task.task}`,
      assignment: this.assignment.id,
      task: slot.task.task,
      history: slot.session.history,
      rev: slot.rev,
      saved_rev: slot.saved_rev,
      seconds: slot.watch.seconds(this.#ports.now_ms()),
      ready: slot.ready,
      rejected: slot.rejected,
      updated_at_ms: this.#ports.now_ms(),
    };
  }

  #journal(slot: Slot): Promise<void> {
    this.#write();
    return this.#ports.journal.saveDraft(this.#entry(slot));
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
      try {
        await this.#save(slot);
        if (!this.#closed) await this.#journal(slot);
      } catch (error) {
        const trouble = troubleOf(error);
        this.#saving = trouble;
        // What is refused would be refused again; whoever is signed out has to act first, and `flush` comes after.
        if (trouble !== 'refused' && trouble !== 'signed-out') this.#schedule(RETRY_MS);
        this.#publish();
        return;
      }
    }
    const behind = this.#slots.some((slot) => slot.rev > slot.saved_rev);
    this.#saving = behind ? 'saving' : 'saved';
    if (behind) this.#schedule(DRAFT_DELAY_MS);
    this.#publish();
  }

  /** Sends what has changed since the last answer, or the whole where there was none or the server has another. */
  async #save(slot: Slot): Promise<void> {
    const { rev, acknowledged } = slot;
    const { label } = slot.session.document;
    const { writer } = this.#ports;
    const change = acknowledged && draftChange(acknowledged.label, label);
    const sent: DraftSent = change ? { rev, writer, base: acknowledged.rev, change } : { rev, writer, label };
    slot.acknowledged = null;
    let held: DraftHeld;
    try {
      held = await this.#ports.saveDraft(slot.task.task, sent);
    } catch (error) {
      if (change && error instanceof Problem && error.code === BASE_MISSING) return this.#save(slot);
      // The answer may be what was lost: the next difference builds on the last one that was heard.
      slot.acknowledged = acknowledged;
      throw error;
    }
    if (held.writer !== writer) {
      // Another editor of the same person is further on: these hands wrote last, so this comes after it.
      slot.rev = Math.max(slot.rev, held.rev) + 1;
      return;
    }
    slot.saved_rev = Math.max(slot.saved_rev, rev);
    slot.acknowledged = { rev, label };
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
