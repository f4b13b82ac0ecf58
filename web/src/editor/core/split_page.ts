import type { JudgementInput } from '../../api/types';

/** Well below the 16 MiB that one request may have; a label alone has at most 8 MiB, so each fits by itself. */
export const SUBMISSION_BYTES = 7 * 1024 * 1024;

const encoder = new TextEncoder();

/** The judgements of a page in as few submissions as their size allows, in order. */
export function splitPage(judgements: readonly JudgementInput[], most_bytes = SUBMISSION_BYTES): JudgementInput[][] {
  const parts: JudgementInput[][] = [];
  let room = 0;
  for (const judgement of judgements) {
    const bytes = encoder.encode(JSON.stringify(judgement)).length + 1;
    const part = parts.at(-1);
    if (part && bytes <= room) {
      part.push(judgement);
      room -= bytes;
    } else {
      parts.push([judgement]);
      room = most_bytes - bytes;
    }
  }
  return parts;
}
