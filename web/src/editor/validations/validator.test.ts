/** What is looked at after a change, and that it comes to the same as looking at everything. */
import { describe, expect, it } from 'vitest';
import type { Kind, LabelObject, Ontology } from '../../api/types';
import { addObject } from '../actions/add_object';
import { deleteObjects } from '../actions/delete_objects';
import { moveObject } from '../actions/move_object';
import { setAttribute } from '../actions/set_attribute';
import { setClass } from '../actions/set_class';
import { type Action, type Document, objectsOf, openDocument, type Setting, withObjects } from '../core/document';
import { modelOf } from '../kinds/models';
import { BOXES, box, boxes, settingOf } from '../testing';
import { type Issue, Validator, validate } from './index';
import type { Rule } from './rule';

const IMAGE = { width: 4_000, height: 4_000 };
const POLYGONS: Ontology = { kind: 'objects', classes: [{ name: 'car' }, { name: 'person' }] };
const SETTING: Setting = { ontology: POLYGONS, item: { url: '/x.png', ...IMAGE } };

/** The rules of a kind, each evaluation counted. */
function counted() {
  const count = { object: 0, pair: 0, key: 0, document: 0 };
  const countedAs =
    (scope: Rule['scope']) =>
    <Given extends unknown[], Got>(act: (...given: Given) => Got) =>
    (...given: Given): Got => {
      count[scope] += 1;
      return act(...given);
    };
  const spied = (rule: Rule): Rule => {
    const one = countedAs(rule.scope);
    if (rule.scope === 'pair') return { ...rule, breaks: one(rule.breaks) };
    if (rule.scope === 'key') return { ...rule, key: one(rule.key) };
    return rule.scope === 'object' ? { ...rule, find: one(rule.find) } : { ...rule, find: one(rule.find) };
  };
  const rulesOf = (kind: Kind): Rule[] => modelOf(kind).rules.map(spied);
  const total = () => Object.values(count).reduce((sum, each) => sum + each, 0);
  const reset = () => void Object.assign(count, { object: 0, pair: 0, key: 0, document: 0 });
  return { count, rulesOf, total, reset };
}

function run(validator: Validator, document: Document, setting: Setting): Issue[] {
  validator.take(document, setting);
  validator.look(() => true);
  return validator.issues();
}

const square = (at: number, side: number): LabelObject => {
  const [x, y] = [(at % side) * 80, Math.floor(at / side) * 80];
  const points: [number, number][] = [
    [x + 1, y + 1],
    [x + 41, y + 1],
    [x + 41, y + 41],
    [x + 1, y + 41],
  ];
  return { id: `o${at}`, cls: 'car', shape: { type: 'polygon', points } };
};

/** One corner of one outline moved by a pixel. */
const cornerMoved =
  (id: string): Action =>
  (document) =>
    withObjects(
      document,
      objectsOf(document).map((object) => {
        if (object.id !== id || object.shape.type !== 'polygon') return object;
        const [first = [0, 0], ...rest] = object.shape.points;
        return { ...object, shape: { ...object.shape, points: [[(first[0] ?? 0) + 1, first[1] ?? 0], ...rest] } };
      }),
    );

describe('what is looked at', () => {
  it.each([100, 2_000])('is one object where one vertex of %i moved', (size) => {
    const spied = counted();
    const validator = new Validator(spied.rulesOf);
    let document = openDocument(POLYGONS, {
      kind: 'objects',
      objects: Array.from({ length: size }, (_, at) => square(at, Math.ceil(Math.sqrt(size)))),
    });
    expect(run(validator, document, SETTING)).toEqual([]);
    expect(spied.count.object).toBeGreaterThanOrEqual(size);
    spied.reset();

    document = cornerMoved(`o${Math.floor(size / 2)}`)(document);
    run(validator, document, SETTING);
    // Each rule of one object once; the key of what went and of what came; nobody lies near.
    const rules = modelOf('objects').rules;
    expect(spied.count).toEqual({
      object: rules.filter(({ scope }) => scope === 'object').length,
      pair: 0,
      key: 2 * rules.filter(({ scope }) => scope === 'key').length,
      document: rules.filter(({ scope }) => scope === 'document').length,
    });
  });

  it('is what lies near, of all others', () => {
    const spied = counted();
    const validator = new Validator(spied.rulesOf);
    const many = Array.from({ length: 500 }, (_, at) => box(`o${at}`, (at % 25) * 8, Math.floor(at / 25) * 5, 6, 3));
    const setting = settingOf(BOXES);
    const document = boxes(...many);
    run(validator, document, setting);
    spied.reset();
    run(validator, moveObject('o31', 3, 0, IMAGE)(document), setting);
    expect(spied.count.pair).toBeGreaterThan(0);
    expect(spied.count.pair).toBeLessThan(9);
    expect(spied.total()).toBeLessThan(20);
  });

  it('is everything again in another setting: the picture may have come anew with another size', () => {
    const spied = counted();
    const validator = new Validator(spied.rulesOf);
    const document = boxes(box('a', 150, 10, 50, 50));
    expect(run(validator, document, settingOf(BOXES))).toEqual([]);
    const narrow = { ontology: BOXES, item: { url: '/y.png', width: 180, height: 100 } };
    expect(run(validator, document, narrow).map(({ rule }) => rule)).toEqual(['box-inside-image']);
  });

  it('is nothing where only the selection changed, and a rule of the whole label once for each change of it', () => {
    const spied = counted();
    const validator = new Validator(spied.rulesOf);
    const setting = settingOf(BOXES);
    const document = boxes(box('a', 10, 10, 50, 50));
    run(validator, document, setting);
    expect(spied.count.document).toBe(1);
    spied.reset();
    run(validator, { ...document, selected: ['a'], cls: 'person' }, setting);
    expect(spied.total()).toBe(0);
    run(validator, moveObject('a', 1, 0, IMAGE)(document), setting);
    expect(spied.count.document).toBe(1);
  });

  it('can be looked at piece by piece, with changes between the pieces', () => {
    const spied = counted();
    const validator = new Validator(spied.rulesOf);
    const many = Array.from({ length: 50 }, (_, at) => box(`o${at}`, at * 3, 0, 2, 2));
    let document = boxes(...many, box('small', 0, 50, 0, 0));
    const setting = settingOf(BOXES);
    validator.take(document, setting);
    let pieces = 0;
    while (!validator.hasLookedAt(document.label, setting)) {
      validator.look(() => false);
      pieces += 1;
      if (pieces === 10) document = deleteObjects(['o45', 'o3'])(document);
      if (pieces === 12) document = addObject('late', { type: 'box', x: 190, y: 0, w: 40, h: 2 })(document);
      validator.take(document, setting);
    }
    expect(validator.issues().map(({ id }) => id)).toEqual(['box-not-tiny:small', 'box-inside-image:late']);
    // Nothing was looked at twice, and what went before its turn not at all.
    const each = modelOf('objects').rules.filter(({ scope }) => scope === 'object').length;
    expect(spied.count.object).toBe(51 * each);
  });
});

