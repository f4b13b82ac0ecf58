/** What people call the things that a question is asked of, in the order in which they see them. */
import { createContext, type ReactNode, useContext } from 'react';
import type { ItemView } from '../../../api/types';
import { useT } from '../../../i18n';
import { letterOf } from '../conversation';

interface Seen {
  readonly item: ItemView;
  /** The candidates as they are shown. */
  readonly order: readonly string[];
}
const Home = createContext<Seen>({ item: {}, order: [] });

export function SeenHome({ value, children }: { value: Seen; children: ReactNode }) {
  return <Home.Provider value={value}>{children}</Home.Provider>;
}

export const useSeen = (): Seen => useContext(Home);

/** m2 → “Message 2”, c1 → “Answer B” where it is the second that is shown. */
export function useNameOf(): (target: string) => string {
  const t = useT();
  const { order } = useSeen();
  return (target) => {
    const number = target.slice(1);
    switch (target.charAt(0)) {
      case 'm':
        return t('Message {number}', { number });
      case 't':
        return t('Reply {number}', { number });
      case 's':
        return t('Step {number}', { number });
      case 'c':
        return t('Answer {letter}', { letter: letterOf(target, order) });
      default:
        return target;
    }
  };
}
