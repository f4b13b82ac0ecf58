/** Masks on a canvas: each tile painted once in its colour, kept while it is shown. */
import { bitsOf, TILE_PX, type Tile } from '../core/masks';
import { toScreen, type Viewport } from '../spaces/plane';

/** So many tiles are kept painted: 256 kB each. */
const MOST_TILES = 512;

/** The least recently shown go first; a tile that is edited is another object. */
const painted = new Map<Tile, { colour: string; canvas: HTMLCanvasElement }>();

function rgbOf(colour: string): [number, number, number] {
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)?.[1];
  if (hex) return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
  const probe = document.createElement('canvas').getContext('2d');
  if (!probe) return [230, 159, 0];
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = probe.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

function canvasOf(tile: Tile, colour: string): HTMLCanvasElement | null {
  const had = painted.get(tile);
  if (had?.colour === colour) {
    painted.delete(tile);
    painted.set(tile, had);
    return had.canvas;
  }
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: TILE_PX, height: TILE_PX });
  const context = canvas.getContext('2d');
  if (!context) return null;
  const image = context.createImageData(TILE_PX, TILE_PX);
  const [red, green, blue] = rgbOf(colour);
  bitsOf(tile).forEach((bit, at) => {
    if (bit === 1) image.data.set([red, green, blue, 255], 4 * at);
  });
  context.putImageData(image, 0, 0);
  painted.set(tile, { colour, canvas });
  for (const oldest of painted.keys()) {
    if (painted.size <= MOST_TILES) break;
    painted.delete(oldest);
  }
  return canvas;
}

export function drawPixels(
  ctx: CanvasRenderingContext2D,
  view: Viewport,
  tiles: readonly Tile[],
  colour: string,
  alpha: number,
): void {
  const before = ctx.imageSmoothingEnabled;
  ctx.imageSmoothingEnabled = view.scale < 1;
  ctx.globalAlpha = alpha;
  for (const tile of tiles) {
    const canvas = canvasOf(tile, colour);
    if (!canvas) continue;
    const { x, y } = toScreen(view, { x: tile.column * TILE_PX, y: tile.row * TILE_PX });
    ctx.drawImage(canvas, x, y, TILE_PX * view.scale, TILE_PX * view.scale);
  }
  ctx.globalAlpha = 1;
  ctx.imageSmoothingEnabled = before;
}
