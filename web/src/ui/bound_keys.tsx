/** Which keys do what on the desk that is open: for whatever listens to them, or names them. */
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import type { Binding } from '../editor/core/keymap';

type KeysOf = (command: string) => readonly string[];

const NONE: readonly string[] = [];
const Bound = createContext<KeysOf>(() => NONE);

export function BoundKeys({ bindings, children }: { bindings: readonly Binding[]; children: ReactNode }) {
  const told = JSON.stringify(bindings.map(({ command, keys }) => [command, keys]));
  const keysOf = useMemo<KeysOf>(() => {
    const table = new Map(JSON.parse(told) as [string, string[]][]);
    return (command) => table.get(command) ?? NONE;
  }, [told]);
  return <Bound value={keysOf}>{children}</Bound>;
}

/** The keys of a command; the same function as long as nothing is bound anew. */
export const useKeysOf = (): KeysOf => useContext(Bound);
