/** The tables of kinds and shapes hold what the server's own tables hold, each row with all its parts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ItemView, Kind, Label, Ontology, Shape } from '../api/types';
import { openDocument, type Setting } from './core/document';
import {
  MAX_ANSWER_FILE_BYTES,
  MAX_ANSWER_ROWS,
  MAX_EVENTS,
  MAX_KEYS,
  MAX_MASK_TILES,
  MAX_OBJECTS,
  MAX_POINTS,
  MAX_TEXT_CHARS,
  MAX_TRACKS,
} from './core/limits';
import { KINDS } from './kinds';
import { classesIn, emptyLabel, isEmpty, KIND_LIST, modelOf, wordsOf } from './kinds/models';
import { BLANK_OWNS, setupOf } from './kinds/setups';
import { NOTHING_NAMED } from './setup/setup';
import { faceOfType, SHAPE_TYPES } from './shapes';
import { validate } from './validations';

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

interface Catalogue {
  kinds: { name: Kind; schema: { $defs: Record<string, unknown> } }[];
  shapes: { name: Shape['type']; members: string[] }[];
  limits: Record<string, number>;
}
const catalogue = read('../../../src/cupola/labels/kinds.json') as Catalogue;
const IMAGE = { width: 400, height: 300 };
/** With a class that says all that a shape may need of one. */
const GROUND = {
  ...IMAGE,
  spec: {
    name: 'a',
    skeleton: {
      points: [
        { name: 'top', x: 0, y: 0 },
        { name: 'middle', x: 0.5, y: 0.5 },
        { name: 'foot', x: 1, y: 1 },
      ],
      edges: [['top', 'foot']] as [string, string][],
    },
  },
};

describe('the table of kinds', () => {
  it('has the kinds of the server, and no other', () => {
    const names = catalogue.kinds.map(({ name }) => name).sort();
    expect([...KIND_LIST].sort()).toEqual(names);
    expect(Object.keys(KINDS).sort()).toEqual(names);
  });

  it.each(catalogue.kinds.map(({ name }) => name))('gives all that a kind must give: %s', (kind) => {
    const model = modelOf(kind);
    const face = KINDS[kind];
    for (const part of [face.Stage, face.Panel, face.View, face.operations]) expect(part).toBeTypeOf('function');
    expect(model.kind).toBe(kind);
    expect(model.title).not.toBe('');
    const empty = emptyLabel(kind);
    expect(empty.kind).toBe(kind);
    expect(isEmpty(empty)).toBe(true);
    expect(wordsOf(empty)).toBeTypeOf('object');
    expect(openDocument({ kind }).label).toEqual(empty);
    expect(classesIn(empty)).toEqual([]);
    const setup = setupOf(kind);
    expect(setup.Form).toBeTypeOf('function');
    expect(setup.ontology(NOTHING_NAMED, BLANK_OWNS[kind]).kind).toBe(kind);
  });
});

/** The shape that comes of pressing and letting go at one corner after another of a large area, then of Enter. */
function drawnBy({ gesture }: ReturnType<typeof faceOfType>): Shape | null {
  const to = (x: number, y: number) => ({ at: { x, y }, image: GROUND, reach_px: 4 });
  let sketch = gesture.begin(to(20, 20));
  for (const [x, y] of [
    [120, 60],
    [110, 120],
    [30, 110],
  ] as const) {
    for (const step of ['drag', 'release', 'press'] as const) {
      const next: typeof sketch | null = gesture.extend(sketch, step, to(x, y));
      if (!next) return null;
      sketch = next;
      if (sketch.done) return gesture.shape(sketch, null, GROUND);
    }
  }
  const ended = gesture.finish(sketch);
  return ended && gesture.shape(ended, null, GROUND);
}

