"""Polygon: the outline of a thing in pixels from the image's top left, with its holes and its further parts."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel import limits
from cupola.kernel.errors import Problem
from cupola.labels.facts import ItemFacts
from cupola.labels.shapes import outlines
from cupola.labels.shapes.moving import ring_between
from cupola.labels.shapes.outlines import Ring, shapely
from cupola.labels.shapes.shape import Corner, Region, Shape, ShapeType, within_image, wrong_shape

GRID_PX = 0.001  # what lies closer is one place when outlines are laid over each other
STRAIGHT_PX = 0.25  # what a merged outline may differ from the exact one, to lose the corners that nobody set
# A hole or a further part that is smaller than both is what uneven hands leave between their outlines.
LEAST_PIECE_PX2 = 4.0
LEAST_PIECE_SHARE = 0.002


class PolygonPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A further piece of the same thing, as where something stands before it: an outline, and the holes in it."""

    points: Ring
    holes: tuple[Ring, ...] = ()


class Polygon(Shape, frozen=True, tag="polygon"):
    """points: x and y of each corner in px, in order; the last is joined to the first. The outline crosses itself
    nowhere, whichever way round it runs. holes: outlines within it of what does not belong to it. parts: further
    pieces of the same thing. No two of all these outlines touch."""

    points: Ring
    holes: tuple[Ring, ...] = ()
    parts: tuple[PolygonPart, ...] = ()


class PolygonType(ShapeType[Polygon]):
    """An outline; similarity is intersection over union of what it holds."""

    name = "polygon"
    shape = Polygon
    same_at = 0.5
    joined_at = 0.4

    def validate(self, shape: Polygon, facts: ItemFacts, place: str) -> None:
        """Each outline has three corners or more that are not in one line, and touches neither itself nor another;
        holes lie in their part and in no other hole, parts outside of each other, all within the image."""
        named = list(_named(shape, place))
        points = [corner for _, ring in named for corner in ring]
        if not outlines.are_finite(points):
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
        for where, ring in named:
            outlines.check_ring(ring, where)
        within_image("polygon", np.asarray(points), facts, place)
        if (met := outlines.meeting([ring for _, ring in named])) is not None:
            raise outlines.crossed(met[1], named[met[0]][0])
        _check_nesting(shape, place)

    def bounds(self, shapes: Sequence[Polygon]) -> NDArray[np.float64]:
        out = np.empty((len(shapes), 4), dtype=np.float64)
        for row, polygon in enumerate(shapes):
            points = np.asarray([*polygon.points, *(corner for part in polygon.parts for corner in part.points)])
            out[row, :2], out[row, 2:] = points.min(axis=0), points.max(axis=0)
        return out

    def similarity(self, a: Polygon, b: Polygon) -> float:
        """Intersection over union; of outlines that cross very often, or (between keyframes) themselves, counted on a
        raster."""
        if a == b:
            return 1.0
        if not _few_pairs([a, b]):
            return outlines.overlap_counted(_rings(a), _rings(b))
        first, second = _region(a), _region(b)
        if not (first.is_valid and second.is_valid):
            return outlines.overlap_counted(_rings(a), _rings(b))
        common = float(first.intersection(second).area)
        return min(1.0, common / float(first.area + second.area - common))

    def between(self, a: Polygon, b: Polygon, share: float) -> Polygon:
        """Outline by outline, each corner to its counterpart; of outlines with unequal corners by equal steps along
        each. With other holes or parts than before it stands still: nobody knows which becomes which."""
        if [len(holes) for _, holes in self.regions(a)] != [len(holes) for _, holes in self.regions(b)]:
            return a
        rings = iter([ring_between(one, other, share) for one, other in zip(_rings(a), _rings(b), strict=True)])
        outer, holes = next(rings), tuple(next(rings) for _ in a.holes)
        parts = tuple(PolygonPart(next(rings), tuple(next(rings) for _ in part.holes)) for part in a.parts)
        return Polygon(outer, holes, parts)

    def merge(self, shapes: Sequence[Polygon], weights: Sequence[float]) -> Polygon:
        """What more than half of the weight covers; with holes where more than half of it drew some, else without,
        and the same of further parts: of these the largest then stands.

        The outlines cut the plane into cells; each is asked who covers it. Where they cross too often for that, or
        share nothing, the one that is most like the others stands for all.
        """
        if len(set(shapes)) == 1:
            return shapes[0]
        # what comes out must not hang on who was asked first
        order = sorted(range(len(shapes)), key=lambda row: _rings(shapes[row]))
        shapes, weights = [shapes[row] for row in order], [weights[row] for row in order]
        half = sum(weights) / 2
        if _few_pairs(shapes):
            regions = [_region(one) for one in shapes]
            edges = shapely.unary_union([region.boundary for region in regions], grid_size=GRID_PX)
            cells = shapely.get_parts(shapely.polygonize([edges]))
            inner = shapely.point_on_surface(cells)
            heard = np.zeros(len(cells))
            for region, weight in zip(regions, weights, strict=True):
                heard += weight * shapely.contains(region, inner)
            together = shapely.get_parts(shapely.union_all(cells[heard > half]))
            together = together[shapely.area(together) > 0]
            if len(together):
                said = list(zip(shapes, weights, strict=True))
                with_holes = sum(weight for one, weight in said if _has_holes(one)) > half
                in_parts = sum(weight for one, weight in said if one.parts) > half
                return _drawn(together, with_holes=with_holes, in_parts=in_parts)
        alike = [
            sum(weight * self.similarity(one, other) for other, weight in zip(shapes, weights, strict=True))
            for one in shapes
        ]
        return max(zip(alike, weights, shapes, strict=True), key=lambda row: (row[0], row[1], _rings(row[2])))[2]

    def area(self, shape: Polygon) -> float:
        """What the holes leave of the parts."""
        pieces = self.regions(shape)
        return sum(outlines.ring_area(outer) - sum(map(outlines.ring_area, holes)) for outer, holes in pieces)

    def outline(self, shape: Polygon) -> Sequence[Corner]:
        """Of its largest part."""
        return max((outer for outer, _ in self.regions(shape)), key=outlines.ring_area)

    def regions(self, shape: Polygon) -> list[Region]:
        return [(shape.points, shape.holes), *((part.points, part.holes) for part in shape.parts)]

    def cover(self, shape: Polygon, x: int, y: int, w: int, h: int) -> NDArray[np.bool_]:
        return outlines.filled(_rings(shape), np.array([x, y], dtype=np.float64), 1.0, w, h)

    def count(self, shape: Polygon) -> int:
        """The corners of all its outlines."""
        return sum(map(len, _rings(shape)))

    def size(self, shape: Polygon) -> tuple[float, float]:
        """Of the upright rectangle around it."""
        x0, y0, x1, y1 = (float(edge) for edge in self.bounds([shape])[0])
        return x1 - x0, y1 - y0


