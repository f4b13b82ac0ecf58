import { faceOfType } from '../shapes';
import { type Begins, EMPTY_HANDS, type Tool } from './tool';

type Drawn = Extract<Tool, { does: 'draw' }>;

/** Begins a shape; of the objects under the pointer only the selected one, or one that a click would cover, is taken. */
export const draw: Begins<Drawn> = (press, { shape }, under) => {
  const { gesture } = faceOfType(shape);
  const move = under && { ...EMPTY_HANDS, hold: { is: 'move', id: under.object.id, from: press.at } as const };
  if (move && gesture.takesHold && under.object.shape.type === shape) return { hands: move, select: [under.object.id] };
  // A new object may begin inside another; only the selected one is grabbed while drawing.
  if (move && press.document.selected.includes(under.object.id)) return { hands: move };
  const drawing = { id: press.newId(), shape, sketch: gesture.begin(press) };
  return { hands: { hold: { is: 'sketch' }, drawing }, select: [] };
};
