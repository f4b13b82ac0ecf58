/** Work that can wait: done between what a person does, never while it is done. */

/** Begins the work when there is time for it, and says how long there is; gives the way to call it off. */
export type Idle = (work: (hasTime: () => boolean) => void) => () => void;

/** Somebody who never pauses is not kept without an answer for longer. */
const LATEST_MS = 200;
/** Where a browser has no word for being idle, so much at a time. */
const PIECE_MS = 8;

export const whenIdle: Idle = (work) => {
  if (typeof requestIdleCallback === 'function') {
    const asked = requestIdleCallback(
      (deadline) => {
        const until = performance.now() + PIECE_MS;
        work(() => (deadline.didTimeout ? performance.now() < until : deadline.timeRemaining() > 0));
      },
      { timeout: LATEST_MS },
    );
    return () => cancelIdleCallback(asked);
  }
  const asked = setTimeout(() => {
    const until = performance.now() + PIECE_MS;
    work(() => performance.now() < until);
  });
  return () => clearTimeout(asked);
};

/** What is done at the next pause after it was asked for, once for however often it was asked; or at once, by `now`. */
export class Later {
  readonly #act: () => void;
  readonly #idle: Idle;
  #callOff: (() => void) | null = null;

  constructor(act: () => void, idle: Idle = whenIdle) {
    this.#act = act;
    this.#idle = idle;
  }

  ask(): void {
    this.#callOff ??= this.#idle(() => {
      this.#callOff = null;
      this.#act();
    });
  }

  /** Does it if it still waits. */
  now(): void {
    if (!this.#callOff) return;
    this.drop();
    this.#act();
  }

  drop(): void {
    this.#callOff?.();
    this.#callOff = null;
  }
}
