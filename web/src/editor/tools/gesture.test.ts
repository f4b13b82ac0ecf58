import { describe, expect, it } from 'vitest';
import { selectObjects } from '../actions/select_objects';
import { objectsOf } from '../core/document';
import { handlePoint, knobPoint, turnedTo } from '../core/geometry';
import { box, boxes, IMAGE } from '../testing';
import { beginGesture, gestureAction, type Mode } from './gesture';

const scene = boxes(box('big', 10, 10, 100, 80), box('small', 40, 40, 20, 20));
const begin = (x: number, y: number, mode: Mode, document = scene, wantsPan = false) =>
  beginGesture({ document, mode, point: { x, y }, reach_px: 4, arm_px: 12, wantsPan, newId: () => 'new' });

describe('a press of the pointer', () => {
  it('draws in drawing mode, even inside another box', () => {
    expect(begin(45, 45, 'draw').gesture).toMatchObject({ kind: 'draw', id: 'new' });
  });
  it('selects and moves the smallest box under it in selecting mode', () => {
    expect(begin(45, 45, 'select')).toMatchObject({ gesture: { kind: 'move', id: 'small' }, select: ['small'] });
  });
  it('takes a handle of the selected box before anything else', () => {
    const selected = selectObjects(['small'])(scene);
    expect(begin(61, 59, 'draw', selected).gesture).toEqual({ kind: 'resize', id: 'small', handle: 'se' });
  });
  it('takes the knob above the selected box to turn it, also when the box is turned already', () => {
    const selected = selectObjects(['small'])(scene);
    expect(begin(50, 28, 'draw', selected).gesture).toEqual({ kind: 'rotate', id: 'small' });
    const turned = boxes({ ...box('small', 40, 40, 20, 20), shape: turnedTo(box('small', 40, 40, 20, 20).shape, 1) });
    const shape = objectsOf(turned)[0]?.shape ?? box('none', 0, 0, 1, 1).shape;
    const knob = knobPoint(shape, 12);
    expect(begin(knob.x, knob.y, 'select', selectObjects(['small'])(turned)).gesture.kind).toBe('rotate');
  });
  it('takes the corner of a turned box where it is seen, not where it was before the turn', () => {
    const shape = turnedTo(box('a', 40, 40, 40, 10).shape, Math.PI / 2);
    const turned = selectObjects(['a'])(boxes({ ...box('a', 40, 40, 40, 10), shape }));
    const corner = handlePoint(shape, 'nw');
    expect(begin(corner.x, corner.y, 'select', turned).gesture).toMatchObject({ kind: 'resize', handle: 'nw' });
    expect(begin(41, 41, 'select', turned).gesture.kind).toBe('pan');
  });
  it('pans on empty ground in selecting mode, and wherever panning is asked for', () => {
    expect(begin(180, 95, 'select')).toMatchObject({ gesture: { kind: 'pan' }, select: [] });
    expect(begin(45, 45, 'draw', scene, true)).toMatchObject({ gesture: { kind: 'pan' }, select: null });
  });
});

describe('a drag', () => {
  it('draws a box cut at the image’s edge', () => {
    const action = gestureAction({ kind: 'draw', id: 'new', from: { x: 150, y: 50 } }, { x: 999, y: 60 }, IMAGE);
    expect(objectsOf(action?.(boxes()) ?? boxes())[0]?.shape).toMatchObject({ x: 150, y: 50, w: 50, h: 10 });
  });
  it('is nothing while it is as small as a click', () => {
    expect(gestureAction({ kind: 'draw', id: 'new', from: { x: 10, y: 10 } }, { x: 11, y: 10.5 }, IMAGE)).toBeNull();
  });
  it('moves from where it began, not from the box’s corner', () => {
    const action = gestureAction({ kind: 'move', id: 'small', from: { x: 45, y: 45 } }, { x: 55, y: 40 }, IMAGE);
    expect(objectsOf(action?.(scene) ?? scene)[1]?.shape).toMatchObject({ x: 50, y: 35 });
  });
  it('turns the top of the box towards the pointer, in steps of 15° while Shift is held', () => {
    const towards = { x: 80, y: 40 };
    const free = gestureAction({ kind: 'rotate', id: 'small' }, towards, IMAGE);
    expect(objectsOf(free?.(scene) ?? scene)[1]?.shape.rotation_rad).toBeCloseTo(Math.atan2(30, 10), 3);
    const stepped = gestureAction({ kind: 'rotate', id: 'small' }, towards, IMAGE, true);
    expect(objectsOf(stepped?.(scene) ?? scene)[1]?.shape.rotation_rad).toBeCloseTo((75 * Math.PI) / 180, 3);
  });
});
