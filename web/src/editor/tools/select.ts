import { type Begins, EMPTY_HANDS } from './tool';

/** Takes hold of what lies under the pointer; on empty ground it moves the picture. */
export const select: Begins = ({ at }, _tool, under) =>
  under
    ? { hands: { ...EMPTY_HANDS, hold: { is: 'move', id: under.object.id, from: at } }, select: [under.object.id] }
    : { hands: { ...EMPTY_HANDS, hold: { is: 'pan' } }, select: [] };
