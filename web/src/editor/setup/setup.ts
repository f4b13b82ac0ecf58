/** How the questions of a kind are put together: what the wizard asks for it, and the ontology that comes of it. */
import type { ComponentType } from 'react';
import type { Ontology } from '../../api/types';

/** The classes as they are written: kept when another kind is chosen. */
export interface Named {
  /** One class a line. */
  readonly classes: string;
  /** Whether contributors see other words than the names; the words by the class's name. */
  readonly titled: boolean;
  readonly titles: Readonly<Record<string, { en?: string; zh?: string }>>;
}

export interface FormProps<Own> {
  readonly named: Named;
  readonly own: Own;
  readonly rename: (part: Partial<Named>) => void;
  readonly change: (part: Partial<Own>) => void;
}

export interface KindSetup<Own> {
  /** What this kind alone asks for, before anything is said. Plain data, so that a reload can bring it back. */
  readonly blank: Own;
  readonly ontology: (named: Named, own: Own) => Ontology;
  /** What of an ontology this kind alone asks for: the way back, for those that begin with one. */
  readonly from: (spec: Ontology) => Partial<Own>;
  /** Why it is not complete, as an English message, or null. */
  readonly incomplete: (named: Named, own: Own) => string | null;
  readonly Form: ComponentType<FormProps<Own>>;
}

export const NOTHING_NAMED: Named = { classes: '', titled: false, titles: {} };
