import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { LabelObject, Ontology, Shape, Track } from '../../api/types';
import { addObject } from '../actions/add_object';
import { mergeTracks, propagate, splitTracks, toggleFlag, toggleKey, toggleOutside } from '../actions/change_tracks';
import { deleteObjects } from '../actions/delete_objects';
import { seek } from '../actions/seek';
import { setAttribute } from '../actions/set_attribute';
import { setShape } from '../actions/set_shape';
import { faceOf } from '../shapes';
import { type Document, objectsOf, openDocument, tracksOf } from './document';
import { openHistory, perform, undo } from './history';
import { applyPatch, patchBetween } from './patch';
import { isSeen, keyAt, objectsIn, saidAt, shapeAt, spansOf, type TracksLabel } from './tracks';

interface Case {
  name: string;
  a: Shape;
  b: Shape;
  share: number;
  expected: Shape;
}
const MOVING = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../../tests/labels/moving.json', import.meta.url)), 'utf8'),
) as Case[];

const numbersOf = (value: unknown): number[] => {
  if (typeof value === 'number') return [value];
  if (Array.isArray(value)) return value.flatMap(numbersOf);
  if (value === null || typeof value !== 'object') return [];
  return Object.keys(value)
    .sort()
    .flatMap((name) => numbersOf((value as Record<string, unknown>)[name]));
};

describe('shapes between keyframes', () => {
  it.each(MOVING)('are where the server says: $name', ({ a, b, share, expected }) => {
    const found = numbersOf(faceOf(a).between(a, b, share));
    const wanted = numbersOf(expected);
    expect(found).toHaveLength(wanted.length);
    for (const [at, number] of wanted.entries()) expect(found[at]).toBeCloseTo(number, 6);
  });
});

const ONTOLOGY: Ontology = {
  kind: 'tracks',
  classes: [
    { name: 'rain', event: true },
    { name: 'car', geometry: 'box' },
  ],
  attributes: [
    { name: 'colour', type: 'choice', options: ['red', 'blue'] },
    { name: 'brakes', type: 'bool', mutable: true },
  ],
};
const box = (x: number): Shape => ({ type: 'box', x, y: 0, w: 10, h: 10 });
const open = (...tracks: Track[]): Document => openDocument(ONTOLOGY, { kind: 'tracks', tracks });
const does = (document: Document, ...actions: ((document: Document) => Document)[]) =>
  actions.reduce((now, action) => action(now), document);
const only = (document: Document): Track => tracksOf(document)[0] as Track;
let made = 0;
const newId = () => {
  made += 1;
  return `n${made}`;
};

describe('drawing in a frame', () => {
  it('begins a track there, of a class that is drawn', () => {
    const document = does(open(), seek(7), addObject('1', box(0)));
    expect(only(document)).toMatchObject({ id: '1', cls: 'car', keys: [{ frame: 7, shape: box(0) }] });
    expect(objectsOf(does(document, seek(6)))).toEqual([]);
    expect(objectsOf(does(document, seek(9)))).toHaveLength(1);
  });

  it('makes a key where a shape is changed, and goes over between', () => {
    const document = does(open(), addObject('1', box(0)), seek(10), setShape('1', box(100)), seek(5));
    expect(only(document).keys.map(({ frame }) => frame)).toEqual([0, 10]);
    expect(objectsOf(document)[0]?.shape).toEqual(box(50));
  });

  it('keeps what never changes at the track, and what changes at the key', () => {
    const document = does(
      open(),
      addObject('1', box(0)),
      setAttribute('1', 'colour', 'red'),
      seek(4),
      setAttribute('1', 'brakes', true),
    );
    expect(only(document).attributes).toEqual({ colour: 'red' });
    expect(only(document).keys[1]).toMatchObject({ frame: 4, attributes: { brakes: true } });
    expect(saidAt(only(document), 3)).toEqual({ colour: 'red' });
    expect(saidAt(only(document), 9)).toEqual({ colour: 'red', brakes: true });
  });

  it('touches no track that the frame does not show', () => {
    const gone: Track = {
      id: 'z',
      cls: 'car',
      keys: [
        { frame: 0, shape: box(0) },
        { frame: 2, shape: box(0), outside: true },
      ],
    };
    const document = does(open(gone), seek(5), addObject('1', box(0)), deleteObjects(['1']));
    expect(tracksOf(document)).toEqual([gone]);
    expect(tracksOf(document)[0]).toBe(gone);
  });

  it('gives the same value for the same frame, so that what did not change is not looked at again', () => {
    const document = does(open(), addObject('1', box(0)), addObject('2', box(50)));
    const label = document.label as TracksLabel;
    const [first] = objectsIn(label, 3);
    const next = does(document, seek(3), setShape('2', box(60)));
    expect(objectsOf(next)[0]).toBe(first as LabelObject);
  });
});

