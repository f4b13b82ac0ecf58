"""Polygon: the outline of a thing, one ring of points in pixels from the image's top left."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupola.kernel import limits
from cupola.kernel.lazy import Lazy
from cupola.labels.facts import ItemFacts
from cupola.labels.shapes.shape import Corner, Shape, ShapeType, within_image, wrong_shape

shapely = Lazy("shapely")

LEAST_POINTS = 3
# Two outlines of a thousand teeth each cross a million times, and exact geometry then takes minutes and gigabytes:
# where more pairs of edges than this come near each other, a raster is counted instead.
EXACT_PAIRS = 20_000
RASTER_CELLS = 1_024  # along the longer side
GRID_PX = 0.001  # what lies closer is one place when outlines are laid over each other
STRAIGHT_PX = 0.25  # what a merged outline may differ from the exact one, to lose the corners that nobody set


class Polygon(Shape, frozen=True, tag="polygon"):
    """points: x and y of each corner in px, in order; the last is joined to the first. The outline crosses itself
    nowhere, whichever way round it runs."""

    points: tuple[tuple[float, float], ...]


class PolygonType(ShapeType[Polygon]):
    """An outline; similarity is intersection over union of what it holds."""

    name = "polygon"
    shape = Polygon
    same_at = 0.5
    joined_at = 0.4

    def validate(self, shape: Polygon, facts: ItemFacts, place: str) -> None:
        """It has three corners or more that are not in one line, touches itself nowhere, and lies within the image."""
        points = shape.points
        if not math.isfinite(sum(x + y for x, y in points)):
            raise wrong_shape(
                "label-not-finite", "A number of the polygon is not finite.", place, "Send finite numbers."
            )
        if len(points) > limits.MAX_POINTS_PER_SHAPE:
            raise wrong_shape(
                "label-too-many-points",
                f"{len(points)} points; at most {limits.MAX_POINTS_PER_SHAPE} are taken.",
                place,
                "Leave out points that change the outline by less than half a pixel.",
            )
        if len(set(points)) < LEAST_POINTS or not shapely.LineString(points).convex_hull.area:
            raise wrong_shape(
                "label-empty-shape",
                "The polygon has no area.",
                place,
                "Give it three points or more that do not lie in one line.",
            )
        within_image("polygon", np.asarray(points), facts, place)
        if not _region(shape).is_valid:
            where = shapely.is_valid_reason(_region(shape)).partition("[")[2].rstrip("]")
            raise wrong_shape(
                "label-crossed-outline",
                f"The outline meets itself near {where}.",
                place,
                "Move its points so that it crosses and touches itself nowhere.",
            )

    def bounds(self, shapes: Sequence[Polygon]) -> NDArray[np.float64]:
        out = np.empty((len(shapes), 4), dtype=np.float64)
        for row, polygon in enumerate(shapes):
            points = np.asarray(polygon.points)
            out[row, :2], out[row, 2:] = points.min(axis=0), points.max(axis=0)
        return out

    def similarity(self, a: Polygon, b: Polygon) -> float:
        """Intersection over union; of outlines that cross very often, counted on a raster."""
        if a.points == b.points:
            return 1.0
        if not _few_pairs([a, b]):
            return _rastered(a, b)
        first, second = _region(a), _region(b)
        common = float(first.intersection(second).area)
        return min(1.0, common / float(first.area + second.area - common))

    def merge(self, shapes: Sequence[Polygon], weights: Sequence[float]) -> Polygon:
        """What more than half of the weight covers, without holes, and of several parts the largest.

        The outlines cut the plane into cells; each is asked who covers it. Where they cross too often for that, or
        share nothing, the one that is most like the others stands for all.
        """
        if len(set(shapes)) == 1:
            return shapes[0]
        # what comes out must not hang on who was asked first
        order = sorted(range(len(shapes)), key=lambda row: shapes[row].points)
        shapes, weights = [shapes[row] for row in order], [weights[row] for row in order]
        if _few_pairs(shapes):
            regions = [_region(one) for one in shapes]
            edges = shapely.unary_union([region.exterior for region in regions], grid_size=GRID_PX)
            cells = shapely.get_parts(shapely.polygonize([edges]))
            inner = shapely.point_on_surface(cells)
            heard = np.zeros(len(cells))
            for region, weight in zip(regions, weights, strict=True):
                heard += weight * shapely.contains(region, inner)
            together = shapely.get_parts(shapely.union_all(cells[heard > sum(weights) / 2]))
            together = together[shapely.area(together) > 0]
            if len(together):
                return _drawn(shapely.Polygon(together[np.argmax(shapely.area(together))].exterior))
        alike = [
            sum(weight * self.similarity(one, other) for other, weight in zip(shapes, weights, strict=True))
            for one in shapes
        ]
        return max(zip(alike, weights, shapes, strict=True), key=lambda row: (row[0], row[1], row[2].points))[2]

    def area(self, shape: Polygon) -> float:
        """By the shoelace formula."""
        (x, y), (x_next, y_next) = (np.asarray(at).T for at in (shape.points, (*shape.points[1:], shape.points[0])))
        return float(abs((x * y_next - x_next * y).sum()) / 2)

    def outline(self, shape: Polygon) -> Sequence[Corner]:
        return shape.points

    def size(self, shape: Polygon) -> tuple[float, float]:
        """Of the upright rectangle around it."""
        x0, y0, x1, y1 = (float(edge) for edge in self.bounds([shape])[0])
        return x1 - x0, y1 - y0


@functools.lru_cache(maxsize=1024)
def _region(polygon: Polygon) -> Any:
    return shapely.Polygon(polygon.points)


def _drawn(region: Any) -> Polygon:
    """The region's outline in few points and hundredths of a pixel, as far as it stays an outline."""
    slack = min(STRAIGHT_PX, math.sqrt(region.area) / 100)
    simple = shapely.normalize(region).simplify(slack, preserve_topology=True)
    rounded = shapely.Polygon(np.round(shapely.get_coordinates(simple), 2))
    for found in (rounded, simple):
        if found.is_valid and found.area > 0:
            break
    else:
        found = region
    return Polygon(tuple((float(x), float(y)) for x, y in shapely.get_coordinates(found)[:-1]))


