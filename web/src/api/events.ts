/** What happens on the server is shown when it happens: events mark what is on screen as out of date. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { withQuery } from './http';

interface ServerEvent {
  kind: string;
  project?: string | null;
}

/** Which cached answers an event touches, by the first word of the query key. */
const TOUCHES: readonly [prefix: string, keys: readonly string[]][] = [
  ['task.', ['project', 'projects', 'tasks', 'task', 'quality', 'doubtful', 'guideline-queue']],
  ['judgement.', ['project', 'projects', 'tasks', 'task', 'quality', 'doubtful', 'money']],
  ['import.', ['imports', 'import', 'refusals', 'datasets', 'dataset', 'items']],
  ['release.', ['releases', 'release', 'audits']],
  ['audit.', ['releases', 'release', 'audits', 'guideline-queue']],
  ['export.', ['exports']],
  ['project.', ['project', 'projects', 'money']],
  ['transfer.', ['money', 'transfers']],
  ['delivery.', ['deliveries']],
  ['order.', ['callbacks', 'callback']],
  ['auto-accept.', ['auto-accepts', 'project', 'tasks']],
  ['learning.', ['learning-runs', 'models', 'model-versions']],
  ['webhook.', ['deliveries', 'webhooks']],
];

export function keysTouchedBy(kind: string): readonly string[] {
  return TOUCHES.find(([prefix]) => kind.startsWith(prefix))?.[1] ?? [];
}

/** Bursts (an import, thirty contributors at once) become one refresh. */
const GATHER_MS = 1_200;

export function useServerEvents(tenant: string | null): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!tenant) return;
    const source = new EventSource(withQuery('/events', { tenant }), { withCredentials: true });
    const stale = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | null = null;
    source.onmessage = (message) => {
      let event: ServerEvent;
      try {
        event = JSON.parse(message.data as string) as ServerEvent;
      } catch {
        return;
      }
      for (const key of keysTouchedBy(event.kind ?? '')) stale.add(key);
      timer ??= setTimeout(() => {
        timer = null;
        const keys = new Set(stale);
        stale.clear();
        void client.invalidateQueries({ predicate: (query) => keys.has(String(query.queryKey[0])) });
      }, GATHER_MS);
    };
    return () => {
      source.close();
      if (timer) clearTimeout(timer);
    };
  }, [tenant, client]);
}
