/** What kind of trouble an error is, for whoever keeps work until it is over: one diagnosis, told as what it is. */
import { Problem } from './http';

/**
 * absent: nothing came back. busy: the server answered that it cannot now. signed-out: it does not know who asks.
 * refused: it will not take this, however often it is sent. fault: this app failed before anything was sent.
 */
export type Trouble = 'absent' | 'busy' | 'signed-out' | 'refused' | 'fault';

export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof Problem)) return 'fault';
  if (error.isSignedOut) return 'signed-out';
  if (error.isAbsence) return 'absent';
  return error.isTransient ? 'busy' : 'refused';
}
