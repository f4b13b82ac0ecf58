/**
 * The difference of two labels, as small as the change: what a journal keeps of one step. Objects are shared between
 * documents where they did not change, so finding the difference costs a look at each, not a comparison.
 */
import type { Answer, Label, LabelObject, Track } from '../../api/types';
import type { Answers } from './attributes';
import type { TracksLabel } from './tracks';

export type Patch =
  | { readonly is: 'whole'; readonly label: Label }
  /** `from` characters stay, `drop` go, `put` comes in their place. */
  | { readonly is: 'text'; readonly from: number; readonly drop: number; readonly put: string }
  | {
      readonly is: 'objects';
      /** New or changed, each with its place in the list that comes out. */
      readonly put: readonly (readonly [at: number, object: LabelObject])[];
      /** Of the ids that were there and are no more. */
      readonly gone: readonly string[];
    }
  | {
      /** The same of tracks; `rest`: of their label, what is no track. */
      readonly is: 'tracks';
      readonly put: readonly (readonly [at: number, track: Track])[];
      readonly gone: readonly string[];
      readonly rest: Omit<TracksLabel, 'tracks'>;
    }
  | {
      readonly is: 'answers';
      readonly put: Readonly<Record<string, Answer>>;
      readonly gone: readonly string[];
    };

const isFirstHalf = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xd800;
const isSecondHalf = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

function textPatch(before: string, after: string): Patch {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) from += 1;
  // A pair of halves is one character: it changes as a whole.
  if (from > 0 && isFirstHalf(before, from - 1)) from -= 1;
  let same = 0;
  while (same < most - from && before[before.length - 1 - same] === after[after.length - 1 - same]) same += 1;
  if (same > 0 && isSecondHalf(before, before.length - same)) same -= 1;
  return { is: 'text', from, drop: before.length - from - same, put: after.slice(from, after.length - same) };
}

interface Named {
  readonly id: string;
}

/** New or changed, each with its place in the list that comes out; and of the ids that were there those that are no more. */
function listPatch<T extends Named>(before: readonly T[], after: readonly T[]) {
  const had = new Map(before.map((object) => [object.id, object]));
  const has = new Set(after.map(({ id }) => id));
  const gone = before.filter(({ id }) => !has.has(id)).map(({ id }) => id);
  const kept = before.filter(({ id }) => has.has(id)).map(({ id }) => id);
  // Those that stay keep their order; one that does not is put anew.
  let next = 0;
  const put: [number, T][] = [];
  for (const [at, object] of after.entries()) {
    if (kept[next] === object.id) {
      next += 1;
      if (had.get(object.id) !== object) put.push([at, object]);
    } else put.push([at, object]);
  }
  return { put, gone };
}

type ListPatch<T> = { readonly put: readonly (readonly [number, T])[]; readonly gone: readonly string[] };

function listAfter<T extends Named>(before: readonly T[], patch: ListPatch<T>): T[] {
  const changed = new Set([...patch.gone, ...patch.put.map(([, { id }]) => id)]);
  const rest = before.filter(({ id }) => !changed.has(id));
  const list: T[] = [];
  let next = 0;
  for (const [at, one] of patch.put) {
    while (list.length < at && next < rest.length) {
      list.push(rest[next] as T);
      next += 1;
    }
    list.push(one);
  }
  return [...list, ...rest.slice(next)];
}

/** An order that the small form cannot say (an import can bring two of one id) is kept whole. */
function smallest<T extends Named>(before: readonly T[], after: readonly T[]): ListPatch<T> | null {
  const patch = listPatch(before, after);
  const back = listAfter(before, patch);
  return back.length === after.length && back.every((one, at) => one === after[at]) ? patch : null;
}

function answersPatch(before: Answers, after: Answers): Patch {
  const put = Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value));
  return { is: 'answers', put, gone: Object.keys(before).filter((name) => !(name in after)) };
}

/** What leads from one label to the other. */
export function patchBetween(before: Label, after: Label): Patch {
  if (before.kind === 'text' && after.kind === 'text') return textPatch(before.text, after.text);
  if (before.kind === 'objects' && after.kind === 'objects') {
    const patch = smallest(before.objects, after.objects);
    return patch ? { is: 'objects', ...patch } : { is: 'whole', label: after };
  }
  if (before.kind === 'tracks' && after.kind === 'tracks') {
    const { tracks, ...rest } = after;
    const patch = smallest(before.tracks, tracks);
    return patch ? { is: 'tracks', ...patch, rest } : { is: 'whole', label: after };
  }
  if (before.kind === 'form' && after.kind === 'form') return answersPatch(before.answers, after.answers);
  return { is: 'whole', label: after };
}

/** The label that the patch leads to. */
export function applyPatch(before: Label, patch: Patch): Label {
  switch (patch.is) {
    case 'whole':
      return patch.label;
    case 'text': {
      const text = before.kind === 'text' ? before.text : '';
      return { kind: 'text', text: text.slice(0, patch.from) + patch.put + text.slice(patch.from + patch.drop) };
    }
    case 'objects':
      return { kind: 'objects', objects: listAfter(before.kind === 'objects' ? before.objects : [], patch) };
    case 'tracks':
      return { ...patch.rest, tracks: listAfter(before.kind === 'tracks' ? before.tracks : [], patch) };
    case 'answers': {
      const had = before.kind === 'form' ? Object.entries(before.answers) : [];
      const left = had.filter(([name]) => !patch.gone.includes(name));
      return { kind: 'form', answers: { ...Object.fromEntries(left), ...patch.put } };
    }
  }
}
