/**
 * Pixels in tiles of 256 x 256, as runs along their rows: what a mask is made of. Nothing here changes a tile; what is
 * painted makes new ones where it falls and keeps the others, so that a history of masks holds each tile once.
 */
import type { MaskShape } from '../../api/types';
import type { Point, Size } from './geometry';
import type { Ring } from './outlines';
import { spansAt } from './outlines';

export type Tile = MaskShape['tiles'][number];
export const TILE_PX = 256;
const TILE_PIXELS = TILE_PX * TILE_PX;

/** Of one tile, a byte a pixel. */
export type Bits = Uint8Array;

export function bitsOf({ runs }: Tile): Bits {
  const bits = new Uint8Array(TILE_PIXELS);
  let at = 0;
  runs.forEach((run, n) => {
    if (n % 2 === 1) bits.fill(1, at, at + run);
    at += run;
  });
  return bits;
}

/** The runs of one tile: none where no pixel is set; they end with one that is. */
export function runsOf(bits: Bits): number[] {
  const runs: number[] = [];
  let from = 0;
  let value = 0;
  for (;;) {
    const next = bits.indexOf(1 - value, from);
    if (next < 0) break;
    runs.push(next - from);
    from = next;
    value = 1 - value;
  }
  if (value === 1) runs.push(TILE_PIXELS - from);
  return runs;
}

const keyOf = ({ row, column }: Pick<Tile, 'row' | 'column'>) => `${row}:${column}`;
const inOrder = (a: Tile, b: Tile) => a.row - b.row || a.column - b.column;

/** Takes rows of pixels and gives the tiles that they fall in, cut at the picture's edge. */
export class Plane {
  readonly #tiles = new Map<string, { row: number; column: number; bits: Bits }>();
  readonly #size: Size;

  constructor(size: Size) {
    this.#size = size;
  }

