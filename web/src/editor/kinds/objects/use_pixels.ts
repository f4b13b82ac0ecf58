/** The pixels of a picture for tools that go by colour: read once, when first asked for. */
import { useEffect } from 'react';
import type { Size } from '../../core/geometry';
import type { LabelSession } from '../../core/label_session';

/** So many pixels are read at most: four bytes each stay in memory. */
const MOST_PIXELS = 64_000_000;

function read(image: HTMLImageElement | ImageBitmap, { width, height }: Size): ImageData | null {
  if (width * height > MOST_PIXELS) return null;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context?.drawImage(image, 0, 0, width, height);
  try {
    return context?.getImageData(0, 0, width, height) ?? null;
  } catch {
    // A picture from elsewhere that does not let itself be read.
    return null;
  }
}

export function usePixels(session: LabelSession, image: HTMLImageElement | ImageBitmap | null, size: Size): void {
  useEffect(() => {
    let pixels: ImageData | null | undefined;
    session.pixels = image
      ? () => {
          pixels ??= read(image, size);
          return pixels;
        }
      : undefined;
    return () => {
      session.pixels = undefined;
    };
  }, [session, image, size]);
}
