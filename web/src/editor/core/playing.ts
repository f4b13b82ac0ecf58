/** Playing a clip frame by frame by its own times: a frame that is not there yet is waited for, never passed over. */
import type { Frames } from './frames';

export const SPEEDS = [0.25, 0.5, 1, 2, 4] as const;
/** A frame of which nobody knows how long it lasts. */
const USUAL_S = 0.1;
/** At fast speeds frames that would be seen for less than this are passed over, as a player does. */
const SHORTEST_S = 1 / 60;
const AHEAD = 48;

export interface Player {
  stop(): void;
}

/** Shows frame after frame from `from` on until the end, or until it is stopped. */
export function play(
  frames: Frames,
  from: number,
  speed: number,
  show: (frame: number) => void,
  ended: () => void,
): Player {
  let alive = true;
  const { times } = frames;
  const lasts_s = (frame: number) => {
    const [now, next] = [times.timeOf_s(frame), times.timeOf_s(frame + 1)];
    return (now === null || next === null ? USUAL_S : Math.max(0, next - now)) / speed;
  };
  const run = async () => {
    let frame = from;
    let due_ms = performance.now();
    while (alive && frame < times.frames - 1) {
      let wait_s = 0;
      let next = frame;
      do {
        wait_s += lasts_s(next);
        next += 1;
      } while (wait_s < SHORTEST_S && next < times.frames - 1);
      frames.prefetch(next, AHEAD);
      await frames.picture(next);
      due_ms += wait_s * 1000;
      const now_ms = performance.now();
      if (due_ms > now_ms) await new Promise((resolve) => setTimeout(resolve, due_ms - now_ms));
      else due_ms = now_ms;
      if (!alive) return;
      frame = next;
      show(frame);
    }
    if (alive) ended();
  };
  void run().catch(() => alive && ended());
  return {
    stop: () => {
      alive = false;
    },
  };
}
