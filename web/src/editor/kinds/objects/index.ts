import { newId } from '../../../api/ids';
import { objectOperations } from '../../operations/object_operations';
import { faceOfType, shapesFor } from '../../shapes';
import type { KindFace } from '../kind';
import { Panel } from './Panel';
import { Stage } from './Stage';
import { View } from './View';

/** Extra keys that the canvas itself listens to; listed so that the help is complete. */
const CANVAS_KEYS = [
  { command: 'mode-draw', title: 'Draw', keys: ['N'] },
  { command: 'mode-select', title: 'Select and move', keys: ['V'] },
  { command: 'fit', title: 'Fit the picture', keys: ['F'] },
  { command: 'zoom', title: 'Zoom (or the wheel, at the pointer)', keys: ['+', '-'] },
  { command: 'turn', title: 'Turn the box by its knob; Shift snaps to 15 degrees', keys: ['Shift'] },
  { command: 'pan', title: 'Pan while held and dragged (or the middle button)', keys: ['Space'] },
];

/** While a shape is drawn that takes more than a press. */
const LASTING_KEYS = [
  { command: 'sketch-finish', title: 'While drawing an outline: close it', keys: ['Enter'] },
  { command: 'sketch-back', title: 'While drawing an outline: take the last corner back', keys: ['Backspace'] },
  { command: 'sketch-cancel', title: 'While drawing an outline: give it up', keys: ['Escape'] },
  { command: 'corner-drop', title: 'Click a corner of an outline with this held to drop it', keys: ['Alt'] },
];

export const objects: KindFace = {
  Stage,
  Panel,
  View,
  operations: (ontology) => objectOperations(ontology, newId),
  stageKeys: (ontology) => [
    ...CANVAS_KEYS,
    ...(shapesFor(ontology).some((type) => faceOfType(type).gesture.lasts) ? LASTING_KEYS : []),
    ...shapesFor(ontology).map((type) => {
      const { key, words } = faceOfType(type);
      return { command: `draw:${type}`, title: words.draw, keys: [key] };
    }),
  ],
};