def _named(shape: Polygon, place: str) -> Iterator[tuple[str, Ring]]:
    """Every outline with its place."""
    yield place, shape.points
    for n, hole in enumerate(shape.holes):
        yield f"{place}/holes/{n}", hole
    for n, part in enumerate(shape.parts):
        yield f"{place}/parts/{n}", part.points
        for m, hole in enumerate(part.holes):
            yield f"{place}/parts/{n}/holes/{m}", hole


def _rings(shape: Polygon) -> list[Ring]:
    return [ring for _, ring in _named(shape, "")]


def _has_holes(shape: Polygon) -> bool:
    return bool(shape.holes) or any(part.holes for part in shape.parts)


def _check_nesting(shape: Polygon, place: str) -> None:
    """Of outlines that do not meet: one lies within another when one of its corners does."""
    pieces = [(place, shape.points, shape.holes)]
    pieces += [(f"{place}/parts/{n}", part.points, part.holes) for n, part in enumerate(shape.parts)]
    areas = [shapely.Polygon(outer) for _, outer, _ in pieces]
    for (where, _, holes), outer in zip(pieces, areas, strict=True):
        cut = [shapely.Polygon(hole) for hole in holes]
        for n, hole in enumerate(holes):
            at = shapely.Point(hole[0])
            if not outer.contains(at) or any(m != n and other.contains(at) for m, other in enumerate(cut)):
                raise _misplaced("A hole lies outside of its outline or within another hole.", f"{where}/holes/{n}")
    whole = [shapely.Polygon(outer, holes) for _, outer, holes in pieces]
    for n, (where, outer_ring, _) in enumerate(pieces):
        at = shapely.Point(outer_ring[0])
        if any(m != n and other.contains(at) for m, other in enumerate(whole)):
            raise _misplaced("A part lies within another.", where)


def _misplaced(detail: str, place: str) -> Problem:
    return wrong_shape(
        "label-outline-nested", detail, place, "Draw holes within one part, and parts beside each other."
    )


@functools.lru_cache(maxsize=1024)
def _region(polygon: Polygon) -> Any:
    whole = [shapely.Polygon(polygon.points, polygon.holes)]
    if not polygon.parts:
        return whole[0]
    return shapely.MultiPolygon([*whole, *(shapely.Polygon(part.points, part.holes) for part in polygon.parts)])


def _few_pairs(shapes: Sequence[Polygon]) -> bool:
    return outlines.few_pairs([_rings(one) for one in shapes])


def _drawn(pieces: Any, *, with_holes: bool, in_parts: bool) -> Polygon:
    """What several hands cover as one polygon, in few points and hundredths of a pixel, as far as its outlines stay
    outlines that do not touch."""
    pieces = sorted(pieces, key=lambda piece: (-piece.area, piece.bounds))
    least = max(LEAST_PIECE_PX2, LEAST_PIECE_SHARE * sum(piece.area for piece in pieces))
    kept = [piece for n, piece in enumerate(pieces) if not n or (in_parts and piece.area >= least)]
    if not with_holes:
        kept = [shapely.Polygon(piece.exterior) for piece in kept]
    pared = []
    for piece in kept:
        holes = [hole for hole in piece.interiors if shapely.Polygon(hole).area >= least]
        pared.append(shapely.Polygon(piece.exterior, holes))
    for pieces_now in (pared, pared[:1], [shapely.Polygon(pared[0].exterior)]):
        for exact in (False, True):
            found = _polygon([piece if exact else _simple(piece) for piece in pieces_now])
            if _stands(found):
                return found
    return found


def _simple(piece: Any) -> Any:
    slack = min(STRAIGHT_PX, math.sqrt(piece.area) / 100)
    simple = shapely.normalize(piece).simplify(slack, preserve_topology=True)
    rounded = shapely.transform(simple, lambda at: np.round(at, 2))
    for found in (rounded, simple):
        if found.is_valid and found.area > 0:
            return found
    return piece


def _polygon(pieces: Sequence[Any]) -> Polygon:
    (points, holes), *others = [(_ring(one.exterior), tuple(_ring(hole) for hole in one.interiors)) for one in pieces]
    return Polygon(points, holes, tuple(PolygonPart(outer, cut) for outer, cut in others))


def _ring(line: Any) -> Ring:
    return tuple((float(x), float(y)) for x, y in shapely.get_coordinates(line)[:-1])


def _stands(shape: Polygon) -> bool:
    try:
        POLYGON.validate(shape, ItemFacts(), "")
    except Problem as problem:
        return problem.code in ("label-out-of-image", "label-too-many-points")
    return True


POLYGON = PolygonType()
