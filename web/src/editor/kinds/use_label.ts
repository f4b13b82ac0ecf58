import { useSyncExternalStore } from 'react';
import type { Document } from '../core/document';
import type { LabelSession } from '../core/label_session';
import type { Issue } from '../validations';
import { useSight } from './use_picture';

/** The present document, shown anew with each change. */
export function useDocument(session: LabelSession): Document {
  return useSyncExternalStore(session.subscribe, session.snapshot).present;
}

/** What is being drawn, shown anew with each step of it. */
export function useDrawing(session: LabelSession): LabelSession['drawing'] {
  return useSyncExternalStore(session.subscribe, session.drawingSnapshot);
}

/** What the rules have found, shown anew when they have looked again. */
export function useIssues(session: LabelSession): readonly Issue[] {
  useDocument(session);
  useDrawing(session);
  useSight(session);
  useSyncExternalStore(session.subscribeIssues, session.issuesSnapshot);
  return session.issues;
}
