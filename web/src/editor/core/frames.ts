/**
 * The frames of an item, by their numbers: of a video from the server, which alone decodes it, in chunks of pictures; of an
 * item made of pictures from their own addresses. No time is ever multiplied by a rate: frame n is the n-th picture that
 * the server's table has.
 */
import type { ItemView } from '../../api/types';

export interface FrameTimes {
  readonly frames: number;
  /** Seconds after the first frame; null where nobody knows. */
  readonly timeOf_s: (frame: number) => number | null;
  /** The last frame that is shown at or before this time. */
  readonly frameAt: (time_s: number) => number;
  /** The table's own name, which labels are made for. */
  readonly table: string | null;
}

interface Sent {
  readonly frames: number;
  readonly chunk_frames: number;
  readonly time_base: readonly [number, number];
  readonly first: number;
  readonly steps: readonly (readonly [step: number, count: number])[];
  readonly sha256: string;
}

/** Compressed chunks that stay in memory, and pixels of pictures that are ready to be shown. */
const KEPT_CHUNKS = 96;
const KEPT_PIXELS = 120_000_000;

export interface Picture {
  readonly frame: number;
  readonly bitmap: ImageBitmap;
}

export class Frames {
  readonly times: FrameTimes;
  readonly #chunk: (number: number) => Promise<Blob[]>;
  readonly #perChunk: number;
  readonly #chunks = new Map<number, Promise<Blob[]>>();
  readonly #ready = new Map<number, ImageBitmap>();
  readonly #coming = new Map<number, Promise<ImageBitmap>>();
  #pixels = 0;

  constructor(times: FrameTimes, perChunk: number, chunk: (number: number) => Promise<Blob[]>) {
    this.times = times;
    this.#perChunk = perChunk;
    this.#chunk = chunk;
  }

  /** The picture of a frame where it is in memory. */
  ready(frame: number): ImageBitmap | null {
    const found = this.#ready.get(frame);
    if (!found) return null;
    // What was shown last goes last.
    this.#ready.delete(frame);
    this.#ready.set(frame, found);
    return found;
  }

  /** The picture of a frame. */
  async picture(frame: number): Promise<ImageBitmap> {
    const there = this.ready(frame);
    if (there) return there;
    let coming = this.#coming.get(frame);
    if (!coming) {
      coming = this.#made(frame).finally(() => this.#coming.delete(frame));
      this.#coming.set(frame, coming);
    }
    return coming;
  }

