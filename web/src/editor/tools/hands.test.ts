import { describe, expect, it } from 'vitest';
import { selectObjects } from '../actions/select_objects';
import { type Document, objectsOf } from '../core/document';
import { handlePoint, knobPoint, type Point, turnedTo } from '../core/geometry';
import { box, boxes, IMAGE, turnOf } from '../testing';
import { back, cancel, drag, finish, held, press, release } from './hands';
import { EMPTY_HANDS, type Hands, type Tool, type Turn } from './tool';

const BOX: Tool = { does: 'draw', shape: 'box' };
const POINT: Tool = { does: 'draw', shape: 'point' };
const OUTLINE: Tool = { does: 'draw', shape: 'polygon' };
const SELECT: Tool = { does: 'select' };
const REACH_PX = 4;

const scene = boxes(box('big', 10, 10, 100, 80), box('small', 40, 40, 20, 20));
const pointing = (x: number, y: number) => ({ at: { x, y }, image: IMAGE, reach_px: REACH_PX });
const down = (x: number, y: number, tool: Tool, document = scene, hands = EMPTY_HANDS, extra = {}) =>
  press(hands, {
    ...pointing(x, y),
    document,
    tool,
    arm_px: 12,
    wantsPan: false,
    wantsDrop: false,
    newId: () => 'new',
    ...extra,
  });
const up = (hands: Hands, x: number, y: number, document = scene, snaps = false) =>
  release(hands, pointing(x, y), document, 12, snaps);
const applied = (turn: Turn, document: Document) => turn.action?.(document) ?? document;
/** Clicks one place after the other. */
const clicks = (tool: Tool, document: Document, ...places: [number, number][]): Turn => {
  let turn: Turn = { hands: EMPTY_HANDS };
  for (const [x, y] of places) {
    turn = down(x, y, tool, document, turn.hands);
    if (!turn.action) turn = up(turn.hands, x, y, document);
  }
  return turn;
};
const drawnBy = (turn: Turn, document: Document) => objectsOf(applied(turn, document)).at(-1)?.shape;

describe('a press of the pointer', () => {
  it('draws in drawing mode, even inside another box', () => {
    expect(down(45, 45, BOX).hands).toMatchObject({ hold: { is: 'sketch' }, drawing: { id: 'new', shape: 'box' } });
  });
  it('selects and moves the smallest box under it in selecting mode', () => {
    expect(down(45, 45, SELECT)).toMatchObject({ hands: { hold: { is: 'move', id: 'small' } }, select: ['small'] });
  });
  it('takes a handle of the selected box before anything else', () => {
    const selected = selectObjects(['small'])(scene);
    expect(down(61, 59, BOX, selected).hands.hold).toEqual({ is: 'handle', id: 'small', handle: 'se' });
  });
  it('takes the knob above the selected box to turn it, also when the box is turned already', () => {
    const selected = selectObjects(['small'])(scene);
    expect(down(50, 28, BOX, selected).hands.hold).toEqual({ is: 'handle', id: 'small', handle: 'knob' });
    const turned = boxes({ ...box('small', 40, 40, 20, 20), shape: turnedTo(box('small', 40, 40, 20, 20).shape, 1) });
    const knob = knobPoint(turnedTo(box('small', 40, 40, 20, 20).shape, 1), 12);
    expect(down(knob.x, knob.y, SELECT, selectObjects(['small'])(turned)).hands.hold).toMatchObject({ handle: 'knob' });
  });
  it('takes the corner of a turned box where it is seen, not where it was before the turn', () => {
    const shape = turnedTo(box('a', 40, 40, 40, 10).shape, Math.PI / 2);
    const turned = selectObjects(['a'])(boxes({ ...box('a', 40, 40, 40, 10), shape }));
    const corner = handlePoint(shape, 'nw');
    expect(down(corner.x, corner.y, SELECT, turned).hands.hold).toMatchObject({ is: 'handle', handle: 'nw' });
    expect(down(41, 41, SELECT, turned).hands.hold).toEqual({ is: 'pan' });
  });
  it('pans on empty ground in selecting mode, and wherever panning is asked for', () => {
    expect(down(180, 95, SELECT)).toMatchObject({ hands: { hold: { is: 'pan' } }, select: [] });
    const asked = down(45, 45, BOX, scene, EMPTY_HANDS, { wantsPan: true });
    expect(asked.hands.hold).toEqual({ is: 'pan' });
    expect(asked.select).toBeUndefined();
  });
});

