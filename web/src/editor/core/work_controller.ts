/**
 * The worker's shift on one project: claims pages, keeps the next one ready before this one ends, submits in the
 * background and says at every moment where things stand.
 */

import { Problem } from '../../api/http';
import { troubleOf } from '../../api/trouble';
import type {
  Assignment,
  AssignmentTask,
  Feedback,
  ItemView,
  JudgementInput,
  Label,
  Rejected,
  ReturnReason,
  SubmitResult,
  TrainingProgress,
} from '../../api/types';
import type { Journal, OutboxEntry } from './journal';
import { type DraftHeld, type DraftSent, PageSession } from './page_session';
import { splitPage } from './split_page';
import { SubmitQueue } from './submit_queue';

export interface WorkPorts {
  readonly journal: Journal;
  readonly now_ms: () => number;
  readonly newKey: () => string;
  readonly openAssignments: () => Promise<Assignment[]>;
  readonly claim: () => Promise<Assignment | null>;
  readonly heartbeat: (assignment: Assignment) => Promise<{ expires_at: string }>;
  readonly saveDraft: (assignment: Assignment, task: string, draft: DraftSent) => Promise<DraftHeld>;
  readonly freshItem: (assignment: Assignment, task: string) => Promise<ItemView | null>;
  readonly submit: (entry: OutboxEntry) => Promise<SubmitResult>;
  readonly giveBack: (assignment: Assignment, reason: ReturnReason, note: string) => Promise<void>;
  /** Calls back each time the person has signed in again; gives the way to stop that. */
  readonly onReturn: (listener: () => void) => () => void;
  /** Fetches and decodes what the page shows, so that the next item is there at once. */
  readonly preload: (assignment: Assignment) => void;
}

export type Phase = 'loading' | 'working' | 'lesson' | 'empty' | 'failed';

/** What a page of training taught: what was said of each item, and what is right. */
export interface Lesson {
  readonly assignment: Assignment;
  readonly answers: readonly { readonly task: AssignmentTask; readonly said: Label; readonly feedback: Feedback }[];
  readonly progress: TrainingProgress | null;
  readonly paid_minor: number;
}

export interface Notice {
  readonly code: 'expired-kept' | 'refused' | 'returned';
  readonly detail: string;
}

export interface WorkSnapshot {
  readonly phase: Phase;
  readonly page: PageSession | null;
  /** Shown before the next page, for as long as the person wants. */
  readonly lesson: Lesson | null;
  /** The attempt at an exam that has just ended: its result is what comes next. */
  readonly examined: string | null;
  readonly problem: Error | null;
  readonly notice: Notice | null;
  readonly expires_at: string | null;
  /** Acknowledged in this shift. */
  readonly paid_minor: number;
  readonly currency: string;
  readonly submitted: number;
}

const HEARTBEAT_MS = 30_000;
/** Claim the next page when this many tasks of the current one are left. */
const CLAIM_AHEAD = 3;

