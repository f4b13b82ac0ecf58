import { newId } from '../../../api/ids';
import type { Ontology } from '../../../api/types';
import type { Binding } from '../../core/keymap';
import { objectOperations } from '../../operations/object_operations';
import { faceOfType, shapesFor } from '../../shapes';
import type { KindFace } from '../kind';
import { Panel } from './Panel';
import { Stage } from './Stage';
import { View } from './View';

/** Extra keys that the canvas itself listens to; listed so that the help is complete. */
const CANVAS_KEYS: Binding[] = [
  { command: 'mode-draw', title: 'Draw the next with the class and attributes of the last', keys: ['N'] },
  { command: 'mode-select', title: 'Select and move', keys: ['V'] },
  { command: 'fit', title: 'Fit the picture', keys: ['F'] },
  { command: 'zoom-in', title: 'Closer (or the wheel, at the pointer)', keys: ['+', '='] },
  { command: 'zoom-out', title: 'Further away (or the wheel)', keys: ['-'] },
  { command: 'turn', title: 'Turn the box by its knob; Shift snaps to 15 degrees', keys: ['Shift'], isFixed: true },
  {
    command: 'band',
    title: 'While selecting: pull out a rectangle over several objects',
    keys: ['Shift'],
    isFixed: true,
  },
  { command: 'snap', title: 'Held: corners of neighbours draw nothing to themselves', keys: ['Ctrl'], isFixed: true },
  { command: 'pan', title: 'Pan while held and dragged (or the middle button)', keys: ['Space'], isFixed: true },
];

const SLICE_KEY = { command: 'slice', title: 'Cut the selected outline in two', keys: ['Alt+J'] };

/** While a shape is drawn that takes more than a press. */
const LASTING_KEYS: Binding[] = [
  { command: 'sketch-finish', title: 'While drawing an outline: close it', keys: ['Enter'], isFixed: true },
  {
    command: 'sketch-back',
    title: 'While drawing an outline: take the last corner back',
    keys: ['Backspace'],
    isFixed: true,
  },
  { command: 'sketch-cancel', title: 'While drawing an outline: give it up', keys: ['Escape'], isFixed: true },
  {
    command: 'corner-drop',
    title: 'Click a corner of an outline with this held to drop it',
    keys: ['Alt'],
    isFixed: true,
  },
];

export const objects: KindFace = {
  Stage,
  Panel,
  View,
  operations: (ontology) => objectOperations(ontology, newId),
  stageKeys: (ontology) => canvasKeys(ontology),
};

/** fitKey: what fits the picture to the screen. */
export function canvasKeys(ontology: Ontology, fitKey = 'F'): Binding[] {
  return [
    ...CANVAS_KEYS.map((one) => (one.command === 'fit' ? { ...one, keys: [fitKey] } : one)),
    ...(shapesFor(ontology).some((type) => faceOfType(type).gesture.lasts) ? LASTING_KEYS : []),
    ...(shapesFor(ontology).some((type) => faceOfType(type).cut) ? [SLICE_KEY] : []),
    ...shapesFor(ontology).flatMap((type) => {
      const { key, words, ways = [] } = faceOfType(type);
      return [
        { command: `draw:${type}`, title: words.draw, keys: [key] },
        ...ways.map((way) => ({ command: `draw:${type}:${way.id}`, title: way.title, keys: [way.key] })),
      ];
    }),
  ];
}