  /** Sets the pixels of a row from x0 to before x1. */
  span(y: number, x0: number, x1: number): void {
    if (y < 0 || y >= this.#size.height) return;
    const end = Math.min(x1, Math.ceil(this.#size.width));
    const row = Math.floor(y / TILE_PX);
    for (let x = Math.max(0, x0); x < end; ) {
      const column = Math.floor(x / TILE_PX);
      const till = Math.min(end, (column + 1) * TILE_PX);
      const key = keyOf({ row, column });
      let tile = this.#tiles.get(key);
      if (!tile) {
        tile = { row, column, bits: new Uint8Array(TILE_PIXELS) };
        this.#tiles.set(key, tile);
      }
      const line = (y - row * TILE_PX) * TILE_PX - column * TILE_PX;
      tile.bits.fill(1, line + x, line + till);
      x = till;
    }
  }

  tiles(): Tile[] {
    return [...this.#tiles.values()]
      .map(({ row, column, bits }) => ({ column, row, runs: runsOf(bits) }))
      .sort(inOrder);
  }
}

/** The pixels of one with those of another, or without them; tiles that do not change are the same objects. */
export function painted(tiles: readonly Tile[], by: readonly Tile[], erases: boolean): Tile[] {
  const over = new Map(by.map((tile) => [keyOf(tile), tile]));
  const found: Tile[] = [];
  for (const tile of tiles) {
    const other = over.get(keyOf(tile));
    over.delete(keyOf(tile));
    if (!other) {
      found.push(tile);
      continue;
    }
    const bits = bitsOf(tile);
    const change = bitsOf(other);
    let isChanged = false;
    for (let at = 0; at < TILE_PIXELS; at += 1) {
      if (change[at] === 1 && (bits[at] === 1) === erases) {
        bits[at] = erases ? 0 : 1;
        isChanged = true;
      }
    }
    if (!isChanged) found.push(tile);
    else {
      const runs = runsOf(bits);
      if (runs.length > 0) found.push({ column: tile.column, row: tile.row, runs });
    }
  }
  if (!erases) found.push(...over.values());
  return found.sort(inOrder);
}

/** Where a row crosses the disc around a place, as pixels whose middle lies in it. */
function acrossDisc(at: Point, radius_px: number, y: number): [number, number] | null {
  const high = radius_px ** 2 - (y + 0.5 - at.y) ** 2;
  if (high < 0) return null;
  const half = Math.sqrt(high);
  return [at.x - half, at.x + half];
}

/** What a round brush covers on its way from place to place; as small as it is, the pixel under it. */
export function strokeTiles(places: readonly Point[], radius_px: number, size: Size): Tile[] {
  const plane = new Plane(size);
  const radius = Math.max(radius_px, 0.5);
  places.forEach((to, n) => {
    const from = places[n - 1] ?? to;
    if (n > 0 || places.length === 1) sweep(plane, from, to, radius);
    plane.span(Math.floor(to.y), Math.floor(to.x), Math.floor(to.x) + 1);
  });
  return plane.tiles();
}

/** The way of a disc is convex: of each row it covers one span, from its discs' or its sides' least x to their most. */
function sweep(plane: Plane, from: Point, to: Point, radius: number): void {
  const long = Math.hypot(to.x - from.x, to.y - from.y);
  const side = long > 0 ? { x: (-(to.y - from.y) / long) * radius, y: ((to.x - from.x) / long) * radius } : null;
  const quad: Ring = side
    ? [
        { x: from.x + side.x, y: from.y + side.y },
        { x: to.x + side.x, y: to.y + side.y },
        { x: to.x - side.x, y: to.y - side.y },
        { x: from.x - side.x, y: from.y - side.y },
      ]
    : [];
  const last = Math.max(from.y, to.y) + radius;
  for (let y = Math.floor(Math.min(from.y, to.y) - radius); y <= last; y += 1) {
    const ends = [acrossDisc(from, radius, y), acrossDisc(to, radius, y), spansAt([quad], y + 0.5)]
      .filter((span) => span !== null)
      .flat();
    if (ends.length > 0) plane.span(y, Math.ceil(Math.min(...ends) - 0.5), Math.floor(Math.max(...ends) - 0.5) + 1);
  }
}

/** The pixels whose middle outlines hold (even and odd). */
export function filledTiles(rings: readonly Ring[], size: Size): Tile[] {
  const plane = new Plane(size);
  const ys = rings.flat().map(({ y }) => y);
  const last = Math.min(size.height, Math.max(...ys));
  for (let y = Math.max(0, Math.floor(Math.min(...ys))); y <= last; y += 1) {
    const spans = spansAt(rings, y + 0.5);
    for (let at = 0; at + 1 < spans.length; at += 2)
      plane.span(y, Math.ceil((spans[at] as number) - 0.5), Math.ceil((spans[at + 1] as number) - 0.5));
  }
  return plane.tiles();
}

export function areaOf(tiles: readonly Tile[]): number {
  return tiles.reduce((sum, { runs }) => sum + runs.reduce((own, run, n) => (n % 2 === 1 ? own + run : own), 0), 0);
}

/** left, top, right and bottom of what is set, px. */
export function boundsOfTiles(tiles: readonly Tile[]): { left: number; top: number; right: number; bottom: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { column, row, runs } of tiles) {
    let at = 0;
    runs.forEach((run, n) => {
      if (n % 2 === 1) {
        const end = at + run - 1;
        const [y0, y1] = [Math.floor(at / TILE_PX), Math.floor(end / TILE_PX)];
        const [x0, x1] = y0 === y1 ? [at % TILE_PX, end % TILE_PX] : [0, TILE_PX - 1];
        left = Math.min(left, column * TILE_PX + x0);
        right = Math.max(right, column * TILE_PX + x1 + 1);
        top = Math.min(top, row * TILE_PX + y0);
        bottom = Math.max(bottom, row * TILE_PX + y1 + 1);
      }
      at += run;
    });
  }
  return { left, top, right, bottom };
}

export function holds(tiles: readonly Tile[], { x, y }: Point): boolean {
  const [column, row] = [Math.floor(x / TILE_PX), Math.floor(y / TILE_PX)];
  const tile = tiles.find((one) => one.column === column && one.row === row);
  if (!tile) return false;
  const wanted = (Math.floor(y) - row * TILE_PX) * TILE_PX + Math.floor(x) - column * TILE_PX;
  let at = 0;
  for (const [n, run] of tile.runs.entries()) {
    at += run;
    if (wanted < at) return n % 2 === 1;
  }
  return false;
}

/** Intersection over union, 0..1. */
export function overlapOfTiles(a: readonly Tile[], b: readonly Tile[]): number {
  const others = new Map(b.map((tile) => [keyOf(tile), tile]));
  let common = 0;
  for (const tile of a) {
    const other = others.get(keyOf(tile));
    if (!other) continue;
    if (other === tile) {
      common += areaOf([tile]);
      continue;
    }
    const [one, two] = [bitsOf(tile), bitsOf(other)];
    for (let at = 0; at < TILE_PIXELS; at += 1) common += (one[at] as number) & (two[at] as number);
  }
  const either = areaOf(a) + areaOf(b) - common;
  return either > 0 ? common / either : 0;
}

/** Whether a label could hold these tiles: in order, none empty, runs above 0 but for the first, and no more than fit. */
export function areTilesWritten(tiles: readonly Tile[]): boolean {
  return tiles.every(({ column, row, runs }, n) => {
    const before = tiles[n - 1];
    return (
      (!before || inOrder(before, { column, row, runs }) < 0) &&
      column >= 0 &&
      row >= 0 &&
      runs.length >= 2 &&
      runs.length % 2 === 0 &&
      runs.every((run, at) => Number.isInteger(run) && run >= (at === 0 ? 0 : 1)) &&
      runs.reduce((sum, run) => sum + run, 0) <= TILE_PIXELS
    );
  });
}

/** The same pixels elsewhere, cut at the picture's edge. */
export function movedTiles(tiles: readonly Tile[], dx: number, dy: number, size: Size): Tile[] {
  const plane = new Plane(size);
  eachSpan(tiles, (y, x0, x1) => plane.span(y + dy, x0 + dx, x1 + dx));
  return plane.tiles();
}

/** Every run within one row: y, from x0 to before x1. */
export function eachSpan(tiles: readonly Tile[], take: (y: number, x0: number, x1: number) => void): void {
  for (const { column, row, runs } of tiles) {
    let at = 0;
    runs.forEach((run, n) => {
      if (n % 2 === 1) {
        for (let from = at; from < at + run; ) {
          const y = Math.floor(from / TILE_PX);
          const till = Math.min(at + run, (y + 1) * TILE_PX);
          take(row * TILE_PX + y, column * TILE_PX + from - y * TILE_PX, column * TILE_PX + till - y * TILE_PX);
          from = till;
        }
      }
      at += run;
    });
  }
}

/**
 * The pixels that hang together with the one at a place and have nearly its colour: no channel further off than
 * `tolerance` (0..255). Rows are filled whole, then those above and below (Smith, 1979).
 */
export function floodTiles({ data, width, height }: ImageData, at: Point, tolerance: number): Tile[] {
  const plane = new Plane({ width, height });
  const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
  if (x < 0 || y < 0 || x >= width || y >= height) return [];
  const seen = new Uint8Array(width * height);
  const start = 4 * (y * width + x);
  const isAlike = (pixel: number) =>
    seen[pixel] === 0 &&
    [0, 1, 2].every(
      (channel) => Math.abs((data[4 * pixel + channel] as number) - (data[start + channel] as number)) <= tolerance,
    );
  const open: [number, number][] = [[x, y]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [px, py] = next;
    const line = py * width;
    if (!isAlike(line + px)) continue;
    let [from, till] = [px, px + 1];
    while (from > 0 && isAlike(line + from - 1)) from -= 1;
    while (till < width && isAlike(line + till)) till += 1;
    seen.fill(1, line + from, line + till);
    plane.span(py, from, till);
    for (const near of [py - 1, py + 1]) {
      if (near < 0 || near >= height) continue;
      let was = false;
      for (let step = from; step < till; step += 1) {
        const is = isAlike(near * width + step);
        if (is && !was) open.push([step, near]);
        was = is;
      }
    }
  }
  return plane.tiles();
}