/** Every rule asked of everything, two by two: slow, and plain to read. */
function plainly(document: Document, setting: Setting): string[] {
  const objects = objectsOf(document);
  const { rules } = modelOf(document.label.kind);
  const found: Issue[] = [];
  for (const rule of rules) if (rule.scope === 'document') found.push(...rule.find(document, setting));
  for (const rule of rules) {
    if (rule.scope === 'key' && new Set(objects.map(rule.key)).size < objects.length) found.push(rule.issue);
  }
  for (const object of objects) {
    for (const rule of rules) if (rule.scope === 'object') found.push(...rule.find(object, setting));
  }
  for (const rule of rules) {
    if (rule.scope !== 'pair') continue;
    objects.forEach((object, at) => {
      if (objects.slice(0, at).some((earlier) => rule.breaks(earlier, object, setting))) found.push(rule.issue(object));
    });
  }
  const errors = found.filter(({ severity }) => severity === 'error');
  return [...errors, ...found.filter(({ severity }) => severity === 'warning')].map(({ id }) => id);
}

/** Numbers from a seed: the same in each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('whatever is done', () => {
  it.each([1, 2, 3, 4, 5, 6])('the same is found as by asking everything anew (seed %i)', (seed) => {
    const roll = dice(seed);
    const below = (most: number) => Math.floor(roll() * most);
    const setting = settingOf(BOXES);
    let ids = 0;
    /** On a coarse grid, so that twins and boxes past the edge are common; a few of other shapes and classes. */
    const fresh = (): LabelObject => {
      ids += 1;
      const id = roll() < 0.05 ? `o${below(ids)}` : `o${ids}`;
      const [x, y] = [below(12) * 20 - 10, below(7) * 20 - 10];
      const cls = ['car', 'car', 'person', 'ufo'][below(4)] ?? 'car';
      if (roll() < 0.15) return { id, cls, shape: { type: 'point', x, y } };
      return box(id, x, y, below(3) * 20, 20, { cls, ...(roll() < 0.2 ? { attributes: { parked: true } } : {}) });
    };
    const actions: readonly ((document: Document, id: string) => Document)[] = [
      (document) => withObjects(document, [...objectsOf(document), fresh()]),
      (document) => {
        const objects = [...objectsOf(document)];
        objects.splice(below(objects.length + 1), 0, fresh(), fresh());
        return withObjects(document, objects);
      },
      (document, id) => deleteObjects([id])(document),
      (document, id) => moveObject(id, (below(3) - 1) * 20, (below(3) - 1) * 20, IMAGE)(document),
      (document, id) => setClass(['car', 'person'][below(2)] ?? 'car')({ ...document, selected: [id] }),
      (document, id) => setAttribute(id, 'parked', roll() < 0.5)(document),
      (document) => withObjects(document, [...objectsOf(document)].reverse()),
      (document) => withObjects(document, objectsOf(document).slice(0, below(30))),
    ];
    const validator = new Validator();
    let document = boxes(...Array.from({ length: 60 }, fresh));
    const past: Document[] = [];
    const idsOf = (issues: readonly Issue[]) => issues.map(({ id }) => id);
    for (let step = 0; step < 200; step += 1) {
      past.push(document);
      const id = objectsOf(document)[below(objectsOf(document).length)]?.id ?? '';
      const before = past[below(past.length)] ?? document;
      // Now and then a step back to any earlier label, whose objects come again as the same values.
      const act = roll() < 0.15 ? () => before : (actions[below(actions.length)] as (typeof actions)[number]);
      document = act(document, id);
      validator.take(document, setting);
      // Sometimes the next change comes before the looking is done.
      if (roll() < 0.3) {
        validator.look(() => roll() < 0.7);
        continue;
      }
      validator.look(() => true);
      expect(idsOf(validator.issues()), `step ${step}`).toEqual(plainly(document, setting));
      expect(idsOf(validate(document, setting)), `step ${step}`).toEqual(plainly(document, setting));
    }
  });
});