describe('the table of shapes', () => {
  it('has the shapes of the server, and no other', () => {
    expect([...SHAPE_TYPES].sort()).toEqual(catalogue.shapes.map(({ name }) => name).sort());
  });

  it.each(catalogue.shapes)('gives all that a shape must give: $name', ({ name, members }) => {
    const face = faceOfType(name);
    const middle = face.middle(GROUND);
    expect(middle.type).toBe(name);
    expect(Object.keys(middle).every((member) => member === 'type' || members.includes(member))).toBe(true);
    expect(face.faults(middle, IMAGE)).toEqual([]);
    expect(face.similarity(middle, middle)).toBe(1);

    const { left, top, right, bottom } = face.bounds(middle);
    const centre = { x: (left + right) / 2, y: (top + bottom) / 2 };
    expect(face.hit(middle, centre, 1)).toBe(true);
    expect(face.hit(middle, { x: -50, y: -50 }, 1)).toBe(false);
    for (const { x, y } of face.paths(middle, GROUND.spec).flatMap(({ points }) => points)) {
      expect(x).toBeGreaterThanOrEqual(left);
      expect(y).toBeLessThanOrEqual(bottom);
    }

    const moved = face.moved(middle, 7, -3, IMAGE);
    expect(face.bounds(moved)).toEqual({ left: left + 7, top: top - 3, right: right + 7, bottom: bottom - 3 });
    // Nothing is moved out of the image, and what a rule finds can be mended.
    expect(face.faults(face.moved(middle, 9_999, 9_999, IMAGE), IMAGE)).toEqual([]);
    for (const handle of face.handles(middle, 10)) {
      expect(face.dragged(middle, handle.id, handle.at, IMAGE, false).type).toBe(name);
    }
    const drawn = drawnBy(face);
    expect(drawn?.type).toBe(name);
    expect(drawn && face.faults(drawn, IMAGE)).toEqual([]);
    if (face.turn) expect(face.turn.of(face.turn.to(middle, 1))).toBeCloseTo(1, 3);
    expect(face.measure(middle)).not.toBe('');
    for (const words of Object.values(face.words)) expect(words).not.toBe('');
    // What lasts says how it ends.
    expect(face.words.hint !== undefined).toBe(face.gesture.lasts);
    if (face.stretched) expect(face.faults(face.stretched(middle, 5, 5, IMAGE), IMAGE)).toEqual([]);
    expect(face.size(middle) === null).toBe(face.stretched === null);
  });

  it('gives each shape a key of its own, none of which the canvas has', () => {
    const keys = SHAPE_TYPES.flatMap((type) => {
      const { key, ways = [] } = faceOfType(type);
      return [key, ...ways.map((way) => way.key)];
    });
    const operations = KINDS.objects.operations({ kind: 'objects', classes: [{ name: 'a' }] });
    const others = ['N', 'V', 'F', 'Alt+J', ...operations.flatMap((one) => one.keys)];
    expect(keys.filter((key, at) => others.includes(key) || keys.indexOf(key) !== at)).toEqual([]);
  });
});

interface Case {
  name: string;
  ontology: Ontology;
  label: Label;
  facts?: Partial<NonNullable<ItemView['facts']>>;
  refused?: { code: string; place: string };
  /** What the ontology says instead where the label is taken: by place; null for nothing. */
  unless?: Record<string, unknown>;
}
const NO_FACTS: NonNullable<ItemView['facts']> = {
  media: '',
  width_px: null,
  height_px: null,
  duration_s: null,
  frames: null,
  characters: null,
  turns: null,
  points: null,
  messages: null,
  candidates: null,
  steps: null,
  frame_table: null,
};
const cases = read('../../../tests/labels/cases.json') as Case[];

/** The ontology with other values at some places. */
function saidOtherwise(ontology: Ontology, unless: Record<string, unknown>): Ontology {
  const other = structuredClone(ontology);
  for (const [place, value] of Object.entries(unless)) {
    const way = place.slice(1).split('/');
    const last = way.pop() ?? '';
    const here = way.reduce((found, step) => found[step] as Record<string, unknown>, other as Record<string, unknown>);
    if (value === null) delete here[last];
    else here[last] = value;
  }
  return other;
}

describe('the editor judges as the server does', () => {
  const errorsOf = ({ ontology, label, facts }: Case) => {
    const setting: Setting = {
      ontology,
      item: {
        text: 'x'.repeat(facts?.characters ?? 100),
        width: facts?.width_px ?? null,
        height: facts?.height_px ?? null,
        facts: { ...NO_FACTS, ...facts },
      },
    };
    const document = { ...openDocument(ontology), label };
    return validate(document, setting).filter(({ severity }) => severity === 'error');
  };

  it.each(cases)('$name', (one) => {
    const { ontology, label, refused } = one;
    if (label.kind !== ontology.kind) {
      expect(refused).toBeDefined();
      expect(openDocument(ontology, label).label).toEqual(emptyLabel(ontology.kind));
      return;
    }
    const errors = errorsOf(one);
    expect(errors.length > 0, JSON.stringify(errors)).toBe(refused !== undefined);
  });

  it.each(cases.filter(({ unless }) => unless))('for that reason alone: $name', (one) => {
    const ontology = saidOtherwise(one.ontology, one.unless ?? {});
    expect(one.label.kind).toBe(ontology.kind);
    expect(errorsOf({ ...one, ontology })).toEqual([]);
  });

  it('has the limits of the server', () => {
    expect({
      text_chars: MAX_TEXT_CHARS,
      objects: MAX_OBJECTS,
      tracks: MAX_TRACKS,
      keys: MAX_KEYS,
      events: MAX_EVENTS,
      points: MAX_POINTS,
      mask_tiles: MAX_MASK_TILES,
      answer_rows: MAX_ANSWER_ROWS,
      answer_file_bytes: MAX_ANSWER_FILE_BYTES,
    }).toEqual(catalogue.limits);
  });
});
