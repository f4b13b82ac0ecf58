/** What is done to tracks in time; drawing in a frame is done as on a picture. */
import { msg } from '../../i18n/msg';
import { mergeTracks, propagate, splitTracks, toggleFlag, toggleKey, toggleOutside } from '../actions/change_tracks';
import { seek } from '../actions/seek';
import { tracksOf } from '../core/document';
import { frameCount } from '../core/frames';
import type { LabelSession } from '../core/label_session';
import { isSeen } from '../core/tracks';
import type { Operation } from './operation';

const NOTHING_SELECTED = 'Select an object first.';
const STEP = 10;
/** How far the shape of a frame is carried on. */
export const PROPAGATED = 10;

const frameOf = ({ document }: LabelSession) => document.frame ?? 0;
const lastOf = ({ setting }: LabelSession) => Math.max(0, frameCount(setting.item) - 1);
const chosen = ({ document }: LabelSession) => tracksOf(document).filter(({ id }) => document.selected.includes(id));

export function goTo(session: LabelSession, frame: number): void {
  session.perform(seek(Math.min(lastOf(session), Math.max(0, Math.round(frame)))));
}

/** The frames in which the selected tracks have keys, or all where none is selected. */
function keyFrames(session: LabelSession): number[] {
  const some = chosen(session);
  const tracks = some.length > 0 ? some : tracksOf(session.document);
  return [...new Set(tracks.flatMap((track) => track.keys.map(({ frame }) => frame)))].sort((a, b) => a - b);
}

const needsTrack = (session: LabelSession) => (chosen(session).length > 0 ? null : NOTHING_SELECTED);
const needsSeen = (session: LabelSession) => {
  const some = chosen(session);
  if (some.length === 0) return NOTHING_SELECTED;
  return some.every((track) => isSeen(track, frameOf(session))) ? null : msg('It is not to be seen in this frame.');
};

function whyNotMerged(session: LabelSession): string | null {
  const [first, ...others] = chosen(session);
  if (!first || others.length === 0) return msg('Select two tracks or more, with Ctrl.');
  const isAlike = others.every(
    ({ cls, keys }) => cls === first.cls && keys[0]?.shape.type === first.keys[0]?.shape.type,
  );
  return isAlike ? null : msg('Only tracks of one class and shape are put together.');
}

const going = (
  id: string,
  title: string,
  keys: string[],
  to: (session: LabelSession) => number | undefined,
): Operation => ({
  id,
  title,
  keys,
  repeats: true,
  disabledBecause: (session) => {
    const frame = to(session);
    return frame === undefined || frame === frameOf(session) ? msg('There is no further frame.') : null;
  },
  run: (session) => goTo(session, to(session) ?? frameOf(session)),
});

const within = (session: LabelSession, frame: number) => Math.min(lastOf(session), Math.max(0, frame));

export function trackOperations(newId: () => string): Operation[] {
  return [
    going('next-frame', msg('Next frame'), ['F'], (session) => within(session, frameOf(session) + 1)),
    going('previous-frame', msg('Previous frame'), ['D'], (session) => within(session, frameOf(session) - 1)),
    going('frames-on', msg('Ten frames on'), ['Shift+F'], (session) => within(session, frameOf(session) + STEP)),
    going('frames-back', msg('Ten frames back'), ['Shift+D'], (session) => within(session, frameOf(session) - STEP)),
    going('first-frame', msg('First frame'), ['Home'], () => 0),
    going('last-frame', msg('Last frame'), ['End'], lastOf),
    going('next-key', msg('Next keyframe'), ['R'], (session) =>
      keyFrames(session).find((frame) => frame > frameOf(session)),
    ),
    going('previous-key', msg('Previous keyframe'), ['Shift+R'], (session) =>
      keyFrames(session).findLast((frame) => frame < frameOf(session)),
    ),
    {
      id: 'toggle-key',
      title: msg('Make a keyframe here, or take it away'),
      keys: ['I'],
      disabledBecause: needsTrack,
      run: (session) => session.perform(toggleKey(session.document.selected)),
    },
    {
      id: 'toggle-outside',
      title: msg('Gone from here on, or seen again'),
      keys: ['U'],
      disabledBecause: needsTrack,
      run: (session) => session.perform(toggleOutside(session.document.selected)),
    },
    {
      id: 'toggle-occluded',
      title: msg('Covered from here on, or free again'),
      keys: ['Q'],
      disabledBecause: needsSeen,
      run: (session) => session.perform(toggleFlag(session.document.selected, 'occluded')),
    },
    {
      id: 'toggle-holds',
      title: msg('Stands still until the next keyframe, or moves'),
      keys: ['Y'],
      disabledBecause: needsSeen,
      run: (session) => session.perform(toggleFlag(session.document.selected, 'holds')),
    },
    {
      id: 'split-track',
      title: msg('Split the track before this frame'),
      keys: ['Alt+S'],
      disabledBecause: needsSeen,
      run: (session) => session.perform(splitTracks(session.document.selected, newId)),
    },
    {
      id: 'merge-tracks',
      title: msg('Make one track of the selected ones, gaps kept'),
      keys: ['Alt+G'],
      disabledBecause: whyNotMerged,
      run: (session) => session.perform(mergeTracks(session.document.selected)),
    },
    {
      id: 'propagate',
      title: msg('The same shape in the next {count} frames'),
      values: { count: PROPAGATED },
      keys: ['Ctrl+B'],
      disabledBecause: needsSeen,
      run: (session) => session.perform(propagate(session.document.selected, PROPAGATED, lastOf(session) + 1)),
    },
  ];
}
