/** Skeleton: named places of one thing, laid out by its class's template in a box that is dragged, then moved one by one. */
import type { ClassSpec, SkeletonShape } from '../../api/types';
import { msg } from '../../i18n/msg';
import { boxBetween, clamp, clampPoint, type Point, roundPx, type Size } from '../core/geometry';
import { distanceToSide } from '../core/outlines';
import { dragged } from './gestures';
import { mixed } from './moving';
import type { Bounds, Path, Place, ShapeFace, ShapeFault } from './shape';

/** The server's own measure: a place that is off by this share of the thing's scale counts exp(-1/2). */
const OFF_SHARE = 0.1;
const LEAST_SCALE_PX = 10;
const REACH_SHARE = 0.15;
const SLACK_PX = 0.5;
const SMALLEST_DRAG_PX = 4;
const PLACE = 'place:';

type Keypoint = SkeletonShape['points'][number];
const isThere = ({ state }: Keypoint) => state !== 'absent';
const at = ({ x = 0, y = 0 }: Keypoint): Point => ({ x, y });

function keypoint(name: string, { x, y }: Point, state: Place['state'] = 'visible'): Keypoint {
  return { name, x: roundPx(x), y: roundPx(y), ...(state === 'visible' ? {} : { state }) };
}

const known = new WeakMap<SkeletonShape, Bounds>();
function boundsOf(shape: SkeletonShape): Bounds {
  let bounds = known.get(shape);
  if (!bounds) {
    const there = shape.points.filter(isThere).map(at);
    const [xs, ys] = [there.map(({ x }) => x), there.map(({ y }) => y)];
    bounds = there.length
      ? { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) }
      : { left: 0, top: 0, right: 0, bottom: 0 };
    known.set(shape, bounds);
  }
  return bounds;
}

/** The template of a class stretched over a box. */
function laid(spec: ClassSpec | undefined, { left, top, right, bottom }: Bounds): SkeletonShape {
  const points = spec?.skeleton?.points ?? [];
  return {
    type: 'skeleton',
    points: points.map(({ name, x, y }) =>
      keypoint(name, { x: left + x * (right - left), y: top + y * (bottom - top) }),
    ),
  };
}

const mapped = (shape: SkeletonShape, change: (point: Keypoint) => Keypoint): SkeletonShape => ({
  ...shape,
  points: shape.points.map(change),
});

function moved(shape: SkeletonShape, dx: number, dy: number, image: Size): SkeletonShape {
  const { left, top, right, bottom } = boundsOf(shape);
  const x = clamp(dx, -left, Math.max(-left, image.width - right));
  const y = clamp(dy, -top, Math.max(-top, image.height - bottom));
  return mapped(shape, (point) => {
    const here = at(point);
    return isThere(point) ? keypoint(point.name, { x: here.x + x, y: here.y + y }, point.state) : point;
  });
}

function scaleOf(shape: SkeletonShape): number {
  const { left, top, right, bottom } = boundsOf(shape);
  const [w, h] = [right - left, bottom - top];
  const longer = Math.max(w, h);
  return Math.max(LEAST_SCALE_PX, Math.sqrt(Math.max(w * h, (longer * longer) / 4)));
}

function reachOf(shape: SkeletonShape): Bounds {
  const { left, top, right, bottom } = boundsOf(shape);
  const pad = Math.max(REACH_SHARE * Math.max(right - left, bottom - top), LEAST_SCALE_PX / 2);
  return { left: left - pad, top: top - pad, right: right + pad, bottom: bottom + pad };
}

function similarity(a: SkeletonShape, b: SkeletonShape): number {
  if (a === b) return 1;
  const [one, two] = [reachOf(a), reachOf(b)];
  if (one.left >= two.right || two.left >= one.right || one.top >= two.bottom || two.top >= one.bottom) return 0;
  const scale = Math.sqrt((scaleOf(a) ** 2 + scaleOf(b) ** 2) / 2);
  const others = new Map(b.points.map((point) => [point.name, point]));
  let [total, near] = [0, 0];
  for (const point of a.points) {
    const other = others.get(point.name);
    others.delete(point.name);
    const both = isThere(point) && other !== undefined && isThere(other);
    if (isThere(point) || (other && isThere(other))) total += 1;
    if (!both) continue;
    const [here, there] = [at(point), at(other)];
    near += Math.exp(-((Math.hypot(here.x - there.x, here.y - there.y) / (OFF_SHARE * scale)) ** 2) / 2);
  }
  total += [...others.values()].filter(isThere).length;
  return total > 0 ? near / total : 0;
}

/** The lines between places that are joined and there; without a template the places by themselves. */
function paths(shape: SkeletonShape, spec?: ClassSpec): Path[] {
  const there = new Map(shape.points.filter(isThere).map((point) => [point.name, at(point)]));
  return (spec?.skeleton?.edges ?? []).flatMap(([a, b]) => {
    const [from, to] = [there.get(a), there.get(b)];
    return from && to ? [{ points: [from, to], closed: false }] : [];
  });
}

const nameIn = (handle: string) => (handle.startsWith(PLACE) ? handle.slice(PLACE.length) : null);

function withState(shape: SkeletonShape, name: string, state: Place['state'], spec?: ClassSpec): SkeletonShape {
  return mapped(shape, (point) => {
    if (point.name !== name) return point;
    if (state === 'absent') return { name, state };
    if (isThere(point)) return keypoint(name, at(point), state);
    // Where its template has it, over what is there.
    const template = laid(spec, boundsOf(shape)).points.find((one) => one.name === name);
    const { left, top, right, bottom } = boundsOf(shape);
    return keypoint(name, template ? at(template) : { x: (left + right) / 2, y: (top + bottom) / 2 }, state);
  });
}

