/**
 * Whether the server still knows who this is. A session can end under an open page (signed out elsewhere, expired,
 * revoked): what the page holds stays, the person signs in where they are, and what waited goes on.
 */
type Listener = () => void;

let out = false;
const listeners = new Set<Listener>();

function become(next: boolean): void {
  if (out === next) return;
  out = next;
  for (const listener of [...listeners]) listener();
}

export const door = {
  /** True from the first answer 401 until somebody has signed in again. */
  isOut: (): boolean => out,
  signedOut: (): void => become(true),
  signedIn: (): void => become(false),
  subscribe: (listener: Listener): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  /** Calls `listener` each time somebody has signed in again. */
  onReturn: (listener: Listener): (() => void) => door.subscribe(() => !out && listener()),
};
