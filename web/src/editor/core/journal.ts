/**
 * What must outlive a reload or a crash: drafts with their history, and submissions not yet acknowledged.
 * One IndexedDB database per person, so that a shared computer never shows one person's work to another.
 *
 * A draft is kept as the label it began with and the operations since: a change appends one small row. What the draft
 * is worth (revision, seconds, done) stands beside it.
 */
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import type { Assignment, JudgementInput, Rejected } from '../../api/types';
import type { History } from './history';
import { type Operation, operationBetween, played, shortened } from './operations_log';

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
  /** Of a review: why the label is not right, said instead of mending it. */
  rejected?: Rejected | null;
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
  /** Durable when it resolves. Calls for one draft must come in order, as its history grows. */
  saveDraft(entry: DraftEntry): Promise<void>;
  drafts(assignment: string): Promise<DraftEntry[]>;
  dropDrafts(assignment: string): Promise<void>;
  putOutbox(entry: OutboxEntry): Promise<void>;
  dropOutbox(key: string): Promise<void>;
  outbox(): Promise<OutboxEntry[]>;
}

const VERSION = 2;
/** A log that is longer than this is cut to its newest steps; those are the ones a person takes back. */
const LONGEST_LOG = 400;
const KEPT_STEPS = 50;
/** Sorts after every number: the end of one draft's rows. */
const AFTER_ALL: [] = [];

type Standing = Omit<DraftEntry, 'history'>;
interface Row {
  draft: string;
  at: number;
  operation: Operation;
}
interface Shelves extends DBSchema {
  drafts: { key: string; value: Standing; indexes: { assignment: string } };
  operations: { key: [string, number]; value: Row };
  outbox: { key: string; value: OutboxEntry };
}
/** The first version kept whole histories. */
type OldDraft = DraftEntry | Standing;

function rowsOf(draft: string): IDBKeyRange {
  return IDBKeyRange.bound([draft], [draft, AFTER_ALL]);
}

/** What of a draft is in the database: the history as it is there, and how many rows say so. */
interface Known {
  history: History;
  rows: number;
}

/** @throws Error when the browser refuses storage (private windows of some browsers); callers say so on screen. */
export async function openJournal(person: string): Promise<Journal> {
  const db = await openDB<Shelves>(`cupola-${person}`, VERSION, {
    async upgrade(database, before, _after, transaction) {
      database.createObjectStore('operations', { keyPath: ['draft', 'at'] });
      if (before < 1) {
        database.createObjectStore('drafts', { keyPath: 'key' }).createIndex('assignment', 'assignment');
        database.createObjectStore('outbox', { keyPath: 'key' });
        return;
      }
      const drafts = transaction.objectStore('drafts');
      for (const old of (await drafts.getAll()) as OldDraft[]) {
        if (!('history' in old)) continue;
        const { history, ...standing } = old;
        void drafts.put(standing);
        for (const [at, operation] of shortened(history, KEPT_STEPS).entries()) {
          void transaction.objectStore('operations').put({ draft: old.key, at, operation });
        }
      }
    },
  });
  return overDatabase(db);
}

function overDatabase(db: IDBPDatabase<Shelves>): Journal {
  const known = new Map<string, Known>();

  type Shelf = 'drafts' | 'operations' | 'outbox';
  const write = async <Wanted extends Shelf>(
    shelves: Wanted[],
    change: (of: IDBPTransaction<Shelves, Wanted[], 'readwrite'>) => void,
  ): Promise<void> => {
    const transaction = db.transaction(shelves, 'readwrite', { durability: 'strict' });
    change(transaction);
    await transaction.done;
  };

  return {
    saveDraft: ({ history, ...standing }) => {
      const before = known.get(standing.key);
      const operation = before && operationBetween(before.history, history);
      const rows = (before?.rows ?? 0) + (operation ? 1 : 0);
      if (before && operation !== undefined && rows <= LONGEST_LOG) {
        // Said before it is written: the next call must build on this one, whichever of them is durable first.
        known.set(standing.key, { history, rows });
        return write(['drafts', 'operations'], (of) => {
          void of.objectStore('drafts').put(standing);
          if (operation) void of.objectStore('operations').put({ draft: standing.key, at: rows - 1, operation });
        });
      }
      const operations = shortened(history, KEPT_STEPS);
      known.set(standing.key, { history, rows: operations.length });
      return write(['drafts', 'operations'], (of) => {
        void of.objectStore('drafts').put(standing);
        void of.objectStore('operations').delete(rowsOf(standing.key));
        for (const [at, one] of operations.entries()) {
          void of.objectStore('operations').put({ draft: standing.key, at, operation: one });
        }
      });
    },
    drafts: async (assignment) => {
      const found: DraftEntry[] = [];
      for (const standing of await db.getAllFromIndex('drafts', 'assignment', assignment)) {
        const rows = await db.getAll('operations', rowsOf(standing.key));
        const history = played(rows.map(({ operation }) => operation));
        if (!history) continue;
        known.set(standing.key, { history, rows: rows.length });
        found.push({ ...standing, history });
      }
      return found;
    },
    dropDrafts: async (assignment) => {
      const keys = await db.getAllKeysFromIndex('drafts', 'assignment', assignment);
      for (const key of keys) known.delete(key);
      await write(['drafts', 'operations'], (of) => {
        for (const key of keys) {
          void of.objectStore('drafts').delete(key);
          void of.objectStore('operations').delete(rowsOf(key));
        }
      });
    },
    putOutbox: (entry) => write(['outbox'], (of) => void of.objectStore('outbox').put(entry)),
    dropOutbox: (key) => write(['outbox'], (of) => void of.objectStore('outbox').delete(key)),
    outbox: () => db.getAll('outbox'),
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
