import { issue } from './issue';
import { ofDocument } from './rule';

/** No value stands twice (an import can bring one that does). */
export const choiceOnce = ofDocument(({ label }) => {
  if (label.kind !== 'choice') return [];
  const once = [...new Set(label.values)];
  if (once.length === label.values.length) return [];
  return [
    issue('choice-once', 'A label stands twice.', {
      fix: { title: 'Keep one', action: (document) => ({ ...document, label: { kind: 'choice', values: once } }) },
    }),
  ];
});