function faults(shape: SkeletonShape, image: Size): ShapeFault<SkeletonShape>[] {
  const there = shape.points.filter(isThere);
  const found: ShapeFault<SkeletonShape>[] = [];
  if (there.length === 0) {
    found.push({
      rule: 'skeleton-not-empty',
      message: msg('All places of this skeleton are absent.'),
      fix: { title: 'Delete it', shape: null },
    });
  }
  const isOut = (point: Keypoint) => {
    const [here, inside] = [at(point), clampPoint(at(point), image)];
    return Math.abs(here.x - inside.x) > SLACK_PX || Math.abs(here.y - inside.y) > SLACK_PX;
  };
  if (there.some(isOut)) {
    found.push({
      rule: 'skeleton-inside-image',
      message: msg('A place of this skeleton lies outside the image.'),
      fix: {
        title: 'Move it inside',
        shape: mapped(shape, (point) =>
          isThere(point) ? keypoint(point.name, clampPoint(at(point), image), point.state) : point,
        ),
      },
    });
  }
  return found;
}

export const skeleton: ShapeFace<SkeletonShape> = {
  type: 'skeleton',
  icon: 'skeleton',
  words: { one: msg('Skeleton'), draw: msg('Draw skeletons'), only: msg('“{cls}” is drawn as a skeleton.') },
  key: 'K',
  gesture: dragged((from, to, image) => {
    const { x, y, w, h } = boxBetween(clampPoint(from, image), clampPoint(to, image));
    if (Math.max(w, h) < SMALLEST_DRAG_PX) return null;
    const shape = laid(image.spec, { left: x, top: y, right: x + w, bottom: y + h });
    return shape.points.length > 0 ? shape : null;
  }),
  bounds: boundsOf,
  size: (shape) => {
    const { left, top, right, bottom } = boundsOf(shape);
    return { width: right - left, height: bottom - top };
  },
  area: (shape) => {
    const { left, top, right, bottom } = boundsOf(shape);
    return (right - left) * (bottom - top);
  },
  hit: (shape, place, reach_px) => {
    const { left, top, right, bottom } = boundsOf(shape);
    const isNear = shape.points.some((point) => {
      const here = at(point);
      return isThere(point) && distanceToSide(here, here, place) <= reach_px;
    });
    return isNear || (place.x >= left && place.x <= right && place.y >= top && place.y <= bottom);
  },
  handles: (shape) => shape.points.filter(isThere).map((point) => ({ id: `${PLACE}${point.name}`, at: at(point) })),
  dragged: (shape, handle, to, image) => {
    const name = nameIn(handle);
    return mapped(shape, (point) =>
      point.name === name ? keypoint(point.name, clampPoint(to, image), point.state) : point,
    );
  },
  dropped: (shape, handle) => {
    const name = nameIn(handle);
    return name !== null && shape.points.filter(isThere).length > 1 ? withState(shape, name, 'absent') : null;
  },
  moved,
  stretched: (shape, dx, dy, image) => {
    const { left, top, right, bottom } = boundsOf(shape);
    const along = (here: number, from: number, till: number, by: number, most: number) => {
      const long = clamp(till - from + by, 1, Math.max(1, most - from));
      return till > from ? from + ((here - from) * long) / (till - from) : here;
    };
    return mapped(shape, (point) => {
      const { x, y } = at(point);
      const to = { x: along(x, left, right, dx, image.width), y: along(y, top, bottom, dy, image.height) };
      return isThere(point) ? keypoint(point.name, to, point.state) : point;
    });
  },
  turn: null,
  middle: ({ width, height, spec }) =>
    laid(spec, { left: width * 0.375, top: height * 0.375, right: width * 0.625, bottom: height * 0.625 }),
  paths,
  pose: 'dots',
  places: {
    of: (shape) => shape.points.map((point) => ({ name: point.name, at: at(point), state: point.state ?? 'visible' })),
    to: withState,
    mirrored: (shape, spec) => {
      const other = new Map((spec?.skeleton?.symmetry ?? []).flatMap(([a, b]) => [[a, b] as const, [b, a] as const]));
      return mapped(shape, (point) => ({ ...point, name: other.get(point.name) ?? point.name }));
    },
  },
  fits: (shape, spec) => {
    const wanted = (spec.skeleton?.points ?? []).map(({ name }) => name).sort();
    const has = shape.points.map(({ name }) => name).sort();
    return wanted.length === has.length && wanted.every((name, n) => name === has[n]);
  },
  anchor: (shape) => {
    const { left, top } = boundsOf(shape);
    return { x: left, y: top };
  },
  measure: (shape) => `${shape.points.filter(isThere).length} / ${shape.points.length}`,
  between: (a, b, share) => {
    const others = new Map(b.points.map((point) => [point.name, point]));
    return {
      ...a,
      points: a.points.map((point) => {
        const other = others.get(point.name);
        if (!other || point.state === 'absent' || other.state === 'absent') return point;
        return { ...point, x: mixed(point.x ?? 0, other.x ?? 0, share), y: mixed(point.y ?? 0, other.y ?? 0, share) };
      }),
    };
  },
  similarity,
  reach_px: LEAST_SCALE_PX,
  twin_at: 0.95,
  faults,
};
