/**
 * Small things kept in this browser: preferences, a half-filled form. A browser that refuses storage (blocked cookies,
 * a full disk) forgets them; the page goes on.
 */
export interface Keep {
  read(key: string): string | null;
  write(key: string, value: string): void;
  drop(key: string): void;
}

function over(storage: () => Storage): Keep {
  const attempt = <T>(act: (store: Storage) => T, otherwise: T): T => {
    try {
      return act(storage());
    } catch {
      return otherwise;
    }
  };
  return {
    read: (key) => attempt((store) => store.getItem(key), null),
    write: (key, value) => attempt((store) => store.setItem(key, value), undefined),
    drop: (key) => attempt((store) => store.removeItem(key), undefined),
  };
}

/** Until it is taken away. */
export const lasting = over(() => window.localStorage);
/** For the life of the tab. */
export const passing = over(() => window.sessionStorage);