describe('a drag', () => {
  it('draws a box cut at the image’s edge', () => {
    const turn = up(down(150, 50, BOX).hands, 999, 60);
    expect(drawnBy(turn, boxes())).toMatchObject({ x: 150, y: 50, w: 50, h: 10 });
    expect(turn.hands).toEqual(EMPTY_HANDS);
  });
  it('shows what would be drawn before it is', () => {
    const { hands } = down(150, 50, BOX);
    const shown = held(hands, { x: 170, y: 70 }, IMAGE)?.(boxes()) ?? boxes();
    expect(objectsOf(shown)[0]?.shape).toMatchObject({ x: 150, y: 50, w: 20, h: 20 });
  });
  it('selects what is there where it is as small as a click', () => {
    const turn = up(down(45, 45, BOX).hands, 45.5, 45);
    expect(turn.action).toBeUndefined();
    expect(turn).toMatchObject({ hands: EMPTY_HANDS, select: ['small'] });
    expect(up(down(180, 95, BOX).hands, 180, 95)).toMatchObject({ hands: EMPTY_HANDS, select: [] });
  });
  it('moves from where it began, not from the box’s corner', () => {
    const turn = up(down(45, 45, SELECT).hands, 55, 40);
    expect(objectsOf(applied(turn, scene))[1]?.shape).toMatchObject({ x: 50, y: 35 });
  });
  it('turns the top of the box towards the pointer, in steps of 15° while Shift is held', () => {
    const hands: Hands = { hold: { is: 'handle', id: 'small', handle: 'knob' }, drawing: null };
    expect(turnOf(applied(up(hands, 80, 40), scene), 1)).toBeCloseTo(Math.atan2(30, 10), 3);
    expect(turnOf(applied(up(hands, 80, 40, scene, true), scene), 1)).toBeCloseTo((75 * Math.PI) / 180, 3);
  });
});

describe('a click that draws', () => {
  it('sets a point, cut at the image’s edge', () => {
    expect(drawnBy(up(down(150, 95, POINT).hands, 250, 95), boxes())).toEqual({ type: 'point', x: 200, y: 95 });
  });

  it('takes hold of a point that is there, and passes over boxes', () => {
    const at = { id: 'p', cls: 'car', shape: { type: 'point' as const, x: 50, y: 50 } };
    const document = boxes(box('big', 10, 10, 100, 80), at);
    expect(down(52, 50, POINT, document)).toMatchObject({ hands: { hold: { is: 'move', id: 'p' } }, select: ['p'] });
    expect(down(80, 50, POINT, document).hands.drawing).toMatchObject({ shape: 'point' });
  });
});