def _few_pairs(shapes: Sequence[Polygon]) -> bool:
    """Whether so few edges of different outlines come near each other that exact geometry is cheap."""
    counts = [len(one.points) for one in shapes]
    if (sum(counts) ** 2 - sum(count**2 for count in counts)) / 2 <= EXACT_PAIRS:
        return True
    near = 0
    edges = [_edges(one) for one in shapes]
    for at, mine in enumerate(edges):
        tree = shapely.STRtree(mine)
        for others in edges[at + 1 :]:
            near += tree.query(others).shape[1]
            if near > EXACT_PAIRS:
                return False
    return True


def _edges(polygon: Polygon) -> Any:
    points = np.asarray(polygon.points)
    return shapely.linestrings(np.stack([points, np.roll(points, -1, axis=0)], axis=1))


def _rastered(a: Polygon, b: Polygon) -> float:
    """Intersection over union, counted at the middles of a raster's cells."""
    both = np.asarray([*a.points, *b.points])
    least, most = both.min(axis=0), both.max(axis=0)
    cell = float((most - least).max()) / RASTER_CELLS
    first, second = (_filled((np.asarray(one.points) - least) / cell) for one in (a, b))
    return float((first & second).sum() / max(1, (first | second).sum()))


def _filled(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells have their middle inside: those with an odd number of sides to their left."""
    (x, y), (x_next, y_next) = points.T, np.roll(points, -1, axis=0).T
    rows = np.arange(RASTER_CELLS)[:, None] + 0.5
    row, side = np.nonzero((y > rows) != (y_next > rows))
    at = x[side] + (row + 0.5 - y[side]) * (x_next - x)[side] / (y_next - y)[side]
    crossed = np.zeros((RASTER_CELLS, RASTER_CELLS + 1), dtype=np.int32)
    np.add.at(crossed, (row, np.clip(np.ceil(at - 0.5), 0, RASTER_CELLS).astype(int)), 1)
    return np.asarray(np.cumsum(crossed, axis=1)[:, :-1] % 2 == 1)
