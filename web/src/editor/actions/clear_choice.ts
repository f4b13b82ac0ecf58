import type { Action } from '../core/document';

/** Takes every chosen value away. */
export const clearChoice: Action = (document) =>
  document.label.kind === 'choice' && document.label.values.length > 0
    ? { ...document, label: { kind: 'choice', values: [] } }
    : document;
