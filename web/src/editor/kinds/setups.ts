/** The table of what the wizard asks for each kind: one file and one line each. */
import type { Kind, Ontology } from '../../api/types';
import type { KindSetup, Named } from '../setup/setup';
import { choiceSetup } from './choice/setup';
import { formSetup } from './form/setup';
import { objectsSetup } from './objects/setup';
import { textSetup } from './text/setup';
import { tracksSetup } from './tracks/setup';

/** A kind that the server knows and this table does not is an error of its type. */
const SETUPS = {
  choice: choiceSetup,
  objects: objectsSetup,
  tracks: tracksSetup,
  text: textSetup,
  form: formSetup,
} satisfies Record<Kind, object>;

/** What has been said for each kind: kept when another one is chosen. */
export type Owns = { readonly [K in Kind]: (typeof SETUPS)[K]['blank'] };

export const BLANK_OWNS: Owns = Object.fromEntries(
  Object.entries(SETUPS).map(([kind, { blank }]) => [kind, blank]),
) as Owns;

export function setupOf(kind: Kind): KindSetup<unknown> {
  return SETUPS[kind] as unknown as KindSetup<unknown>;
}

export const ontologyFrom = (kind: Kind, named: Named, owns: Owns): Ontology =>
  setupOf(kind).ontology(named, owns[kind]);

/** What has been said, with what an ontology says of its own kind. */
export function ownsFrom(spec: Ontology, owns: Owns): Owns {
  return { ...owns, [spec.kind]: { ...(owns[spec.kind] as object), ...(setupOf(spec.kind).from(spec) as object) } };
}

export const incompleteOf = (kind: Kind, named: Named, owns: Owns): string | null =>
  setupOf(kind).incomplete(named, owns[kind]);
