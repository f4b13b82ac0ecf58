"""Closed rings of corners laid over each other: what is wrong with them, what they cover, and how near they come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import Problem
from cupola.kernel.lazy import Lazy
from cupola.labels.shapes.shape import Corner, wrong_shape

shapely = Lazy("shapely")

Ring = tuple[Corner, ...]  # in order; the last corner is joined to the first

LEAST_POINTS = 3
# Two outlines of a thousand teeth each cross a million times, and exact geometry then takes minutes and gigabytes:
# where more pairs of edges than this come near each other, a raster is counted instead.
EXACT_PAIRS = 20_000
RASTER_CELLS = 1_024  # along the longer side


def check_ring(points: Ring, place: str) -> None:
    """Raises Problem (INVALID) for a ring without an area, or one that crosses or touches itself."""
    if len(set(points)) < LEAST_POINTS or not shapely.LineString(points).convex_hull.area:
        raise wrong_shape(
            "label-empty-shape",
            "The polygon has no area.",
            place,
            "Give it three points or more that do not lie in one line.",
        )
    alone = shapely.Polygon(points)
    if not alone.is_valid:
        raise crossed(shapely.is_valid_reason(alone).partition("[")[2].rstrip("]"), place)


def crossed(where: str, place: str) -> Problem:
    """What an outline is refused with that meets itself near `where` ("x y", px)."""
    return wrong_shape(
        "label-crossed-outline",
        f"The outline meets itself near {where}.",
        place,
        "Move its points so that it crosses and touches itself nowhere.",
    )


def meeting(rings: Sequence[Ring]) -> tuple[int, str] | None:
    """The later of two rings that have a point in common, and where ("x y", px); None where no two have one."""
    if len(rings) < 2:
        return None
    lines = np.array([shapely.LinearRing(ring) for ring in rings], dtype=object)
    first, second = shapely.STRtree(lines).query(lines, predicate="intersects")
    both = [(int(b), int(a)) for a, b in zip(first, second, strict=True) if a < b]
    if not both:
        return None
    later, earlier = min(both)
    at = shapely.get_coordinates(lines[later].intersection(lines[earlier]))[0]
    return later, f"{at[0]:g} {at[1]:g}"


def few_pairs(shapes: Sequence[Sequence[Ring]]) -> bool:
    """Whether so few edges of different shapes come near each other that exact geometry is cheap."""
    counts = [sum(map(len, rings)) for rings in shapes]
    if (sum(counts) ** 2 - sum(count**2 for count in counts)) / 2 <= EXACT_PAIRS:
        return True
    near = 0
    edges = [_edges(rings) for rings in shapes]
    for at, mine in enumerate(edges):
        tree = shapely.STRtree(mine)
        for others in edges[at + 1 :]:
            near += tree.query(others).shape[1]
            if near > EXACT_PAIRS:
                return False
    return True


def sides(rings: Sequence[Ring]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first and the second end of every side: two (n, 2) in px."""
    points = [np.asarray(ring, dtype=np.float64) for ring in rings]
    return np.concatenate(points), np.concatenate([np.roll(one, -1, axis=0) for one in points])


def _edges(rings: Sequence[Ring]) -> Any:
    return shapely.linestrings(np.stack(sides(rings), axis=1))


def overlap_counted(a: Sequence[Ring], b: Sequence[Ring]) -> float:
    """Intersection over union, counted at the middles of a raster's cells."""
    both = np.asarray([corner for ring in (*a, *b) for corner in ring])
    least, most = both.min(axis=0), both.max(axis=0)
    cell = float((most - least).max()) / RASTER_CELLS
    first, second = (filled(rings, least, cell, RASTER_CELLS, RASTER_CELLS) for rings in (a, b))
    return float((first & second).sum() / max(1, (first | second).sum()))


def filled(rings: Sequence[Ring], least: NDArray[np.float64], cell_px: float, w: int, h: int) -> NDArray[np.bool_]:
    """Which cells of a raster have their middle inside: those with an odd number of sides to their left.

    least: the raster's top left corner in px; (h, w) cells of `cell_px`.
    """
    here, there = sides(rings)
    (x, y), (x_next, y_next) = ((here - least) / cell_px).T, ((there - least) / cell_px).T
    crossed_at = np.zeros((h, w + 1), dtype=np.int32)
    for first in range(0, h, RASTER_CELLS):  # a band at a time: the table below is rows by sides
        rows = np.arange(first, min(h, first + RASTER_CELLS))[:, None] + 0.5
        row, side = np.nonzero((y > rows) != (y_next > rows))
        at = x[side] + (row + first + 0.5 - y[side]) * (x_next - x)[side] / (y_next - y)[side]
        np.add.at(crossed_at, (row + first, np.clip(np.ceil(at - 0.5), 0, w).astype(int)), 1)
    return np.asarray(np.cumsum(crossed_at, axis=1)[:, :-1] % 2 == 1)


def ring_area(ring: Sequence[Corner]) -> float:
    """By the shoelace formula, px²."""
    (x, y), (x_next, y_next) = (np.asarray(at).T for at in (ring, [*ring[1:], ring[0]]))
    return float(abs((x * y_next - x_next * y).sum()) / 2)


def are_finite(points: Sequence[Corner]) -> bool:
    """Whether every number of them is."""
    return math.isfinite(sum(x + y for x, y in points))
