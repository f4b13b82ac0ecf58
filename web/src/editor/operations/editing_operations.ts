/** What is done to several objects, or to the shape of one, beyond moving it. */

import { msg } from '../../i18n/msg';
import { convertObject } from '../actions/convert_object';
import { joinObjects } from '../actions/join_objects';
import { orderObjects } from '../actions/order_objects';
import { pasteObjects } from '../actions/paste_objects';
import { selectObjects } from '../actions/select_objects';
import { setAside } from '../actions/set_aside';
import { setShape } from '../actions/set_shape';
import { type Document, objectsOf } from '../core/document';
import type { Size } from '../core/geometry';
import type { LabelSession } from '../core/label_session';
import { classNamed } from '../core/ontology';
import { LEAST_RADIUS_PX, MOST_RADIUS_PX, toolbox } from '../core/toolbox';
import { faceOf } from '../shapes';
import type { Operation } from './operation';

const NOTHING_SELECTED = 'Select an object first.';
const SIMPLER_PX = 1;
const BRUSH_STEP = Math.SQRT2;

const chosen = (document: Document) => objectsOf(document).filter(({ id }) => document.selected.includes(id));
const needsSelection = ({ document }: LabelSession) => (document.selected.length > 0 ? null : NOTHING_SELECTED);

function whyNotJoined({ document }: LabelSession): string | null {
  const [first, ...others] = chosen(document);
  if (!first || others.length === 0) return msg('Select two objects or more.');
  if (!faceOf(first.shape).joined) return msg('These cannot be put together.');
  const isAlike = others.every(({ cls, shape }) => cls === first.cls && shape.type === first.shape.type);
  return isAlike ? null : msg('Only objects of one class and shape are put together.');
}

/** Whether every selected shape has this part of its row of the table. */
const every =
  (part: 'simpler' | 'places' | 'rings', otherwise: string) =>
  ({ document }: LabelSession): string | null => {
    const objects = chosen(document);
    if (objects.length === 0) return NOTHING_SELECTED;
    return objects.every(({ shape }) => faceOf(shape)[part]) ? null : otherwise;
  };

function brushBy(factor: number): void {
  const radius = toolbox.get().radius_px * factor;
  toolbox.set({ radius_px: Math.min(MOST_RADIUS_PX, Math.max(LEAST_RADIUS_PX, radius)) });
}

/** Visible objects are those one may select at once. */
const selectable = ({ hidden = [], locked = [], ...document }: Document) =>
  objectsOf(document)
    .map(({ id }) => id)
    .filter((id) => !hidden.includes(id) && !locked.includes(id));

/** One step of history for all of them. */
function reshape(session: LabelSession, change: (id: string) => (document: Document) => Document): void {
  const ids = session.document.selected;
  session.perform((document) => ids.reduce((now, id) => change(id)(now), document));
}

