import { useEffect, useState, useSyncExternalStore } from 'react';
import { type LabelSession, picturesOf } from '../core/label_session';

/** Shown anew when the item's loading takes another turn. */
export function useSight(session: LabelSession): LabelSession['sight'] {
  useSyncExternalStore(session.subscribe, session.sightSnapshot);
  return session.sight;
}

/**
 * The session's picture once it is there to be drawn on; the session is told how the loading went, of all pictures where
 * the item is made of several. Nothing is drawn on those yet: they give no picture.
 */
export function usePicture(session: LabelSession): HTMLImageElement | null {
  useSight(session);
  const { item } = session.setting;
  const urls = picturesOf(item).join('\n');
  const { attempt } = session;
  const [image, setImage] = useState<HTMLImageElement | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt loads the same address again.
  useEffect(() => {
    setImage(null);
    // A video tells by itself when it can be seen.
    if (!urls) return;
    const loading = urls.split('\n').map((url) => {
      const one = new Image();
      one.src = url;
      return one;
    });
    let alive = true;
    Promise.all(loading.map((one) => one.decode())).then(
      () => {
        if (!alive) return;
        setImage(item.url ? (loading[0] ?? null) : null);
        session.see('shown');
      },
      () => alive && session.see('failed'),
    );
    return () => {
      alive = false;
    };
  }, [session, urls, attempt]);
  return image;
}
