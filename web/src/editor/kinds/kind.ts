/** What a kind of label shows: one folder, these names, one line in the index. */
import type { ComponentType } from 'react';
import type { ItemView, Label, Ontology } from '../../api/types';
import type { Binding } from '../core/keymap';
import type { LabelSession } from '../core/label_session';
import type { Operation } from '../operations/operation';

export interface KindFace {
  /** The canvas side. */
  readonly Stage: ComponentType<{ session: LabelSession }>;
  /** The panel beside it. */
  readonly Panel: ComponentType<{ session: LabelSession }>;
  /** A label to look at, not to touch. `bare` leaves the item out where it stands beside. */
  readonly View: ComponentType<{ label: Label; ontology: Ontology | null; item: ItemView; bare?: boolean }>;
  /** Keys that the stage itself listens to, for the help. */
  readonly stageKeys?: (ontology: Ontology) => readonly Binding[];
  readonly operations: (ontology: Ontology) => Operation[];
}