describe('keys of a track', () => {
  const drawn = () => does(open(), addObject('1', box(0)), seek(10), setShape('1', box(100)));

  it('are made and taken away, the last one never', () => {
    const more = does(drawn(), seek(5), toggleKey(['1']));
    expect(only(more).keys).toHaveLength(3);
    expect(shapeAt(only(more), 5)).toEqual(box(50));
    expect(only(does(more, toggleKey(['1']))).keys).toHaveLength(2);
    const one = does(open(), addObject('1', box(0)));
    expect(does(one, toggleKey(['1']))).toBe(one);
  });

  it('open a gap and close it', () => {
    const gap = does(drawn(), seek(5), toggleOutside(['1']), seek(8), toggleOutside(['1']));
    expect(spansOf(only(gap), 20)).toEqual([
      [0, 5],
      [8, 20],
    ]);
    expect(isSeen(only(gap), 6)).toBe(false);
  });

  it('say that something stands before it, and that it stands still', () => {
    const still = does(drawn(), seek(0), toggleFlag(['1'], 'holds'), seek(9));
    expect(objectsOf(still)[0]?.shape).toEqual(box(0));
    const covered = does(drawn(), seek(4), toggleFlag(['1'], 'occluded'));
    expect(only(covered).keys[keyAt(only(covered).keys, 7)]?.occluded).toBe(true);
  });

  it('carry a shape on', () => {
    const on = does(drawn(), seek(3), propagate(['1'], 10, 100));
    expect(only(on).keys.map(({ frame }) => frame)).toEqual([0, 3, 13]);
    expect(shapeAt(only(on), 13)).toEqual(shapeAt(only(on), 3));
  });

  it('are divided among two tracks, and come together again with the gap between', () => {
    const two = does(drawn(), seek(6), splitTracks(['1'], newId));
    expect(tracksOf(two).map((track) => spansOf(track, 20))).toEqual([[[0, 6]], [[6, 20]]]);
    expect(shapeAt(tracksOf(two)[1] as Track, 6)).toEqual(box(60));
    const again = does(two, mergeTracks(tracksOf(two).map(({ id }) => id)));
    expect(spansOf(only(again), 20)).toEqual([[0, 20]]);
    const apart: Track = { id: 'late', cls: 'car', keys: [{ frame: 15, shape: box(0) }] };
    const early: Track = {
      id: 'early',
      cls: 'car',
      keys: [
        { frame: 0, shape: box(0) },
        { frame: 5, shape: box(0), outside: true },
      ],
    };
    const joined = does(open(apart, early), mergeTracks(['late', 'early']));
    expect(spansOf(only(joined), 20)).toEqual([
      [0, 5],
      [15, 20],
    ]);
  });

  it('are undone with the frame in which they were made', () => {
    let history = openHistory(open());
    for (const action of [addObject('1', box(0)), seek(8), setShape('1', box(80)), seek(2)])
      history = perform(history, action);
    history = undo(history);
    expect(history.present.frame).toBe(8);
    expect(only(history.present).keys).toHaveLength(1);
  });

  it('are kept as the track that changed alone', () => {
    const before = does(open(), addObject('1', box(0)), addObject('2', box(0))).label;
    const after = does(
      does(open(), () => ({ ...open(), label: before })),
      seek(5),
      setShape('2', box(9)),
    ).label;
    const patch = patchBetween(before, after);
    expect(patch).toMatchObject({ is: 'tracks', put: [[1, { id: '2' }]], gone: [] });
    expect(applyPatch(before, patch)).toEqual(after);
  });
});
