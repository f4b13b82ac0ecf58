/**
 * What must outlive a reload or a crash: drafts with their history, and submissions not yet acknowledged.
 * One IndexedDB database per person, so that a shared computer never shows one person's work to another.
 */
import type { Assignment, JudgementInput } from '../../api/types';
import type { History } from './history';

export interface DraftEntry {
  /** `${assignment}/${task}` */
  key: string;
  assignment: string;
  task: string;
  history: History;
  /** Goes up by one with each change; the server keeps the highest. */
  rev: number;
  /** The highest revision that the server has acknowledged. */
  saved_rev: number;
  seconds: number;
  ready: boolean;
  updated_at_ms: number;
}

export interface OutboxEntry {
  /** The Idempotency-Key of the submission. */
  key: string;
  assignment: string;
  fence: Assignment['fence'];
  judgements: JudgementInput[];
  created_at_ms: number;
  /** Parked: refused by the server in a way that repeating will not mend. Never dropped; can be exported. */
  state: 'waiting' | 'parked';
  problem: { code: string; detail: string; remedy: string } | null;
}

export interface Journal {
  saveDraft(entry: DraftEntry): Promise<void>;
  drafts(assignment: string): Promise<DraftEntry[]>;
  dropDrafts(assignment: string): Promise<void>;
  putOutbox(entry: OutboxEntry): Promise<void>;
  dropOutbox(key: string): Promise<void>;
  outbox(): Promise<OutboxEntry[]>;
}

const VERSION = 1;
/** Histories of long drawings are cut in the journal; the newest steps are the ones a person takes back. */
const JOURNAL_HISTORY = 50;

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB request failed'));
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = () => reject(transaction.error ?? new Error('IndexedDB transaction failed'));
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB transaction aborted'));
  });
}

/** @throws Error when the browser refuses storage (private windows of some browsers); callers say so on screen. */
export async function openJournal(person: string): Promise<Journal> {
  const opening = indexedDB.open(`cupola-${person}`, VERSION);
  opening.onupgradeneeded = () => {
    const drafts = opening.result.createObjectStore('drafts', { keyPath: 'key' });
    drafts.createIndex('assignment', 'assignment');
    opening.result.createObjectStore('outbox', { keyPath: 'key' });
  };
  const db = await asked(opening);

  const write = async (store: string, change: (target: IDBObjectStore) => void): Promise<void> => {
    const transaction = db.transaction(store, 'readwrite', { durability: 'strict' });
    change(transaction.objectStore(store));
    await finished(transaction);
  };

  return {
    saveDraft: (entry) =>
      write('drafts', (store) => {
        const { past, future, ...rest } = entry.history;
        const history = { ...rest, past: past.slice(-JOURNAL_HISTORY), future: future.slice(0, JOURNAL_HISTORY) };
        store.put({ ...entry, history });
      }),
    drafts: (assignment) =>
      asked(db.transaction('drafts').objectStore('drafts').index('assignment').getAll(assignment)) as Promise<
        DraftEntry[]
      >,
    dropDrafts: async (assignment) => {
      const keys = await asked(
        db.transaction('drafts').objectStore('drafts').index('assignment').getAllKeys(assignment),
      );
      await write('drafts', (store) => {
        for (const key of keys) store.delete(key);
      });
    },
    putOutbox: (entry) => write('outbox', (store) => store.put(entry)),
    dropOutbox: (key) => write('outbox', (store) => store.delete(key)),
    outbox: () => asked(db.transaction('outbox').objectStore('outbox').getAll()) as Promise<OutboxEntry[]>,
  };
}

/** Keeps things for the life of the page only: used when the browser refuses storage, and said so on screen. */
export function memoryJournal(): Journal {
  const drafts = new Map<string, DraftEntry>();
  const outbox = new Map<string, OutboxEntry>();
  return {
    saveDraft: async (entry) => void drafts.set(entry.key, entry),
    drafts: async (assignment) => [...drafts.values()].filter((entry) => entry.assignment === assignment),
    dropDrafts: async (assignment) => {
      for (const entry of [...drafts.values()]) if (entry.assignment === assignment) drafts.delete(entry.key);
    },
    putOutbox: async (entry) => void outbox.set(entry.key, entry),
    dropOutbox: async (key) => void outbox.delete(key),
    outbox: async () => [...outbox.values()],
  };
}
