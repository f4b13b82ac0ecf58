/** Tracks as the frames show them: the server's own rules (`labels/kinds/tracks.py`), asked frame by frame. */
import type { Keyframe, Label, LabelObject, Shape, Track } from '../../api/types';
import { faceOf } from '../shapes';

export type TracksLabel = Extract<Label, { kind: 'tracks' }>;
type Values = NonNullable<LabelObject['attributes']>;

/** The place of the last key at or before a frame; -1 before the first. */
export function keyAt(keys: readonly Keyframe[], frame: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle]?.frame ?? 0) <= frame) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function shapeBetween(a: Shape, b: Shape, share: number): Shape {
  return a.type === b.type ? faceOf(a).between(a, b, share) : a;
}

/** Where it is, or would be, at or after its first key. */
export function shapeAt({ keys }: Track, frame: number): Shape {
  const at = Math.max(0, keyAt(keys, frame));
  const here = keys[at] as Keyframe;
  const after = keys[at + 1];
  if (here.frame >= frame || here.holds || !after) return here.shape;
  return shapeBetween(here.shape, after.shape, (frame - here.frame) / (after.frame - here.frame));
}

/** What is said of it there: what never changes, and what the keys up to there say. */
export function saidAt({ keys, attributes }: Track, frame: number): Values {
  const last = Math.max(0, keyAt(keys, frame));
  return Object.assign({ ...attributes }, ...keys.slice(0, last + 1).map((key) => key.attributes ?? {}));
}

export function isSeen({ keys }: Track, frame: number): boolean {
  const at = keyAt(keys, frame);
  return at >= 0 && !keys[at]?.outside;
}

export const isOccluded = ({ keys }: Track, frame: number): boolean => keys[keyAt(keys, frame)]?.occluded ?? false;
export const keyOn = ({ keys }: Track, frame: number): Keyframe | undefined => {
  const key = keys[keyAt(keys, frame)];
  return key?.frame === frame ? key : undefined;
};

/** The stretches of frames in which it is seen, the last frame of each not in it; `end`: where the video ends. */
export function spansOf({ keys }: Track, end: number): [from: number, to: number][] {
  const spans: [number, number][] = [];
  let start: number | null = null;
  for (const { frame, outside } of keys) {
    if (outside && start !== null) {
      spans.push([start, frame]);
      start = null;
    } else if (!outside && start === null) start = frame;
  }
  if (start !== null && start < end) spans.push([start, end]);
  return spans;
}

const REMEMBERED = 16;
const seen = new WeakMap<Track, Map<number, LabelObject | null>>();

/** The track as an object of one frame; the same value each time, so that what did not change is known by itself. */
export function objectAt(track: Track, frame: number): LabelObject | null {
  let frames = seen.get(track);
  if (!frames || frames.size > REMEMBERED) {
    frames = new Map();
    seen.set(track, frames);
  }
  let found = frames.get(frame);
  if (found === undefined) {
    found = isSeen(track, frame)
      ? {
          id: track.id,
          cls: track.cls,
          shape: shapeAt(track, frame),
          attributes: saidAt(track, frame),
          source: track.source ?? 'person',
        }
      : null;
    frames.set(frame, found);
  }
  return found;
}

const shown = new WeakMap<TracksLabel, { frame: number; objects: readonly LabelObject[] }>();

/** What one frame shows. */
export function objectsIn(label: TracksLabel, frame: number): readonly LabelObject[] {
  const known = shown.get(label);
  if (known?.frame === frame) return known.objects;
  const objects = label.tracks.map((track) => objectAt(track, frame)).filter((one) => one !== null);
  shown.set(label, { frame, objects });
  return objects;
}

/** Keys with one more, or another one at its frame. */
export function withKey(keys: readonly Keyframe[], key: Keyframe): Keyframe[] {
  const rest = keys.filter(({ frame }) => frame !== key.frame);
  const at = keyAt(rest, key.frame) + 1;
  return [...rest.slice(0, at), key, ...rest.slice(at)];
}

/** The key of a frame, made where there is none: as the track is there. */
export function madeKey(track: Track, frame: number): Keyframe {
  const there = keyOn(track, frame);
  if (there) return there;
  const before = track.keys[keyAt(track.keys, frame)];
  return {
    frame,
    shape: shapeAt(track, frame),
    ...(before?.outside ? { outside: true } : {}),
    ...(before?.occluded ? { occluded: true } : {}),
    ...(before?.holds ? { holds: true } : {}),
  };
}

const isAlike = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b);

/** The track after its object in a frame was changed: another place is a key there, another word stands where it belongs. */
function changedTrack(
  track: Track,
  was: LabelObject,
  now: LabelObject,
  frame: number,
  mutable: ReadonlySet<string>,
): Track {
  let { keys } = track;
  if (now.shape !== was.shape) keys = withKey(keys, { ...madeKey(track, frame), shape: now.shape });
  const [before, after] = [was.attributes ?? {}, now.attributes ?? {}];
  const fixed: Values = { ...track.attributes };
  let changing: Values | null = null;
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (isAlike(before[name], after[name])) continue;
    const value = after[name];
    if (!mutable.has(name)) {
      if (value === undefined) delete fixed[name];
      else fixed[name] = value;
    } else {
      const here = { ...track, keys };
      changing ??= { ...madeKey(here, frame).attributes };
      if (value === undefined) delete changing[name];
      else changing[name] = value;
    }
  }
  if (changing) keys = withKey(keys, { ...madeKey({ ...track, keys }, frame), attributes: changing });
  return { ...track, cls: now.cls, keys, attributes: fixed, source: now.source ?? 'person' };
}

/**
 * The label after the objects of one frame became these: those that are gone are tracks no more, new ones are tracks that
 * begin there, and the order is that of the list, with what the frame does not show where it stood.
 */
export function withObjectsIn(
  label: TracksLabel,
  frame: number,
  objects: readonly LabelObject[],
  mutable: ReadonlySet<string>,
): TracksLabel {
  const before = objectsIn(label, frame);
  const was = new Map(before.map((object) => [object.id, object]));
  const tracks = new Map(label.tracks.map((track) => [track.id, track]));
  const now = new Set(objects.map(({ id }) => id));
  const made = objects.map((object): Track => {
    const track = tracks.get(object.id);
    const old = was.get(object.id);
    if (!track || !old) return newTrack(object, frame, mutable);
    return old === object ? track : changedTrack(track, old, object, frame, mutable);
  });
  const wasSame = before.filter(({ id }) => now.has(id)).map(({ id }) => id);
  const isOrdered = objects.filter(({ id }) => was.has(id)).every(({ id }, at) => id === wasSame[at]);
  const kept = label.tracks.filter(({ id }) => !was.has(id) || now.has(id));
  if (isOrdered) {
    const by = new Map(made.map((track) => [track.id, track]));
    const fresh = made.filter(({ id }) => !tracks.has(id));
    return { ...label, tracks: [...kept.map((track) => by.get(track.id) ?? track), ...fresh] };
  }
  return { ...label, tracks: [...kept.filter(({ id }) => !now.has(id)), ...made] };
}

function newTrack(
  { id, cls, shape, attributes = {}, source }: LabelObject,
  frame: number,
  mutable: ReadonlySet<string>,
): Track {
  const of = (wanted: boolean) =>
    Object.fromEntries(Object.entries(attributes).filter(([name]) => mutable.has(name) === wanted));
  const changing = of(true);
  return {
    id,
    cls,
    keys: [{ frame, shape, ...(Object.keys(changing).length > 0 ? { attributes: changing } : {}) }],
    attributes: of(false),
    source: source ?? 'person',
  };
}