export class WorkController {
  readonly queue: SubmitQueue;
  readonly #ports: WorkPorts;
  readonly #project: string;
  readonly #writer: string;
  #next: Assignment | null = null;
  #claiming = false;
  #stopped = false;
  #heart: ReturnType<typeof setInterval> | null = null;
  #leaveDoor: (() => void) | null = null;
  /** Pages already handed to the queue; a claim may still name one until the server has its submission. */
  readonly #handed = new Set<string>();
  /** The page of training that was handed over last: its items are what the lesson is about. */
  #taught: Assignment | null = null;
  #snapshot: WorkSnapshot = {
    phase: 'loading',
    page: null,
    lesson: null,
    examined: null,
    problem: null,
    notice: null,
    expires_at: null,
    paid_minor: 0,
    currency: '',
    submitted: 0,
  };
  readonly #listeners = new Set<() => void>();

  constructor(project: string, ports: WorkPorts) {
    this.#project = project;
    this.#ports = ports;
    this.#writer = ports.newKey();
    this.queue = new SubmitQueue(ports.journal, (entry) => this.#submit(entry), {
      onSubmitted: (entry, result) => this.#submitted(entry, result),
      onParked: (entry) => this.#parked(entry),
    });
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): WorkSnapshot => this.#snapshot;

  async start(): Promise<void> {
    this.#stopped = false;
    this.#heart = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    this.#leaveDoor = this.#ports.onReturn(() => void this.#goOn());
    await this.#open();
  }

  async #open(): Promise<void> {
    try {
      await this.queue.resume();
      for (const entry of await this.#ports.journal.outbox()) this.#handed.add(entry.assignment);
      const open = (await this.#ports.openAssignments()).filter(
        (assignment) => assignment.project === this.#project && this.#isUsable(assignment),
      );
      const [first, second] = open;
      this.#next = second ?? null;
      if (first) await this.#show(first);
      else await this.advance();
    } catch (error) {
      this.#fail(error);
    }
  }

  stop(): void {
    this.#stopped = true;
    if (this.#heart) clearInterval(this.#heart);
    this.#leaveDoor?.();
    void this.#snapshot.page?.flush();
    this.#snapshot.page?.close();
    this.queue.stop();
    this.#listeners.clear();
  }

  /** The shown task is done. Shows the next one, and on the last submits the page. False while the label has errors. */
  finishCurrent(): boolean {
    const { page } = this.#snapshot;
    if (!page?.finishCurrent()) return false;
    this.#goOnWith(page);
    return true;
  }

  /** The label of the shown task is not right, and this is why. */
  rejectCurrent(rejected: Rejected): void {
    const { page } = this.#snapshot;
    if (!page) return;
    page.rejectCurrent(rejected);
    this.#goOnWith(page);
  }

  #goOnWith(page: PageSession): void {
    if (page.isFinished) void this.#submitPage(page);
    else if (page.undone <= CLAIM_AHEAD) void this.#claimAhead();
  }

  /** Gives the rest of the page back; what is done is submitted first. */
  async giveBack(reason: ReturnReason, note: string): Promise<void> {
    const { page } = this.#snapshot;
    if (!page) return;
    const { assignment } = page;
    const done = page.judgements();
    try {
      for (const entry of this.#entries(page, done)) this.#count(await this.#ports.submit(entry));
      await this.#ports.giveBack(assignment, reason, note);
      page.close();
      this.#handed.add(assignment.id);
      await this.#ports.journal.dropDrafts(assignment.id);
      this.#publish({ notice: { code: 'returned', detail: '' } });
      await this.advance();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Shows the page that waits, or claims one. */
  async advance(): Promise<void> {
    const waiting = this.#next;
    this.#next = null;
    if (waiting && this.#isUsable(waiting)) return this.#show(waiting);
    this.#publish({ phase: 'loading', page: null });
    try {
      const claimed = await this.#ports.claim();
      if (this.#stopped) return;
      if (!claimed || !this.#isUsable(claimed)) this.#publish({ phase: 'empty', page: null });
      else await this.#show(claimed);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The lesson was read: on to the next page. */
  async readLesson(): Promise<void> {
    this.#publish({ lesson: null });
    await this.advance();
  }

  /** The person was signed out and is back: what waited for that is sent, what failed for that is asked again. */
  async #goOn(): Promise<void> {
    void this.queue.flush();
    void this.#snapshot.page?.flush();
    if (this.#snapshot.phase === 'failed' && troubleOf(this.#snapshot.problem) === 'signed-out') {
      this.#publish({ phase: 'loading', problem: null });
      await this.#open();
    }
  }

  dismissNotice(): void {
    this.#publish({ notice: null });
  }

  async #submitPage(page: PageSession): Promise<void> {
    const entries = this.#entries(page, page.judgements());
    this.#handed.add(page.assignment.id);
    if (page.assignment.training) this.#taught = page.assignment;
    page.close();
    const hasNext = this.#next !== null;
    for (const entry of entries) await this.queue.add(entry);
    if (hasNext) {
      await this.advance();
      return;
    }
    // Without a page in hand the server must first take this one: until then a claim would name it again.
    this.#publish({ phase: 'loading', page: null });
    await this.queue.flush();
    for (const { key } of entries) await this.#untilSent(key);
    if (this.#stopped) return;
    if (this.#snapshot.lesson) this.#publish({ phase: 'lesson' });
    else if (!this.#snapshot.examined) await this.advance();
  }

  #untilSent(key: string): Promise<void> {
    return new Promise((resolve) => {
      const look = async () => {
        const waiting = (await this.#ports.journal.outbox()).some(
          (entry) => entry.key === key && entry.state === 'waiting',
        );
        if (waiting && !this.#stopped) return;
        leave();
        resolve();
      };
      const leave = this.queue.subscribe(() => void look());
      void look();
    });
  }

  /** What the page comes to, cut so that each part may be sent; a later part is made later, so they leave in order. */
  #entries(page: PageSession, judgements: JudgementInput[]): OutboxEntry[] {
    return splitPage(judgements).map((part, at) => ({
      key: this.#ports.newKey(),
      assignment: page.assignment.id,
      fence: page.assignment.fence,
      judgements: part,
      created_at_ms: this.#ports.now_ms() + at,
      state: 'waiting',
      problem: null,
    }));
  }

  async #submit(entry: OutboxEntry): Promise<SubmitResult> {
    try {
      return await this.#ports.submit(entry);
    } catch (error) {
      if (error instanceof Problem && error.code === 'assignment-expired' && error.body.kept === true) {
        // The server keeps the work as drafts and offers it back first: nothing to park here.
        this.#publish({ notice: { code: 'expired-kept', detail: error.detail } });
        return { paid_minor: 0, currency: '', judgements: [], state: 'expired', remaining: entry.judgements.length };
      }
      throw error;
    }
  }

  #submitted(entry: OutboxEntry, result: SubmitResult): void {
    void this.#ports.journal.dropDrafts(entry.assignment);
    this.#count(result);
    const taught = this.#taught;
    if (taught?.id === entry.assignment) this.#publish({ lesson: lessonOf(taught, entry, result) });
    if (result.exam && result.exam.state !== 'open') this.#publish({ examined: result.exam.id });
  }

  #count(result: SubmitResult): void {
    this.#publish({
      paid_minor: this.#snapshot.paid_minor + result.paid_minor,
      currency: result.currency || this.#snapshot.currency,
      submitted: this.#snapshot.submitted + result.judgements.length,
    });
  }

  #parked(entry: OutboxEntry): void {
    this.#publish({ notice: { code: 'refused', detail: entry.problem?.detail ?? '' } });
  }

  #isUsable(assignment: Assignment): boolean {
    return (
      assignment.state === 'claimed' &&
      !this.#handed.has(assignment.id) &&
      assignment.tasks.some((task) => task.state === 'open')
    );
  }

  async #show(assignment: Assignment): Promise<void> {
    this.#ports.preload(assignment);
    const drafts = await this.#ports.journal.drafts(assignment.id);
    if (this.#stopped) return;
    const page = new PageSession(assignment, drafts, {
      journal: this.#ports.journal,
      now_ms: this.#ports.now_ms,
      saveDraft: (task, draft) => this.#ports.saveDraft(assignment, task, draft),
      writer: this.#writer,
      freshItem: (task) => this.#ports.freshItem(assignment, task),
    });
    page.touch();
    this.#publish({
      phase: 'working',
      page,
      problem: null,
      expires_at: assignment.expires_at,
      currency: assignment.currency,
    });
    // Every task was done before a reload cut in: the page only wants submitting.
    if (page.isFinished) await this.#submitPage(page);
    else if (page.undone <= CLAIM_AHEAD) void this.#claimAhead();
  }

  async #claimAhead(): Promise<void> {
    // Whoever learns reads what was right before the next page; and that page may be the project's own by then.
    const now = this.#snapshot.page?.assignment;
    if (this.#next || this.#claiming || this.#stopped || now?.training || now?.exam) return;
    this.#claiming = true;
    try {
      const claimed = await this.#ports.claim();
      if (claimed && claimed.id !== this.#snapshot.page?.assignment.id && this.#isUsable(claimed)) {
        this.#next = claimed;
        this.#ports.preload(claimed);
      }
    } catch {
      // Only ahead of time: the claim that matters comes when this page ends, and says what is wrong then.
    } finally {
      this.#claiming = false;
    }
  }

  async #beat(): Promise<void> {
    const { page } = this.#snapshot;
    if (!page) return;
    try {
      const { expires_at } = await this.#ports.heartbeat(page.assignment);
      this.#publish({ expires_at });
      if (this.#next) await this.#ports.heartbeat(this.#next);
    } catch (error) {
      // An expired lease shows itself at submit, where the server keeps the work; a lost network heals by itself.
      if (!(error instanceof Problem)) throw error;
    }
  }

  #fail(error: unknown): void {
    const problem = error instanceof Error ? error : new Error(String(error));
    this.#publish({ phase: this.#snapshot.page ? this.#snapshot.phase : 'failed', problem });
  }

  #publish(change: Partial<WorkSnapshot>): void {
    if (this.#stopped) return;
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** The page's answers with what is right, in the page's order; null when the server told nothing. */
function lessonOf(assignment: Assignment, entry: OutboxEntry, result: SubmitResult): Lesson | null {
  const said = new Map(entry.judgements.map((one) => [one.task, 'label' in one ? one.label : null]));
  const told = new Map(result.judgements.map(({ task, feedback }) => [task, feedback]));
  const answers = [...assignment.tasks]
    .sort((a, b) => a.position - b.position)
    .flatMap((task) => {
      const label = said.get(task.task);
      const feedback = told.get(task.task);
      return label && feedback ? [{ task, said: label, feedback }] : [];
    });
  if (answers.length === 0) return null;
  return { assignment, answers, progress: result.training ?? null, paid_minor: result.paid_minor };
}
