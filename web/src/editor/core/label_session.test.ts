import { describe, expect, it } from 'vitest';
import { addObject } from '../actions/add_object';
import { chooseValue } from '../actions/choose_value';
import { selectObjects } from '../actions/select_objects';
import { setText } from '../actions/set_text';
import { BOXES, box, boxes, CHOICE, handIdle, sessionOf, TEXT } from '../testing';
import { openDocument } from './document';
import { openHistory } from './history';
import { LabelSession } from './label_session';

const NEAR = { scale: 8, x: -100, y: -100 };
const FAR = { scale: 1, x: 0, y: 0 };
const SHAPE = { type: 'box' as const, x: 1, y: 1, w: 5, h: 5 };

describe('a label being edited', () => {
  it('shows a step that is taken back, or done again, as it was looked at when it came about', () => {
    const session = sessionOf(BOXES);
    session.view = NEAR;
    session.perform(addObject('a', SHAPE));
    session.view = FAR;
    session.perform(addObject('b', SHAPE));
    expect(session.wanted).toBeNull();
    session.undo();
    expect(session.wanted).toEqual(FAR);
    session.undo();
    expect(session.wanted).toEqual(NEAR);
    session.redo();
    expect(session.wanted).toEqual(NEAR);
    expect(session.lookedAt).toBe(3);
  });

  it('brings the selection back with its step', () => {
    const session = sessionOf(BOXES, boxes(box('a', 0, 0, 5, 5), box('b', 50, 0, 5, 5)));
    session.perform(selectObjects(['a']));
    session.perform(addObject('c', SHAPE));
    session.perform(selectObjects(['b']));
    session.undo();
    expect(session.document.selected).toEqual(['a']);
  });

  it('draws what the class asks for, else what was chosen', () => {
    const session = sessionOf({
      kind: 'objects',
      classes: [{ name: 'car', geometry: 'box' }, { name: 'any' }, { name: 'spot', geometry: 'point' }],
    });
    expect(session.shape).toBe('box');
    session.choose('point');
    expect(session.shape).toBe('point');
    expect(session.document.cls).toBe('any');
    expect(sessionOf(CHOICE).shape).toBe('box');
  });
});

describe('the rules of a label being edited', () => {
  const rulesIn = (session: ReturnType<typeof sessionOf>) => session.issues.map(({ rule }) => rule);
  const item = { text: 'x' };

  it('look in the next pause, never while something is done', () => {
    const hand = handIdle();
    let asked = 0;
    const spied = new Proxy(CHOICE, {
      get: (target, name) => {
        asked += 1;
        return Reflect.get(target, name);
      },
    });
    const session = new LabelSession(
      { ontology: spied, item },
      openHistory(openDocument(CHOICE)),
      undefined,
      hand.idle,
    );
    let told = 0;
    session.subscribeIssues(() => {
      told += 1;
    });
    expect(rulesIn(session)).toEqual([]);
    session.perform(chooseValue('fox', false));
    session.perform(chooseValue('ape', false));
    expect(rulesIn(session)).toEqual([]);
    expect({ asked, told, waiting: hand.waiting }).toEqual({ asked: 0, told: 0, waiting: 1 });
    hand.pause();
    expect(told).toBe(1);
    expect(asked).toBeGreaterThan(0);
    expect(session.issues.map(({ id }) => id)).toEqual(['choice-known:ape']);
    expect(session.isChecked).toBe(true);
    // What was found stands until the next look; nothing waits where nothing changed.
    expect(hand.waiting).toBe(0);
    session.perform(chooseValue('cat', false));
    expect(session.isChecked).toBe(false);
    expect(rulesIn(session)).toEqual(['choice-known']);
    hand.pause();
    expect(rulesIn(session)).toEqual([]);
  });

  it('go on in the next pause where one was too short', () => {
    const hand = handIdle();
    const many = Array.from({ length: 5 }, (_, at) => box(`o${at}`, at * 30, 0, 0, 0));
    const session = sessionOf(BOXES, boxes(...many), hand.idle);
    session.see('shown');
    let pauses = 0;
    for (; !session.isChecked && pauses < 20; pauses += 1) {
      expect(rulesIn(session)).toEqual([]);
      hand.pause(() => false);
    }
    // an object a pause, and one for what looks at the whole label
    expect(pauses).toBe(6);
    expect(rulesIn(session)).toHaveLength(5);
  });

  it('are waited for by whoever sends: what was changed last counts', async () => {
    const { idle } = handIdle();
    const session = sessionOf(BOXES, boxes(box('a', 0, 0, 5, 5)), idle);
    session.see('shown');
    expect(session.isSound()).toBe(true);
    session.perform(addObject('b', { type: 'box', x: 0, y: 0, w: 0, h: 0 }));
    expect(rulesIn(session)).toEqual([]);
    expect(session.isSound()).toBe(false);

    const large = sessionOf(
      BOXES,
      boxes(...Array.from({ length: 1_200 }, (_, at) => box(`o${at}`, 0, 0, 0, at))),
      idle,
    );
    large.see('shown');
    expect(large.check(200)).toBe(false);
    const done = large.checked();
    large.perform(addObject('last', { type: 'box', x: 500, y: 0, w: 5, h: 5 }));
    await done;
    expect(large.issues.some(({ id }) => id === 'box-inside-image:last')).toBe(true);
  });

  it('mend the label as it is, not as it was when they looked', () => {
    const hand = handIdle();
    const session = sessionOf(TEXT, openDocument(TEXT, { kind: 'text', text: 'too long for it' }), hand.idle);
    session.see('shown');
    expect(session.issues).toEqual([]);
    hand.pause();
    const [shown] = session.issues;
    session.perform(setText('something else that is too long'));
    session.mend(shown?.id ?? '');
    expect(session.document.label).toEqual({ kind: 'text', text: 'somethin' });
    // An issue that is gone mends nothing.
    session.mend(shown?.id ?? '');
    expect(session.document.label).toEqual({ kind: 'text', text: 'somethin' });
  });
});
