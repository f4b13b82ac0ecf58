/** Mask: the pixels of a thing, painted with a brush, filled, or taken by colour. */
import type { MaskShape } from '../../api/types';
import { msg } from '../../i18n/msg';
import { contoursOf } from '../core/contours';
import { boxBetween, clampPoint, type Size } from '../core/geometry';
import { MAX_MASK_TILES, MAX_POINTS } from '../core/limits';
import {
  areaOf,
  areTilesWritten,
  boundsOfTiles,
  filledTiles,
  floodTiles,
  holds,
  movedTiles,
  overlapOfTiles,
  painted,
  strokeTiles,
  type Tile,
} from '../core/masks';
import { dragged, type Ground, placed, stroked, traced } from './gestures';
import type { Bounds, ShapeFace, ShapeFault } from './shape';

const DEFAULT_RADIUS_PX = 8;
const DEFAULT_TOLERANCE = 24;
const SLACK_PX = 0.5;

const shaped = (tiles: readonly Tile[]): MaskShape | null =>
  tiles.length > 0 ? { type: 'mask', tiles: [...tiles] } : null;

const known = new WeakMap<MaskShape, { bounds: Bounds; area: number }>();
function measured(shape: MaskShape) {
  let found = known.get(shape);
  if (!found) {
    found = { bounds: boundsOfTiles(shape.tiles), area: areaOf(shape.tiles) };
    known.set(shape, found);
  }
  return found;
}

const onto = (shape: MaskShape, drawn: MaskShape, { erases = false }: Ground): MaskShape | null =>
  shaped(painted(shape.tiles, drawn.tiles, erases));

/** Painting begins a mask of its own where none is selected; there is nothing to erase then. */
const stroke = stroked<MaskShape>((places, image) =>
  shaped(strokeTiles(places, image.radius_px ?? DEFAULT_RADIUS_PX, image)),
);

function moved(shape: MaskShape, dx: number, dy: number, image: Size): MaskShape {
  const { left, top, right, bottom } = measured(shape).bounds;
  const x = Math.min(Math.max(Math.round(dx), -left), Math.max(-left, Math.floor(image.width) - right));
  const y = Math.min(Math.max(Math.round(dy), -top), Math.max(-top, Math.floor(image.height) - bottom));
  return x === 0 && y === 0 ? shape : (shaped(movedTiles(shape.tiles, x, y, image)) ?? shape);
}

function faults(shape: MaskShape, image: Size): ShapeFault<MaskShape>[] {
  const { bounds } = measured(shape);
  if (shape.tiles.length === 0 || !areTilesWritten(shape.tiles)) {
    return [
      {
        rule: 'mask-not-empty',
        message: msg('This mask has no pixels, or its runs cannot be read.'),
        fix: { title: 'Delete it', shape: null },
      },
    ];
  }
  if (shape.tiles.length > MAX_MASK_TILES) {
    return [
      {
        rule: 'mask-not-large',
        message: msg('This mask is too large.'),
        fix: { title: 'Delete it', shape: null },
      },
    ];
  }
  if (bounds.right <= image.width + SLACK_PX && bounds.bottom <= image.height + SLACK_PX) return [];
  return [
    {
      rule: 'mask-inside-image',
      message: msg('This mask reaches past the edge of the image.'),
      fix: { title: 'Cut it at the edge', shape: shaped(movedTiles(shape.tiles, 0, 0, image)) },
    },
  ];
}

export const mask: ShapeFace<MaskShape> = {
  type: 'mask',
  icon: 'brush',
  words: { one: msg('Mask'), draw: msg('Paint masks with a brush'), only: msg('“{cls}” is painted as a mask.') },
  key: 'M',
  gesture: stroke,
  onto,
  ways: [
    {
      id: 'eraser',
      icon: 'eraser',
      title: msg('Erase from the selected mask'),
      key: 'X',
      gesture: stroke,
      onto: (shape, drawn) => shaped(painted(shape.tiles, drawn.tiles, true)),
      needsOne: true,
    },
    {
      id: 'fill',
      icon: 'polygon',
      title: msg('Fill an outline of the mask'),
      key: 'Alt+M',
      hint: msg('Click corner by corner. Enter, a double click or the first corner fills; Backspace takes one back.'),
      gesture: traced({ least: 3, most: MAX_POINTS }, (places, image) => shaped(filledTiles([places], image))),
      onto,
    },
    {
      id: 'rectangle',
      icon: 'box',
      title: msg('Fill a rectangle of the mask'),
      key: 'Alt+Shift+M',
      gesture: dragged((from, to, image) => {
        const { x, y, w, h } = boxBetween(clampPoint(from, image), clampPoint(to, image));
        const ring = [
          { x, y },
          { x: x + w, y },
          { x: x + w, y: y + h },
          { x, y: y + h },
        ];
        return shaped(filledTiles([ring], image));
      }),
      onto,
    },
    {
      id: 'flood',
      icon: 'flood',
      title: msg('Take what has the colour under the pointer'),
      key: 'W',
      gesture: {
        ...placed((at, image) => {
          const pixels = image.pixels?.();
          return pixels ? shaped(floodTiles(pixels, at, image.tolerance ?? DEFAULT_TOLERANCE)) : null;
        }),
        takesHold: false,
      },
      onto,
    },
  ],
  bounds: (shape) => measured(shape).bounds,
  size: (shape) => {
    const { left, top, right, bottom } = measured(shape).bounds;
    return { width: right - left, height: bottom - top };
  },
  area: (shape) => measured(shape).area,
  hit: (shape, at) => holds(shape.tiles, at),
  handles: () => [],
  dragged: (shape) => shape,
  moved,
  // Pixels do not stretch.
  stretched: (shape) => shape,
  turn: null,
  middle: (image) => {
    const [x, y] = [Math.floor(image.width * 0.375), Math.floor(image.height * 0.375)];
    const [w, h] = [Math.max(1, Math.floor(image.width / 4)), Math.max(1, Math.floor(image.height / 4))];
    const ring = [
      { x, y },
      { x: x + w, y },
      { x: x + w, y: y + h },
      { x, y: y + h },
    ];
    return { type: 'mask', tiles: filledTiles([ring], image) };
  },
  paths: (shape) => contoursOf(shape.tiles).flatMap((part) => part.map((points) => ({ points, closed: true }))),
  pose: 'pixels',
  rings: (shape) => contoursOf(shape.tiles).flat(),
  joined: (shapes) => shaped(shapes.reduce<readonly Tile[]>((all, { tiles }) => painted(all, tiles, false), [])),
  tiles: ({ tiles }) => tiles,
  anchor: (shape) => {
    const { left, top } = measured(shape).bounds;
    return { x: left, y: top };
  },
  measure: (shape) => `${measured(shape).area} px²`,
  // Pixels have no counterparts: it stands still until the next key.
  between: (a) => a,
  similarity: (a, b) => (a === b ? 1 : overlapOfTiles(a.tiles, b.tiles)),
  reach_px: 0,
  twin_at: 0.95,
  faults,
};
