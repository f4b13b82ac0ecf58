/** What is done to tracks as a whole, or to their keys: beyond what drawing in a frame does. */
import type { Keyframe, Track, VideoEvent } from '../../api/types';
import { type Action, type Document, tracksOf } from '../core/document';
import { isSeen, keyAt, keyOn, madeKey, shapeAt, type TracksLabel, withKey } from '../core/tracks';

const frameOf = ({ frame = 0 }: Document) => frame;

function withLabel(document: Document, change: (label: TracksLabel) => TracksLabel): Document {
  if (document.label.kind !== 'tracks') return document;
  const label = change(document.label);
  return label === document.label ? document : { ...document, label };
}

const touchedTrack = (track: Track): Track => (track.source === 'model' ? { ...track, source: 'corrected' } : track);

function changed(document: Document, ids: readonly string[], change: (track: Track) => Track | null): Document {
  return withLabel(document, (label) => {
    const tracks = label.tracks.flatMap((track) => {
      if (!ids.includes(track.id)) return [track];
      const next = change(track);
      return next === track ? [track] : next ? [touchedTrack(next)] : [];
    });
    return tracks.length === label.tracks.length && tracks.every((track, at) => track === label.tracks[at])
      ? label
      : { ...label, tracks };
  });
}

/** Takes the key of this frame away, or makes one: as the track is there. The last key stays: without it there is none. */
export function toggleKey(ids: readonly string[]): Action {
  return (document) =>
    changed(document, ids, (track) => {
      const frame = frameOf(document);
      if (!keyOn(track, frame)) {
        return frame < (track.keys[0]?.frame ?? 0)
          ? track
          : { ...track, keys: withKey(track.keys, madeKey(track, frame)) };
      }
      const keys = track.keys.filter((key) => key.frame !== frame);
      return keys.length === 0 || keys[0]?.outside ? track : { ...track, keys };
    });
}

/** From this frame on it is not to be seen, or is seen again. */
export function toggleOutside(ids: readonly string[]): Action {
  return (document) =>
    changed(document, ids, (track) => {
      const frame = frameOf(document);
      const first = track.keys[0]?.frame ?? 0;
      // Seen earlier than it begins: it begins here, as it is later.
      if (frame < first) return { ...track, keys: withKey(track.keys, { frame, shape: shapeAt(track, first) }) };
      const { outside, ...key } = madeKey(track, frame);
      if (frame === first && !outside) return track;
      return { ...track, keys: withKey(track.keys, outside ? key : { ...key, outside: true }) };
    });
}

/** Whether something stands before it from this frame on, or whether it stands still until the next key. */
export function toggleFlag(ids: readonly string[], flag: 'occluded' | 'holds'): Action {
  return (document) =>
    changed(document, ids, (track) => {
      const frame = frameOf(document);
      if (!isSeen(track, frame)) return track;
      const { [flag]: was, ...key } = madeKey(track, frame);
      return { ...track, keys: withKey(track.keys, was ? key : { ...key, [flag]: true }) };
    });
}

/** The same shape in the next so many frames: keys between are given up. */
export function propagate(ids: readonly string[], count: number, frames: number): Action {
  return (document) =>
    changed(document, ids, (track) => {
      const frame = frameOf(document);
      const last = Math.min(frames - 1, frame + count);
      if (!isSeen(track, frame) || last <= frame) return track;
      const here = madeKey(track, frame);
      const rest = track.keys.filter((key) => key.frame < frame || key.frame > last);
      return { ...track, keys: withKey(withKey(rest, here), { ...here, attributes: {}, frame: last }) };
    });
}

/** Two tracks of one: what lies before this frame, and from it on. */
export function splitTracks(ids: readonly string[], newId: () => string): Action {
  return (document) => {
    const frame = frameOf(document);
    const made: string[] = [];
    const after = withLabel(document, (label) => ({
      ...label,
      tracks: label.tracks.flatMap((track): Track[] => {
        const at = keyAt(track.keys, frame - 1);
        if (!ids.includes(track.id) || at < 0 || !isSeen(track, frame)) return [track];
        const key = madeKey(track, frame);
        const said = Object.assign(
          {},
          ...track.keys.slice(0, at + 1).map((one) => one.attributes ?? {}),
          key.attributes ?? {},
        );
        const id = newId();
        made.push(id);
        const first = [...track.keys.filter((one) => one.frame < frame), { frame, shape: key.shape, outside: true }];
        const later = [{ ...key, attributes: said }, ...track.keys.filter((one) => one.frame > frame)];
        return [touchedTrack({ ...track, keys: first }), touchedTrack({ ...track, id, keys: later })];
      }),
    }));
    return made.length > 0 ? { ...after, selected: made } : document;
  };
}

/** One track of several that are one thing: where two say something of a frame, the earlier begun is heard. */
export function mergeTracks(ids: readonly string[]): Action {
  return (document) => {
    const found = tracksOf(document).filter(({ id }) => ids.includes(id));
    const [lead, ...others] = [...found].sort((a, b) => (a.keys[0]?.frame ?? 0) - (b.keys[0]?.frame ?? 0));
    if (!lead || others.length === 0) return document;
    const keys = others.reduce<readonly Keyframe[]>((all, other) => joined(all, other.keys), lead.keys);
    const gone = new Set(others.map(({ id }) => id));
    const after = withLabel(document, (label) => ({
      ...label,
      tracks: label.tracks
        .filter(({ id }) => !gone.has(id))
        .map((track) => (track.id === lead.id ? touchedTrack({ ...track, keys: [...keys] }) : track)),
    }));
    return { ...after, selected: [lead.id] };
  };
}

/** Keys of one, then of the other; a stretch that neither sees stays a gap. */
function joined(first: readonly Keyframe[], second: readonly Keyframe[]): Keyframe[] {
  const begins = second[0]?.frame ?? 0;
  const ends = first.at(-1);
  const mine = ends?.outside && ends.frame === begins ? first.slice(0, -1) : first;
  const taken = new Set(mine.map(({ frame }) => frame));
  return [...mine, ...second.filter(({ frame }) => !taken.has(frame))].sort((a, b) => a.frame - b.frame);
}

export function addEvent(event: VideoEvent): Action {
  return (document) => withLabel(document, (label) => ({ ...label, events: [...(label.events ?? []), event] }));
}

export function changeEvent(id: string, change: (event: VideoEvent) => VideoEvent | null): Action {
  return (document) =>
    withLabel(document, (label) => ({
      ...label,
      events: (label.events ?? []).flatMap((event) => {
        const next = event.id === id ? change(event) : event;
        return next ? [next] : [];
      }),
    }));
}

/** The label says for which numbering of frames it was made. */
export function nameFrames(frames: number, table: string | null): Action {
  return (document) =>
    withLabel(document, (label) =>
      label.frames === frames && (label.frame_table ?? null) === table
        ? label
        : { ...label, frames, ...(table ? { frame_table: table } : {}) },
    );
}

/** Takes tracks and events away, in every frame. */
export function deleteTracks(ids: readonly string[]): Action {
  return (document) => {
    const after = withLabel(document, (label) => ({
      ...label,
      tracks: label.tracks.filter(({ id }) => !ids.includes(id)),
      ...(label.events ? { events: label.events.filter(({ id }) => !ids.includes(id)) } : {}),
    }));
    return { ...after, selected: document.selected.filter((id) => !ids.includes(id)) };
  };
}
