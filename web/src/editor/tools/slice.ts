import { objectsOf } from '../core/document';
import { faceOf, gestureOf } from '../shapes';
import { select } from './select';
import { type Begins, EMPTY_HANDS, type Tool } from './tool';

type Slice = Extract<Tool, { does: 'slice' }>;

/** Begins the line along which the one selected outline is cut; without one, a press selects. */
export const slice: Begins<Slice> = (press, _tool, under) => {
  const [only, more] = press.document.selected;
  const object = objectsOf(press.document).find(({ id }) => id === only);
  if (!object || more !== undefined || !faceOf(object.shape).cut) return select(press, { does: 'select' }, under);
  const drawing = {
    id: press.newId(),
    shape: 'polyline' as const,
    cuts: object.id,
    sketch: gestureOf('polyline', null).begin(press),
  };
  return { hands: { ...EMPTY_HANDS, hold: { is: 'sketch' }, drawing } };
};
