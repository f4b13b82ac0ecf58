/** What a kind of label is, without a screen: the row of the table in `kinds/models`. */
import type { Kind, Label, Ontology } from '../../api/types';
import type { Rule } from '../validations/rule';

export type LabelOf<K extends Kind> = Extract<Label, { kind: K }>;

/** A count is said by the reader's grammar; everything else in the label's own words. */
export type Words = { readonly said: string } | { readonly message: string; readonly count: number };

export interface KindModel<K extends Kind = Kind> {
  readonly kind: K;
  /** What people do, as an English message. */
  readonly title: string;
  readonly empty: () => LabelOf<K>;
  readonly isEmpty: (label: LabelOf<K>) => boolean;
  /** For lists and dashboards. */
  readonly words: (label: LabelOf<K>) => Words;
  /** What can be counted under a name (the choice); null for what has none. */
  readonly name: (label: LabelOf<K>) => string | null;
  /** The classes that it names. */
  readonly classes: (label: LabelOf<K>) => readonly string[];
  /** A label drawn over its item is looked at with it, any other beside it. */
  readonly isDrawn: boolean;
  /** A label that wants the whole width where several stand in a list. */
  readonly isWide: boolean;
  /** Enter belongs to the label itself (a new line). */
  readonly takesEnter: boolean;
  /** Alt and an arrow belong to the label itself (stretch). */
  readonly takesAltArrows: boolean;
  /** What is asked of its labels. */
  readonly rules: readonly Rule[];
  /** The label that stands in a cell of a table; or what is wrong with the cell, as an English message. */
  readonly read: (cell: string, ontology: Ontology) => LabelOf<K> | { readonly fault: string };
}