export function editingOperations(newId: () => string, sizeOf: (session: LabelSession) => Size): Operation[] {
  return [
    {
      id: 'select-all',
      title: 'Select all objects',
      keys: ['Ctrl+A'],
      disabledBecause: ({ document }) => (objectsOf(document).length > 0 ? null : 'There is no object yet.'),
      run: (session) => session.perform(selectObjects(selectable(session.document))),
    },
    {
      id: 'copy',
      title: 'Copy the selected objects',
      keys: ['Ctrl+C'],
      disabledBecause: needsSelection,
      run: ({ document }) => toolbox.set({ copied: chosen(document) }),
    },
    {
      id: 'paste',
      title: 'Paste, here or in another item',
      keys: ['Ctrl+V'],
      disabledBecause: () => (toolbox.get().copied.length > 0 ? null : 'Nothing was copied yet.'),
      run: (session) => {
        // Of classes that another project had nothing is pasted here.
        const known = toolbox.get().copied.filter(({ cls }) => classNamed(session.setting.ontology, cls));
        session.perform(pasteObjects(known, newId, sizeOf(session)));
      },
    },
    {
      id: 'join',
      title: 'Put the selected objects together',
      keys: ['J'],
      disabledBecause: whyNotJoined,
      run: (session) => session.perform(joinObjects(session.document.selected)),
    },
    {
      id: 'simplify',
      title: 'Simplify the selected outline or line',
      keys: ['Shift+S'],
      disabledBecause: every('simpler', msg('Only outlines and lines are simplified.')),
      run: (session) =>
        reshape(session, (id) => (document) => {
          const object = objectsOf(document).find((one) => one.id === id);
          const shape = object && faceOf(object.shape).simpler?.(object.shape, SIMPLER_PX);
          return shape ? setShape(id, shape)(document) : document;
        }),
    },
    {
      id: 'convert',
      title: 'Make a mask of the selected outline, or an outline of the mask',
      keys: ['Shift+C'],
      disabledBecause: every('rings', msg('Only outlines and masks are made of each other.')),
      run: (session) => reshape(session, (id) => convertObject(id, sizeOf(session))),
    },
    {
      id: 'mirror',
      title: 'Swap left and right of the selected skeleton',
      keys: ['Shift+K'],
      disabledBecause: every('places', msg('Only skeletons have a left and a right.')),
      run: (session) =>
        reshape(session, (id) => (document) => {
          const object = objectsOf(document).find((one) => one.id === id);
          const places = object && faceOf(object.shape).places;
          if (!object || !places) return document;
          const spec = classNamed(session.setting.ontology, object.cls);
          return setShape(id, places.mirrored(object.shape, spec))(document);
        }),
    },
    {
      id: 'to-front',
      title: 'Bring to the front',
      keys: ['PageUp'],
      disabledBecause: needsSelection,
      run: (session) => session.perform(orderObjects(session.document.selected, 'front')),
    },
    {
      id: 'to-back',
      title: 'Send to the back',
      keys: ['PageDown'],
      disabledBecause: needsSelection,
      run: (session) => session.perform(orderObjects(session.document.selected, 'back')),
    },
    {
      id: 'hide',
      title: 'Hide the selected objects',
      keys: ['H'],
      disabledBecause: needsSelection,
      run: (session) => session.perform(setAside('hidden', session.document.selected)),
    },
    {
      id: 'show-all',
      title: 'Show all objects again',
      keys: ['Shift+H'],
      disabledBecause: ({ document }) => (document.hidden?.length ? null : 'Nothing is hidden.'),
      run: (session) => session.perform(setAside('hidden', session.document.hidden ?? [])),
    },
    {
      id: 'isolate',
      title: 'Show the selected objects alone',
      keys: ['Alt+H'],
      disabledBecause: needsSelection,
      run: (session) =>
        session.perform((document) => ({
          ...document,
          hidden: objectsOf(document)
            .map(({ id }) => id)
            .filter((id) => !document.selected.includes(id)),
        })),
    },
    {
      id: 'lock',
      title: 'Lock the selected objects',
      keys: ['Alt+L'],
      disabledBecause: needsSelection,
      run: (session) => session.perform(setAside('locked', session.document.selected)),
    },
    {
      id: 'unlock-all',
      title: 'Unlock all objects',
      keys: ['Alt+Shift+L'],
      disabledBecause: ({ document }) => (document.locked?.length ? null : 'Nothing is locked.'),
      run: (session) => session.perform(setAside('locked', session.document.locked ?? [])),
    },
    {
      id: 'brush-smaller',
      title: 'A smaller brush',
      keys: ['Alt+['],
      repeats: true,
      disabledBecause: () => null,
      run: () => brushBy(1 / BRUSH_STEP),
    },
    {
      id: 'brush-larger',
      title: 'A larger brush',
      keys: ['Alt+]'],
      repeats: true,
      disabledBecause: () => null,
      run: () => brushBy(BRUSH_STEP),
    },
    {
      id: 'erases',
      title: 'Painting adds or takes away',
      keys: ['Shift+X'],
      disabledBecause: () => null,
      run: () => toolbox.set({ erases: !toolbox.get().erases }),
    },
  ];
}
