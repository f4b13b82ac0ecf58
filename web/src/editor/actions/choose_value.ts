import type { Action } from '../core/document';

/** Chooses a value: the only one, or, where several are allowed, switches it on or off. */
export function chooseValue(value: string, multiple: boolean): Action {
  return (document) => {
    if (document.label.kind !== 'choice') return document;
    const { values } = document.label;
    if (!multiple) {
      if (values.length === 1 && values[0] === value) return document;
      return { ...document, label: { kind: 'choice', values: [value] } };
    }
    const next = values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
    return { ...document, label: { kind: 'choice', values: next } };
  };
}
