import type { Label, LabelObject } from '../../api/types';

const texts = new WeakMap<LabelObject, string>();

/** A label as JSON; an object that did not change is written out once. */
export function textOf(label: Label): string {
  if (label.kind !== 'objects') return JSON.stringify(label);
  const objects = label.objects.map((object) => {
    const text = texts.get(object) ?? JSON.stringify(object);
    texts.set(object, text);
    return text;
  });
  return `{"kind":"objects","objects":[${objects.join(',')}]}`;
}
