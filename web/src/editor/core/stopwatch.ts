/**
 * Seconds of work on one task: time while its page is seen, without gaps longer than IDLE_LIMIT_S.
 * The clock is given, in milliseconds, so that the count can be tested.
 */
export const IDLE_LIMIT_S = 60;

export class Stopwatch {
  #counted_ms: number;
  #since_ms: number | null = null;

  constructor(seconds = 0) {
    this.#counted_ms = seconds * 1000;
  }

  /** The person did something, or the task was opened, at `now_ms`. */
  touch(now_ms: number): void {
    if (this.#since_ms !== null) this.#count(now_ms);
    this.#since_ms = now_ms;
  }

  /** The task was left, or its page hidden. */
  pause(now_ms: number): void {
    if (this.#since_ms !== null) this.#count(now_ms);
    this.#since_ms = null;
  }

  /** Seconds so far, to a tenth. */
  seconds(now_ms: number): number {
    const running = this.#since_ms === null ? 0 : this.#bounded(now_ms - this.#since_ms);
    return Math.round((this.#counted_ms + running) / 100) / 10;
  }

  #bounded(gap_ms: number): number {
    return Math.min(Math.max(gap_ms, 0), IDLE_LIMIT_S * 1000);
  }

  #count(now_ms: number): void {
    if (this.#since_ms !== null) this.#counted_ms += this.#bounded(now_ms - this.#since_ms);
  }
}