describe('a shape of several clicks', () => {
  const square: [number, number][] = [
    [20, 20],
    [80, 20],
    [80, 60],
    [20, 60],
  ];
  const SQUARE = { type: 'polygon', points: square };

  it('waits for its next corner between the clicks, and is no object yet', () => {
    const turn = clicks(OUTLINE, boxes(), ...square);
    expect(turn.action).toBeUndefined();
    expect(turn.hands).toMatchObject({ hold: null, drawing: { sketch: { places: { length: 4 }, done: false } } });
    expect(held(turn.hands, { x: 5, y: 5 }, IMAGE)).toBeNull();
  });
  it.each<[string, (hands: Hands) => Turn]>([
    ['Enter', (hands) => finish(hands, IMAGE)],
    ['a click on its first corner', (hands) => down(22, 21, OUTLINE, boxes(), hands)],
    ['a double click on its last', (hands) => down(20.5, 60.5, OUTLINE, boxes(), hands)],
  ])('is closed by %s, as one step', (_, end) => {
    const turn = end(clicks(OUTLINE, boxes(), ...square).hands);
    expect(drawnBy(turn, boxes())).toEqual(SQUARE);
    expect(turn.hands).toEqual(EMPTY_HANDS);
  });
  it('is not closed by anything before it has three corners', () => {
    const two = clicks(OUTLINE, boxes(), [20, 20], [80, 20]).hands;
    expect(finish(two, IMAGE)).toEqual({ hands: two });
    expect(down(80, 20, OUTLINE, boxes(), two).hands.drawing).toEqual(two.drawing);
    const third = down(21, 20, OUTLINE, boxes(), two);
    expect(third.action).toBeUndefined();
    expect(third.hands.drawing?.sketch.places).toHaveLength(3);
  });
  it('gives back its corners one by one, and is gone with the first', () => {
    let { hands } = clicks(OUTLINE, boxes(), ...square);
    for (const left of [3, 2, 1]) {
      ({ hands } = back(hands));
      expect(hands.drawing?.sketch.places).toHaveLength(left);
    }
    expect(back(hands).hands).toEqual(EMPTY_HANDS);
    expect(cancel().hands).toEqual(EMPTY_HANDS);
  });
  it('comes to nothing where it holds less than a pixel', () => {
    const thin = clicks(OUTLINE, boxes(), [20, 20], [60, 20], [40, 20]);
    expect(finish(thin.hands, IMAGE)).toEqual({ hands: EMPTY_HANDS });
  });
  it('stays in hand while the picture is moved under it', () => {
    const before = clicks(OUTLINE, boxes(), [20, 20], [80, 20]).hands;
    const panning = down(50, 50, OUTLINE, boxes(), before, { wantsPan: true }).hands;
    expect(panning).toEqual({ hold: { is: 'pan' }, drawing: before.drawing });
    expect(up(panning, 90, 90).hands).toEqual(before);
  });
  it('goes on over what is there: nothing is taken hold of or selected on the way', () => {
    const selected = selectObjects(['small'])(scene);
    const begun = clicks(OUTLINE, selected, [150, 20]).hands;
    const next = down(60, 60, OUTLINE, selected, begun);
    expect(next.hands.hold).toEqual({ is: 'sketch' });
    expect(next.hands.drawing?.sketch.places).toHaveLength(2);
  });
  it('follows a hand that draws without letting go, corner after corner', () => {
    let hands = down(20, 50, OUTLINE, boxes()).hands;
    const path: Point[] = Array.from({ length: 200 }, (_, at) => ({
      x: 60 - 40 * Math.cos((at / 200) * 2 * Math.PI),
      y: 50 - 40 * Math.sin((at / 200) * 2 * Math.PI),
    }));
    for (const { x, y } of path) hands = drag(hands, pointing(x, y)).hands;
    const places = hands.drawing?.sketch.places ?? [];
    expect(places.length).toBeGreaterThan(20);
    expect(places.length).toBeLessThan(60);
    const turn = finish(up(hands, 20, 50, boxes()).hands, IMAGE);
    expect(objectsOf(applied(turn, boxes()))).toHaveLength(1);
  });
  it('gives up a corner that is clicked with Alt, and never the last three', () => {
    const drawn = applied(finish(clicks(OUTLINE, boxes(), ...square).hands, IMAGE), boxes());
    const dropped = applied(down(80, 60, SELECT, drawn, EMPTY_HANDS, { wantsDrop: true }), drawn);
    expect(objectsOf(dropped)[0]?.shape).toMatchObject({ points: [square[0], square[1], square[3]] });
    const again = applied(down(80, 20, SELECT, dropped, EMPTY_HANDS, { wantsDrop: true }), dropped);
    expect(again).toBe(dropped);
  });
  it('grows a corner where the middle of a side is pulled', () => {
    const drawn = applied(finish(clicks(OUTLINE, boxes(), ...square).hands, IMAGE), boxes());
    const turn = up(down(50, 20, SELECT, drawn).hands, 50, 5);
    expect(objectsOf(applied(turn, drawn))[0]?.shape).toEqual({
      type: 'polygon',
      points: [[20, 20], [50, 5], ...square.slice(1)],
    });
  });
});
