import type { Ontology } from '../../api/types';
import { addObject } from '../actions/add_object';
import { deleteObjects } from '../actions/delete_objects';
import { duplicateObject } from '../actions/duplicate_object';
import { moveObject } from '../actions/move_object';
import { rotateObject } from '../actions/rotate_object';
import { selectObjects } from '../actions/select_objects';
import { setClass } from '../actions/set_class';
import { stretchObject } from '../actions/stretch_object';
import { classKeys } from '../core/class_keys';
import { objectsOf } from '../core/document';
import { type Size, snapped } from '../core/geometry';
import type { LabelSession } from '../core/label_session';
import { drawnClasses } from '../core/ontology';
import { faceOf, faceOfType } from '../shapes';
import { editingOperations } from './editing_operations';
import type { Operation } from './operation';

const NUDGE_PX = 1;
const BIG_NUDGE_PX = 10;
const NOTHING_SELECTED = 'Select an object first.';

export function imageSize(session: LabelSession): Size {
  return { width: session.setting.item.width ?? 1, height: session.setting.item.height ?? 1 };
}

const selectedOf = (session: LabelSession) => session.document.selected;
const needsSelection = (session: LabelSession) => (selectedOf(session).length > 0 ? null : NOTHING_SELECTED);

function classOperations(ontology: Ontology): Operation[] {
  return [...classKeys(drawnClasses(ontology), false)].map(([name, key]) => ({
    id: `class:${name}`,
    title: 'Class {name}',
    values: { name },
    keys: [key],
    disabledBecause: () => null,
    run: (session) => session.perform(setClass(name)),
  }));
}

const ARROWS = [
  ['Left', -1, 0],
  ['Right', 1, 0],
  ['Up', 0, -1],
  ['Down', 0, 1],
] as const;

function nudgeOperations(): Operation[] {
  return ARROWS.flatMap(([name, dx, dy]) => {
    const move = (keys: string, step: number, id: string, title: string): Operation => ({
      id: `${id}:${name}`,
      title,
      keys: [keys],
      repeats: true,
      disabledBecause: needsSelection,
      run: (session) => {
        for (const object of selectedOf(session)) {
          session.perform(moveObject(object, dx * step, dy * step, imageSize(session)), `${id}:${object}`);
        }
      },
    });
    const stretch: Operation = {
      id: `stretch:${name}`,
      title: 'Stretch by a pixel',
      keys: [`Alt+Arrow${name}`],
      repeats: true,
      disabledBecause: needsSelection,
      run: (session) => {
        for (const id of selectedOf(session)) {
          session.perform(stretchObject(id, dx, dy, imageSize(session)), `stretch:${id}`);
        }
      },
    };
    return [
      move(`Arrow${name}`, NUDGE_PX, 'nudge', 'Nudge by a pixel'),
      move(`Shift+Arrow${name}`, BIG_NUDGE_PX, 'nudge-far', 'Nudge by ten pixels'),
      stretch,
    ];
  });
}

const DEGREE_RAD = Math.PI / 180;
const STEP_RAD = 15 * DEGREE_RAD;

/** Turns every selected object; a coarse turn lands on a multiple of its step. */
function turnBy(session: LabelSession, step_rad: number): void {
  for (const id of selectedOf(session)) {
    const object = objectsOf(session.document).find((candidate) => candidate.id === id);
    if (!object) continue;
    const { turn } = faceOf(object.shape);
    if (!turn) continue;
    const angle_rad = turn.of(object.shape) + step_rad;
    const coarse = Math.abs(step_rad) >= STEP_RAD;
    session.perform(rotateObject(id, coarse ? snapped(angle_rad, STEP_RAD) : angle_rad), `turn:${id}`);
  }
}

const TURNS = [
  { id: 'turn-left', title: 'Turn left by a degree', key: '[', step_rad: -DEGREE_RAD },
  { id: 'turn-right', title: 'Turn right by a degree', key: ']', step_rad: DEGREE_RAD },
  { id: 'turn-far-left', title: 'Turn left by 15 degrees', key: '{', step_rad: -STEP_RAD },
  { id: 'turn-far-right', title: 'Turn right by 15 degrees', key: '}', step_rad: STEP_RAD },
] as const;

function turnOperations(): Operation[] {
  return TURNS.map(({ id, title, key, step_rad }) => ({
    id,
    title,
    keys: [key],
    repeats: true,
    disabledBecause: needsSelection,
    run: (session) => turnBy(session, step_rad),
  }));
}

function cycle(session: LabelSession, step: 1 | -1): void {
  const ids = objectsOf(session.document).map((object) => object.id);
  const at = ids.indexOf(selectedOf(session).at(-1) ?? '');
  const next = ids[at === -1 ? (step === 1 ? 0 : ids.length - 1) : (at + step + ids.length) % ids.length];
  if (next) session.perform(selectObjects([next]));
}

const hasObjects = (session: LabelSession) =>
  objectsOf(session.document).length > 0 ? null : 'There is no object yet.';

/** Everything that can be done to objects without a pointer. `newId` gives ids to new objects. */
export function objectOperations(ontology: Ontology, newId: () => string): Operation[] {
  return [
    ...classOperations(ontology),
    {
      id: 'object-at-centre',
      title: 'New object in the middle',
      keys: ['Shift+N'],
      disabledBecause: () => null,
      run: (session) => {
        const { shape } = session;
        session.perform(addObject(newId(), faceOfType(shape).middle(session.ground(imageSize(session)))));
      },
    },
    {
      id: 'delete',
      title: 'Delete the selected object',
      keys: ['Delete', 'Backspace'],
      disabledBecause: needsSelection,
      run: (session) => session.perform(deleteObjects(selectedOf(session))),
    },
    {
      id: 'duplicate',
      title: 'Duplicate the selected object',
      keys: ['Ctrl+D'],
      disabledBecause: needsSelection,
      run: (session) => {
        const id = selectedOf(session).at(-1);
        if (id) session.perform(duplicateObject(id, newId(), imageSize(session)));
      },
    },
    {
      id: 'next-object',
      title: 'Next object',
      keys: ['.'],
      repeats: true,
      disabledBecause: hasObjects,
      run: (session) => cycle(session, 1),
    },
    {
      id: 'previous-object',
      title: 'Previous object',
      keys: [','],
      repeats: true,
      disabledBecause: hasObjects,
      run: (session) => cycle(session, -1),
    },
    {
      id: 'deselect',
      title: 'Select nothing',
      keys: ['Escape'],
      disabledBecause: needsSelection,
      run: (session) => session.perform(selectObjects([])),
    },
    ...nudgeOperations(),
    ...turnOperations(),
    ...editingOperations(newId, imageSize),
  ];
}
