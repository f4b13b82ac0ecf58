/**
 * What the server is sent of a draft: the difference from what it has acknowledged, in its own terms (characters are code
 * points). `tests/tasks/differences.json` is run by both suites.
 */
import type { Label, LabelObject } from '../../api/types';
import { patchBetween } from './patch';

export type DraftChange =
  | {
      readonly is: 'objects';
      readonly put: readonly (readonly [at: number, object: LabelObject])[];
      readonly gone: readonly string[];
    }
  | { readonly is: 'text'; readonly from: number; readonly drop: number; readonly put: string };

/** Where more than so much of a label is new, the whole says it as shortly. */
const MOST_NEW = 0.5;

const points = (text: string): number => {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

/** What leads from one label to the other; null where the whole should be sent. */
export function draftChange(before: Label, after: Label): DraftChange | null {
  const patch = patchBetween(before, after);
  switch (patch.is) {
    case 'objects': {
      const total = after.kind === 'objects' ? after.objects.length : 0;
      return patch.put.length > 1 && patch.put.length > MOST_NEW * total ? null : patch;
    }
    case 'text': {
      const text = before.kind === 'text' ? before.text : '';
      return {
        is: 'text',
        from: points(text.slice(0, patch.from)),
        drop: points(text.slice(patch.from, patch.from + patch.drop)),
        put: patch.put,
      };
    }
    // Small as it is: a choice, a form.
    default:
      return null;
  }
}
