/** A conversation read from the parts of an item: what stands in it, and what people call it. */
import type { ItemView } from '../../api/types';

type Part = NonNullable<ItemView['parts']>[number];

export interface Piece {
  readonly kind: string;
  readonly text: string | null;
  readonly url: string | null;
  /** Of a candidate of several messages: whose words they are. */
  readonly as: string | null;
}
export interface Said {
  /** m1, c1, r1. */
  readonly name: string;
  readonly role: string;
  readonly depth: number;
  readonly pieces: readonly Piece[];
}
export interface Conversation {
  readonly messages: readonly Said[];
  readonly candidates: readonly Said[];
  readonly references: readonly Said[];
}
export type Scope = 'message' | 'turn' | 'candidate' | 'step';

interface Meta {
  message?: unknown;
  parent?: unknown;
  kind?: unknown;
  as?: unknown;
}
const word = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const known = new WeakMap<readonly Part[], Conversation | null>();

/** The conversation that an item is, or null where it is none. */
export function conversationOf({ parts }: ItemView): Conversation | null {
  if (!parts?.length) return null;
  const before = known.get(parts);
  if (before !== undefined) return before;
  const found = read(parts);
  known.set(parts, found);
  return found;
}

function read(parts: readonly Part[]): Conversation | null {
  const all = new Map<string, Said & { pieces: Piece[] }>();
  for (const part of parts) {
    const meta = (part.meta ?? {}) as Meta;
    const name = word(meta.message);
    if (name === null) return null;
    let said = all.get(name);
    if (!said) {
      const above = all.get(word(meta.parent) ?? '');
      // A chain stays flat; only a second answer to the same message stands aside.
      const siblings = above ? [...all.values()].filter((one) => parentOf.get(one) === above.name).length : 0;
      said = { name, role: part.role, depth: above ? above.depth + (siblings ? 1 : 0) : 0, pieces: [] };
      if (above) parentOf.set(said, above.name);
      all.set(name, said);
    }
    const text = typeof part.text === 'string' ? part.text : null;
    said.pieces.push({ kind: word(meta.kind) ?? 'text', text, url: part.url ?? null, as: word(meta.as) });
  }
  const list = [...all.values()];
  return {
    messages: list.filter(({ role }) => role !== 'candidate' && role !== 'reference'),
    candidates: list.filter(({ role }) => role === 'candidate'),
    references: list.filter(({ role }) => role === 'reference'),
  };
}
const parentOf = new WeakMap<Said, string>();

/** What a question with this scope is asked of, by name; null where the item does not say what there is. */
export function targetsOf(item: ItemView, scope: Scope): string[] | null {
  const counts = {
    message: item.facts?.messages,
    turn: item.facts?.turns,
    candidate: item.facts?.candidates,
    step: item.facts?.steps,
  };
  const count = counts[scope];
  if (count === undefined || count === null) return null;
  return Array.from({ length: count }, (_, at) => `${scope.charAt(0)}${at + 1}`);
}

/** The words of a target. */
export function wordsOfTarget(item: ItemView, target: string): string {
  const told = conversationOf(item);
  if (!told) return item.text ?? '';
  const number = Number(target.slice(1)) - 1;
  const steps = [...told.messages, ...told.candidates].flatMap((one) =>
    one.pieces.filter(({ kind }) => kind === 'step'),
  );
  const said = {
    m: told.messages[number],
    t: told.messages.filter(({ role }) => role === 'assistant')[number],
    c: told.candidates[number],
  }[target.charAt(0)];
  const pieces = target.startsWith('s') ? [steps[number]] : (said?.pieces ?? []);
  return pieces.map((piece) => piece?.text ?? '').join('\n');
}

/** What a text that rewrites begins as: the words of its target, else the last reply, else the item's text. */
export function rewrittenOf(item: ItemView, target?: string): string {
  if (target) return wordsOfTarget(item, target);
  const messages = conversationOf(item)?.messages ?? [];
  const last = messages.findLastIndex(({ role }) => role === 'assistant');
  return last < 0 ? (item.text ?? '') : wordsOfTarget(item, `m${last + 1}`);
}

/** An order drawn by chance. */
export function drawn<T>(list: readonly T[]): T[] {
  const chances = crypto.getRandomValues(new Uint32Array(list.length));
  return list
    .map((one, at) => [chances[at] ?? 0, at, one] as const)
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .map(([, , one]) => one);
}

/** Code points before a place that is counted in UTF-16, and the way back. */
export const pointsBefore = (text: string, at: number): number => [...text.slice(0, at)].length;
export function unitsBefore(text: string, points: number): number {
  let at = 0;
  for (let left = points; left > 0 && at < text.length; left -= 1) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at;
}
