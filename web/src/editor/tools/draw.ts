import { objectsOf } from '../core/document';
import { faceOfType, gestureOf, wayOf } from '../shapes';
import { type Begins, EMPTY_HANDS, type Tool } from './tool';

type Drawn = Extract<Tool, { does: 'draw' }>;

/** Begins a shape; of the objects under the pointer only the selected one, or one that a click would cover, is taken. */
export const draw: Begins<Drawn> = (press, { shape, way = null }, under) => {
  const gesture = gestureOf(shape, way);
  const other = wayOf(shape, way);
  const [only, more] = press.document.selected;
  const selected = objectsOf(press.document).find(({ id }) => id === only);
  const goesOn = Boolean(other ? other.onto : faceOfType(shape).onto);
  const onto = goesOn && selected?.shape.type === shape && more === undefined ? selected.id : null;
  const move = under && { ...EMPTY_HANDS, hold: { is: 'move', id: under.object.id, from: press.at } as const };
  if (onto === null) {
    if (move && gesture.takesHold && under.object.shape.type === shape)
      return { hands: move, select: [under.object.id] };
    // A new object may begin inside another; only the selected one is grabbed while drawing.
    if (move && press.document.selected.includes(under.object.id)) return { hands: move };
    // Nothing is selected that a hole could be cut into, or pixels erased from: the press selects.
    if (other?.needsOne) return { hands: EMPTY_HANDS, select: under ? [under.object.id] : [] };
  }
  const drawing = {
    id: press.newId(),
    shape,
    sketch: gesture.begin(press),
    ...(way ? { way } : {}),
    ...(onto ? { onto } : {}),
  };
  return { hands: { hold: { is: 'sketch' }, drawing }, ...(onto ? {} : { select: [] }) };
};
