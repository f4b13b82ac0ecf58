import { useSyncExternalStore } from 'react';
import type { Document } from '../core/document';
import type { LabelSession } from '../core/label_session';

/** The present document, shown anew with each change. */
export function useDocument(session: LabelSession): Document {
  return useSyncExternalStore(session.subscribe, session.snapshot).present;
}
