/** The picture of the frame that is looked at: never another one under its number. */
import { useEffect, useState } from 'react';
import { nameFrames } from '../../actions/change_tracks';
import { type Frames, framesOf, type Picture } from '../../core/frames';
import type { LabelSession } from '../../core/label_session';
import { useDocument } from '../use_label';
import { useSight } from '../use_picture';

/** Frames that come in behind and before the one that is looked at. */
const AROUND = 12;

/** The frames of the session's item, once its table is there; the session is told whether there is something to see. */
export function useFrames(session: LabelSession): Frames | null {
  useSight(session);
  const { item } = session.setting;
  const { attempt } = session;
  const [frames, setFrames] = useState<Frames | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt opens the same item again.
  useEffect(() => {
    setFrames(null);
    const opening = framesOf(item);
    if (!opening) {
      session.see('failed');
      return;
    }
    let alive = true;
    opening
      .then(
        async (found) => {
          await found.picture(0);
          if (!alive) return;
          setFrames(found);
          session.see('shown');
        },
        () => alive && session.see('failed'),
      )
      .catch(() => alive && session.see('failed'));
    return () => {
      alive = false;
    };
  }, [session, item, attempt]);
  return frames;
}

/** The picture of the document's frame; null while it is on its way. */
export function useFrame(session: LabelSession, frames: Frames | null): Picture | null {
  const { frame = 0, label } = useDocument(session);
  const [picture, setPicture] = useState<Picture | null>(null);
  const ready = frames?.ready(frame) ?? null;
  useEffect(() => {
    if (!frames || ready) return;
    let alive = true;
    frames.picture(frame).then(
      (bitmap) => alive && setPicture({ frame, bitmap }),
      () => alive && session.see('failed'),
    );
    return () => {
      alive = false;
    };
  }, [frames, frame, ready, session]);
  useEffect(() => {
    frames?.prefetch(frame - AROUND, 2 * AROUND);
  }, [frames, frame]);
  // What is said from now on is said for this numbering of frames.
  useEffect(() => {
    if (frames && label.kind === 'tracks' && label.tracks.length + (label.events?.length ?? 0) > 0) {
      if (!label.frames) session.perform(nameFrames(frames.times.frames, frames.times.table), 'frames');
    }
  }, [frames, label, session]);
  if (ready) return { frame, bitmap: ready };
  return picture?.frame === frame ? picture : null;
}