  /** Lets what will be wanted soon come in; whether it does is nobody's business yet. */
  prefetch(from: number, count: number): void {
    const last = Math.min(this.times.frames - 1, from + count);
    const first = Math.max(0, Math.min(from, last));
    for (let n = Math.floor(first / this.#perChunk); n <= Math.floor(last / this.#perChunk); n += 1) {
      void this.#chunkOf(n).catch(() => undefined);
    }
  }

  async #made(frame: number): Promise<ImageBitmap> {
    const pictures = await this.#chunkOf(Math.floor(frame / this.#perChunk));
    const blob = pictures[frame % this.#perChunk];
    if (!blob) throw new Error(`there is no frame ${frame}`);
    const bitmap = await createImageBitmap(blob);
    this.#ready.set(frame, bitmap);
    this.#pixels += bitmap.width * bitmap.height;
    for (const [old, one] of this.#ready) {
      if (this.#pixels <= KEPT_PIXELS || old === frame) break;
      this.#ready.delete(old);
      this.#pixels -= one.width * one.height;
    }
    return bitmap;
  }

  #chunkOf(number: number): Promise<Blob[]> {
    let found = this.#chunks.get(number);
    if (found) this.#chunks.delete(number);
    else {
      found = this.#chunk(number);
      found.catch(() => this.#chunks.delete(number));
    }
    this.#chunks.set(number, found);
    for (const old of this.#chunks.keys()) {
      if (this.#chunks.size <= KEPT_CHUNKS) break;
      this.#chunks.delete(old);
    }
    return found;
  }
}

/** The times of frames from the server's table. */
export function timesOf(sent: Sent): FrameTimes {
  const times = new Float64Array(sent.frames);
  let at = 0;
  let time = 0;
  for (const [step, count] of sent.steps) {
    for (let n = 0; n < count; n += 1) {
      time += step;
      at += 1;
      times[at] = time;
    }
  }
  const second = sent.time_base[0] / sent.time_base[1];
  return {
    frames: sent.frames,
    table: sent.sha256,
    timeOf_s: (frame) => (times[frame] ?? 0) * second,
    frameAt: (time_s) => {
      let [low, high] = [0, sent.frames];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((times[middle] ?? 0) * second <= time_s) low = middle + 1;
        else high = middle;
      }
      return Math.max(0, low - 1);
    },
  };
}

/** A chunk as it is sent: how many pictures, how long each is, then the pictures. */
export function picturesIn(chunk: ArrayBuffer): Blob[] {
  const head = new DataView(chunk);
  const count = head.getUint32(0, true);
  let at = 4 * (count + 1);
  return Array.from({ length: count }, (_, n) => {
    const size = head.getUint32(4 * (n + 1), true);
    const blob = new Blob([chunk.slice(at, at + size)], { type: 'image/jpeg' });
    at += size;
    return blob;
  });
}

async function fetched(url: string): Promise<Response> {
  const answer = await fetch(url, { credentials: 'same-origin' });
  if (!answer.ok) throw new Error(`${answer.status} of ${url.split('?')[0]}`);
  return answer;
}

async function open(url: string): Promise<Frames> {
  const sent = (await (await fetched(url)).json()) as Sent;
  return new Frames(timesOf(sent), sent.chunk_frames, async (n) =>
    picturesIn(await (await fetched(`${url}&n=${n}`)).arrayBuffer()),
  );
}

function openSequence(urls: readonly string[], stamps_ns: readonly (number | null)[]): Frames {
  const first = stamps_ns[0] ?? null;
  const known = first !== null && stamps_ns.every((stamp) => stamp !== null);
  const timeOf_s = (frame: number) => (known ? ((stamps_ns[frame] ?? first) - first) / 1e9 : null);
  const times: FrameTimes = {
    frames: urls.length,
    table: null,
    timeOf_s,
    frameAt: (time_s) =>
      Math.max(
        0,
        urls.findLastIndex((_, frame) => (timeOf_s(frame) ?? frame / 10) <= time_s),
      ),
  };
  return new Frames(times, 1, async (n) => [await (await fetched(urls[n] ?? '')).blob()]);
}

const opened = new Map<string, Promise<Frames>>();
const KEPT_OPEN = 4;

/** The frames of an item; of one that was opened just now the same, with what it has in memory. Null for what has none. */
export function framesOf(item: ItemView): Promise<Frames> | null {
  const parts = (item.parts ?? []).filter((part) => part.media_type.startsWith('image/') && part.url);
  const key = item.frames_url ?? (parts.length > 0 ? parts.map((part) => part.url).join(' ') : null);
  if (!key) return null;
  let found = opened.get(key);
  if (!found) {
    found = item.frames_url
      ? open(item.frames_url)
      : Promise.resolve(
          openSequence(
            parts.map((part) => part.url ?? ''),
            parts.map((part) => part.timestamp_ns ?? null),
          ),
        );
    found.catch(() => opened.delete(key));
    opened.set(key, found);
    for (const old of opened.keys()) {
      if (opened.size <= KEPT_OPEN) break;
      opened.delete(old);
    }
  }
  return found;
}

/** How many frames an item has; 0 where it has none. */
export function frameCount(item: ItemView): number {
  return item.facts?.frames ?? (item.parts ?? []).filter((part) => part.media_type.startsWith('image/')).length;
}
