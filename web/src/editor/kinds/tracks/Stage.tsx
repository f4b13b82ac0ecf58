import { useCallback, useEffect, useRef, useState } from 'react';
import { useT } from '../../../i18n';
import { seek } from '../../actions/seek';
import type { LabelSession } from '../../core/label_session';
import { type Player, play } from '../../core/playing';
import { Plane } from '../objects/Stage';
import { useDocument } from '../use_label';
import { Timeline } from './Timeline';
import { useFrame, useFrames } from './use_frame';

/** One frame of a video with its objects, and all of its time below. */
export function Stage({ session }: { session: LabelSession }) {
  const t = useT();
  const frames = useFrames(session);
  const { frame = 0 } = useDocument(session);
  const picture = useFrame(session, frames);
  const [speed, setSpeed] = useState(1);
  const [playing, setPlaying] = useState(false);
  const player = useRef<Player | null>(null);

  const stop = useCallback(() => {
    player.current?.stop();
    player.current = null;
    setPlaying(false);
  }, []);
  useEffect(() => stop, [stop]);
  const start = useCallback(
    (at: number) => {
      if (!frames) return;
      player.current?.stop();
      const from = (session.document.frame ?? 0) >= frames.times.frames - 1 ? 0 : (session.document.frame ?? 0);
      if (from === 0) session.perform(seek(0));
      player.current = play(frames, from, at, (next) => session.perform(seek(next)), stop);
      setPlaying(true);
    },
    [frames, session, stop],
  );
  const toggle = useCallback(() => (player.current ? stop() : start(speed)), [start, stop, speed]);

  // Whoever goes somewhere else, or draws, has stopped to look.
  const shownByPlayer = useRef(frame);
  useEffect(() => {
    const isNext = frame >= shownByPlayer.current && frame - shownByPlayer.current <= 8;
    shownByPlayer.current = frame;
    if (player.current && !isNext && frame !== 0) stop();
  }, [frame, stop]);

  return (
    <div className="cup-video" data-frame={frame} data-shown={picture?.frame ?? ''}>
      <div className="cup-video-plane">
        <Plane session={session} image={picture?.bitmap ?? null} onPlay={toggle} />
        {frames && !picture && (
          <p className="cup-hint" role="status">
            {t('Frame {n} is on its way…', { n: frame })}
          </p>
        )}
      </div>
      <Timeline
        session={session}
        frames={frames}
        playing={playing}
        onPlay={toggle}
        speed={speed}
        onSpeed={(next) => {
          setSpeed(next);
          if (player.current) start(next);
        }}
      />
    </div>
  );
}
