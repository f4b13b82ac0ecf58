/** Point: one place in the image. */
import type { PointShape } from '../../api/types';
import { msg } from '../../i18n/msg';
import { clampPoint, type Point, roundPx, type Size } from '../core/geometry';
import { placed } from './gestures';
import { mixed } from './moving';
import type { ShapeFace } from './shape';

/** The server's own: the similarity falls in a line from 1 at the same place to 0 at this distance. */
const REACH_PX = 20;
/** Half a pixel over the edge is rounding, more is a mistake. */
const SLACK_PX = 0.5;

function at(place: Point, image: Size): PointShape {
  const { x, y } = clampPoint(place, image);
  return { type: 'point', x: roundPx(x), y: roundPx(y) };
}

const apart = (a: Point, b: Point) => Math.hypot(a.x - b.x, a.y - b.y);

export const point: ShapeFace<PointShape> = {
  type: 'point',
  icon: 'point',
  words: { one: msg('Point'), draw: msg('Set points'), only: msg('“{cls}” is drawn as a point.') },
  key: 'P',
  gesture: placed(at),
  bounds: ({ x, y }) => ({ left: x, top: y, right: x, bottom: y }),
  size: () => null,
  area: () => 0,
  hit: (shape, place, reach_px) => apart(shape, place) <= reach_px,
  handles: () => [],
  dragged: (_shape, _handle, to, image) => at(to, image),
  moved: (shape, dx, dy, image) => at({ x: shape.x + dx, y: shape.y + dy }, image),
  stretched: null,
  turn: null,
  middle: (image) => at({ x: image.width / 2, y: image.height / 2 }, image),
  paths: (shape) => [{ points: [shape], closed: true }],
  pose: 'point',
  anchor: (shape) => shape,
  measure: ({ x, y }) => `${Math.round(x)}, ${Math.round(y)}`,
  between: (a, b, share) => ({ ...a, x: mixed(a.x, b.x, share), y: mixed(a.y, b.y, share) }),
  similarity: (a, b) => Math.max(0, 1 - apart(a, b) / REACH_PX),
  reach_px: REACH_PX,
  twin_at: 0.9,
  faults: (shape, image) =>
    apart(shape, clampPoint(shape, image)) <= SLACK_PX
      ? []
      : [
          {
            rule: 'point-inside-image',
            message: msg('This point lies outside the image.'),
            fix: { title: 'Move it inside', shape: at(shape, image) },
          },
        ],
};
