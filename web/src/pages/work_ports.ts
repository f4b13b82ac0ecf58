/** Joins the framework-free controller to this browser and this server. */

import { rows, work } from '../api/calls';
import { door } from '../api/door';
import { newIdempotencyKey } from '../api/http';
import type { Assignment } from '../api/types';
import { type Journal, memoryJournal, openJournal } from '../editor/core/journal';
import type { WorkPorts } from '../editor/core/work_controller';

function preload(assignment: Assignment): void {
  for (const { item } of assignment.tasks) {
    if (!item.url) continue;
    const image = new Image();
    image.src = item.url;
    // A picture that does not load says so where it is shown.
    image.decode().catch(() => undefined);
  }
}

/** The person's journal; `durable` is false when the browser refuses storage. */
export async function journalFor(person: string): Promise<{ journal: Journal; durable: boolean }> {
  try {
    return { journal: await openJournal(person), durable: true };
  } catch {
    return { journal: memoryJournal(), durable: false };
  }
}

/** A list may name an assignment without its tasks; the whole of it is asked for then. */
async function whole(assignment: Assignment): Promise<Assignment> {
  return assignment.tasks ? assignment : work.assignment(assignment.id);
}

export function workPorts(project: string, stage: number, journal: Journal): WorkPorts {
  return {
    journal,
    now_ms: () => Date.now(),
    newKey: newIdempotencyKey,
    openAssignments: async () =>
      Promise.all(
        rows(await work.assignments())
          .filter((one) => one.project === project && one.stage === stage)
          .map(whole),
      ),
    claim: () => work.claim(project, stage),
    heartbeat: (assignment) => work.heartbeat(assignment.id, assignment.fence),
    saveDraft: (assignment, task, draft) => work.saveDraft(assignment.id, task, assignment.fence, draft),
    freshItem: async (assignment, task) =>
      (await work.assignment(assignment.id)).tasks.find((one) => one.task === task)?.item ?? null,
    submit: (entry) => work.submit(entry.assignment, entry.fence, entry.judgements, entry.key),
    giveBack: async (assignment, reason, note) => {
      await work.giveBack(assignment.id, assignment.fence, reason, note);
    },
    onReturn: door.onReturn,
    preload,
  };
}
