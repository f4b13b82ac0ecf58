/** Whether a format holds what a release has, by what the server says of the format. */
import type { Format, Ontology, Shape } from '../api/types';
import { modelOf } from '../editor/kinds/models';
import { shapesFor } from '../editor/shapes';
import { msg } from '../i18n/msg';

export interface Fit {
  /** Why the format cannot hold it, as an English message, or null. */
  readonly refused: string | null;
  /** Shapes of which the file says nothing. */
  readonly leftOut: readonly Shape['type'][];
}

/** What is asked, in the words of a format's `asks`. */
function questionsOf({ attributes }: Ontology): ReadonlySet<string> {
  return new Set(
    (attributes ?? []).flatMap(({ type, scope, weight, rewrites }) => [
      type,
      ...(scope ? [`${type}@${scope}`] : []),
      ...(typeof weight === 'number' ? ['criterion'] : []),
      ...(rewrites ? ['rewrite'] : []),
    ]),
  );
}

export function fitOf(format: Format, ontology: Ontology): Fit {
  if (!format.kinds.includes(ontology.kind))
    return { refused: msg('It does not hold this kind of label.'), leftOut: [] };
  if (ontology.multiple && !format.several)
    return { refused: msg('It holds one label an item, and several may apply here.'), leftOut: [] };
  const asked = questionsOf(ontology);
  if (asked.size > 0 && format.asks.length > 0 && !format.asks.some((one) => asked.has(one)))
    return { refused: msg('Nothing of what it is made of is asked here.'), leftOut: [] };
  const drawn = modelOf(ontology.kind).isDrawn ? shapesFor(ontology) : [];
  return { refused: null, leftOut: drawn.filter((shape) => !format.shapes.includes(shape)) };
}
