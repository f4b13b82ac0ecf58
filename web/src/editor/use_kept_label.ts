/**
 * A decision or an audit that is being made outlives a reload, a slip back in the browser's history, a sign-in anew: it
 * is kept for the life of the tab, under the person who makes it. (Paid work has a journal of its own.)
 */
import { useEffect, useMemo } from 'react';
import { passing } from '../api/keep';
import { useSession } from '../api/session';
import type { Label, Ontology } from '../api/types';
import { openDocument, type Setting } from './core/document';
import { openHistory } from './core/history';
import { Later } from './core/idle';
import { LabelSession, type Refetch } from './core/label_session';
import { textOf } from './core/label_text';

function keptUnder(name: string): Label | null {
  try {
    return JSON.parse(passing.read(name) ?? 'null') as Label | null;
  } catch {
    return null;
  }
}

/** The session of what is made under this key, begun with what was kept; and how to forget that once it is sent. */
export function useKeptLabel(
  key: string,
  ontology: Ontology,
  item: Setting['item'],
  refetch: Refetch,
): { session: LabelSession; forget: () => void } {
  const person = useSession().session?.person.id ?? '';
  const name = `cupola.label.${person}.${key}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: one session for one thing that is decided, whatever is asked again meanwhile.
  const session = useMemo(
    () => new LabelSession({ ontology, item }, openHistory(openDocument(ontology, keptUnder(name))), refetch),
    [name],
  );
  const keeping = useMemo(() => new Later(() => passing.write(name, textOf(session.document.label))), [session, name]);
  useEffect(() => {
    let { label } = session.document;
    const leave = session.subscribe(() => {
      if (session.document.label === label) return;
      label = session.document.label;
      keeping.ask();
    });
    const keepNow = () => keeping.now();
    window.addEventListener('pagehide', keepNow);
    return () => {
      leave();
      window.removeEventListener('pagehide', keepNow);
      keeping.now();
    };
  }, [session, keeping]);
  const forget = () => {
    keeping.drop();
    passing.drop(name);
  };
  return { session, forget };
}
