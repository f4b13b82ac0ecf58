import { type Begins, EMPTY_HANDS } from './tool';

/**
 * Takes hold of what lies under the pointer; on empty ground it moves the picture. With Shift a rectangle is pulled out
 * over what is to be selected; with Ctrl what is pressed is added to the selection, or leaves it.
 */
export const select: Begins = (press, _tool, under) => {
  const { at, document } = press;
  if (press.wantsBand) return { hands: { ...EMPTY_HANDS, hold: { is: 'band', from: at } } };
  if (!under) return { hands: { ...EMPTY_HANDS, hold: { is: 'pan' } }, select: [] };
  const { id } = under.object;
  if (press.wantsMore) {
    const rest = document.selected.filter((one) => one !== id);
    return { hands: EMPTY_HANDS, select: rest.length < document.selected.length ? rest : [...rest, id] };
  }
  return { hands: { ...EMPTY_HANDS, hold: { is: 'move', id, from: at } }, select: [id] };
};
