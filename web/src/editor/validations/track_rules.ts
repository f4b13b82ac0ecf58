/**
 * What is asked of tracks: each key as an object of its frame, by the rules that objects of a picture have; and what only
 * a video has. A track that did not change is not looked at again.
 */
import type { AttributeSpec, LabelObject, Track, VideoEvent } from '../../api/types';
import type { Action, Setting } from '../core/document';
import { frameCount } from '../core/frames';
import { MAX_EVENTS, MAX_ID_CHARS, MAX_KEYS, MAX_TRACKS } from '../core/limits';
import { classNamed } from '../core/ontology';
import { saidAt } from '../core/tracks';
import { attributeKnown } from './attribute_known';
import { attributeRequired } from './attribute_required';
import { attributeValue } from './attribute_value';
import { type Issue, issue } from './issue';
import { objectClassKnown } from './object_class_known';
import { placesOfClass } from './places_of_class';
import { pointsOfClass } from './points_of_class';
import type { ObjectRule } from './rule';
import { ofDocument } from './rule';
import { shapeFaults } from './shape_faults';
import { shapeOfClass } from './shape_of_class';
import { sizeOfClass } from './size_of_class';

const OF_SHAPES: readonly ObjectRule[] = [shapeOfClass, shapeFaults, sizeOfClass, pointsOfClass, placesOfClass];
const OF_WORDS: readonly ObjectRule[] = [attributeRequired, attributeKnown, attributeValue];

/** Mends a key in its own frame, wherever one looks. */
const inFrame =
  (frame: number, action: Action): Action =>
  (document) => {
    const next = action({ ...document, frame });
    return document.frame === undefined ? document : { ...next, frame: document.frame };
  };

function keyIssues(track: Track, at: number, setting: Setting): Issue[] {
  const key = track.keys[at];
  if (!key) return [];
  const object: LabelObject = { id: track.id, cls: track.cls, shape: key.shape, attributes: saidAt(track, key.frame) };
  const says = at === 0 || Object.keys(key.attributes ?? {}).length > 0;
  const rules = says ? [...OF_SHAPES, ...OF_WORDS] : OF_SHAPES;
  return rules
    .flatMap((rule) => rule.find(object, setting))
    .map((one) => ({
      ...one,
      id: `${one.id}:${key.frame}`,
      frame: key.frame,
      fix: one.fix && { title: one.fix.title, action: inFrame(key.frame, one.fix.action) },
    }));
}

const misplaced = (given: object | undefined, specs: ReadonlyMap<string, AttributeSpec>, mutable: boolean) =>
  Object.keys(given ?? {}).filter((name) => specs.has(name) && (specs.get(name)?.mutable ?? false) !== mutable);

function issuesOf(track: Track, setting: Setting): Issue[] {
  const { ontology, item } = setting;
  const most = frameCount(item) || Number.POSITIVE_INFINITY;
  const here = { object: track.id, frame: track.keys[0]?.frame ?? 0 };
  const [first] = track.keys;
  if (!first || first.outside) return [issue('track-begins', 'A track begins with a key at which it is seen.', here)];
  const found = objectClassKnown.find({ id: track.id, cls: track.cls, shape: first.shape }, setting);
  if (classNamed(ontology, track.cls)?.event) {
    found.push(
      issue('track-drawn', '“{cls}” is an event: it is drawn nowhere.', { ...here, values: { cls: track.cls } }),
    );
  }
  const specs = new Map((ontology.attributes ?? []).map((spec) => [spec.name, spec]));
  const atTrack = misplaced(track.attributes, specs, false);
  const atKeys = track.keys.flatMap((key) => misplaced(key.attributes, specs, true));
  for (const name of [...atTrack, ...atKeys]) {
    found.push(issue('attribute-mutable', '“{name}” is not answered there.', { ...here, values: { name }, key: name }));
  }
  let before = -1;
  for (const [at, key] of track.keys.entries()) {
    if (key.frame <= before || key.frame >= most) {
      found.push(
        issue('key-frames', 'A key lies at no frame of its own.', { ...here, frame: key.frame, key: `${at}` }),
      );
    }
    before = key.frame;
    if (key.shape.type !== first.shape.type) {
      found.push(issue('track-shape', 'A track keeps its shape.', { ...here, frame: key.frame, key: `${at}` }));
    }
    found.push(...keyIssues(track, at, setting));
  }
  return found;
}

function eventIssues(event: VideoEvent, setting: Setting): Issue[] {
  const most = frameCount(setting.item) || Number.POSITIVE_INFINITY;
  const here = { object: event.id, frame: event.start };
  const found: Issue[] = [];
  const spec = classNamed(setting.ontology, event.cls);
  if (!spec?.event) found.push(issue('event-class', '“{cls}” is no event.', { ...here, values: { cls: event.cls } }));
  if (event.start < 0 || event.end < event.start || event.end >= most) {
    found.push(issue('event-frames', 'An event ends at the frame that it begins in, or later.', here));
  }
  const asked: LabelObject = { ...event, shape: { type: 'point', x: 0, y: 0 } };
  return [...found, ...OF_WORDS.flatMap((rule) => rule.find(asked, setting))].map((one) => ({
    ...one,
    frame: event.start,
  }));
}

const known = new WeakMap<Track, { readonly setting: Setting; readonly issues: Issue[] }>();

export const trackRules = ofDocument(({ label }, setting) => {
  if (label.kind !== 'tracks') return [];
  const { tracks, events = [], frames, frame_table } = label;
  const found: Issue[] = [];
  const { facts } = setting.item;
  const isOther = frame_table && facts?.frame_table && frame_table !== facts.frame_table;
  if (isOther || (frames && facts?.frames && frames !== facts.frames)) {
    found.push(issue('frame-table', 'This label was made for another numbering of the video’s frames.'));
  }
  const keys = tracks.reduce((sum, track) => sum + track.keys.length, 0);
  if (tracks.length > MAX_TRACKS || events.length > MAX_EVENTS || keys > MAX_KEYS) {
    found.push(issue('track-count', 'These are more tracks, keys or events than a label holds.'));
  }
  const ids = new Set<string>();
  for (const { id } of [...tracks, ...events]) {
    if (!id || [...id].length > MAX_ID_CHARS || ids.has(id)) {
      found.push(issue('object-id-once', 'Two objects have the same id.', { object: id, key: 'twice' }));
    }
    ids.add(id);
  }
  for (const track of tracks) {
    const before = known.get(track);
    const issues = before?.setting === setting ? before.issues : issuesOf(track, setting);
    known.set(track, { setting, issues });
    found.push(...issues);
  }
  return [...found, ...events.flatMap((event) => eventIssues(event, setting))];
});
