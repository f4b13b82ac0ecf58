import type { Action } from '../core/document';

/** Replaces the whole text. */
export function setText(text: string): Action {
  return (document) =>
    document.label.kind === 'text' && document.label.text !== text
      ? { ...document, label: { kind: 'text', text } }
      : document;
}
