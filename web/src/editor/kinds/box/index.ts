import { objectOperations } from '../../operations/object_operations';
import type { KindFace } from '../kind';
import { Panel } from './Panel';
import { Stage } from './Stage';
import { View } from './View';

export const box: KindFace = {
  Stage,
  Panel,
  View,
  operations: (ontology) => objectOperations(ontology, () => crypto.randomUUID()),
};
