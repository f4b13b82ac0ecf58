"""Polyline: a line of several points in pixels from the image's top left, such as the edge of a lane."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cupola.kernel import limits
from cupola.labels.facts import ItemFacts
from cupola.labels.shapes.moving import line_between
from cupola.labels.shapes.outlines import Ring, are_finite, shapely
from cupola.labels.shapes.shape import Shape, ShapeType, weighted_median, within_image, wrong_shape

REACH_PX = 20.0  # the similarity falls in a line from 1 on the same line to 0 at this mean distance
SAMPLES = 64  # places along each line from which the other is measured
STRAIGHT_PX = 0.5  # what a merged line may differ from the exact one, to lose the points that nobody set


class Polyline(Shape, frozen=True, tag="polyline"):
    """points: x and y of each point in px, in order; the last is not joined to the first."""

    points: Ring


class PolylineType(ShapeType[Polyline]):
    """A line; how far two of them lie from each other on average says whether they are the same, whichever way each
    runs."""

    name = "polyline"
    shape = Polyline
    same_at = 0.5
    joined_at = 0.4
    extent = "line"

    def validate(self, shape: Polyline, facts: ItemFacts, place: str) -> None:
        """It has two points or more that are not all one place, and lies within the image; it may cross itself."""
        points = shape.points
        if not are_finite(points):
            raise wrong_shape("label-not-finite", "A number of the line is not finite.", place, "Send finite numbers.")
        if len(points) > limits.MAX_POINTS_PER_SHAPE:
            raise wrong_shape(
                "label-too-many-points",
                f"{len(points)} points; at most {limits.MAX_POINTS_PER_SHAPE} are taken.",
                place,
                "Leave out points that change the line by less than half a pixel.",
            )
        if len(set(points)) < 2:
            raise wrong_shape("label-empty-shape", "The line has no length.", place, "Give it two points or more.")
        within_image("line", np.asarray(points), facts, place)

    def bounds(self, shapes: Sequence[Polyline]) -> NDArray[np.float64]:
        out = np.empty((len(shapes), 4), dtype=np.float64)
        for row, line in enumerate(shapes):
            points = np.asarray(line.points)
            out[row, :2], out[row, 2:] = points.min(axis=0), points.max(axis=0)
        return out

    def reach(self, shapes: Sequence[Polyline]) -> NDArray[np.float64]:
        half = REACH_PX / 2.0
        return np.asarray(self.bounds(shapes) + np.array([-half, -half, half, half]), dtype=np.float64)

    def similarity(self, a: Polyline, b: Polyline) -> float:
        """By the mean distance of places along each line from the other line, the larger of the two ways round: a
        piece of a line is not the line."""
        if a == b:
            return 1.0
        apart = max(_mean_distance_px(a, b), _mean_distance_px(b, a))
        return max(0.0, 1.0 - apart / REACH_PX)

    def between(self, a: Polyline, b: Polyline, share: float) -> Polyline:
        """Point by point; of lines with unequal points by equal steps along each."""
        return Polyline(line_between(a.points, b.points, share))

    def merge(self, shapes: Sequence[Polyline], weights: Sequence[float]) -> Polyline:
        """Each line is walked along from the same end; at every share of the way at which somebody set a point stands
        the weighted median of where the lines are."""
        if len(set(shapes)) == 1:
            return shapes[0]
        lead = np.asarray(shapes[max(range(len(shapes)), key=lambda row: (weights[row], shapes[row].points))].points)
        lines = [_along(np.asarray(one.points), lead) for one in shapes]
        shares = np.unique(np.round(np.concatenate([_shares(line) for line in lines]), 6))
        if len(shares) > limits.MAX_POINTS_PER_SHAPE:
            shares = np.linspace(0.0, 1.0, limits.MAX_POINTS_PER_SHAPE)
        at = np.array([_walked(line, shares) for line in lines])
        middle = [[weighted_median(at[:, n, axis].tolist(), weights) for axis in (0, 1)] for n in range(len(shares))]
        simple = shapely.get_coordinates(shapely.LineString(middle).simplify(STRAIGHT_PX))
        return Polyline(tuple((round(float(x), 2), round(float(y), 2)) for x, y in simple))

    def count(self, shape: Polyline) -> int:
        return len(shape.points)

    def size(self, shape: Polyline) -> tuple[float, float]:
        """Of the upright rectangle around it."""
        x0, y0, x1, y1 = (float(edge) for edge in self.bounds([shape])[0])
        return x1 - x0, y1 - y0


def _shares(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the way lies behind at each point, 0 to 1."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    gone = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(gone / gone[-1])


def _walked(points: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the line is after those shares of its way: (n, 2) in px."""
    mine = _shares(points)
    return np.stack([np.interp(shares, mine, points[:, axis]) for axis in (0, 1)], axis=1)


def _along(points: NDArray[np.float64], lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """The line from the end that lies nearer to the beginning of the lead."""
    ends, wanted = points[[0, -1]], lead[[0, -1]]
    straight = float(np.hypot(*(ends - wanted).T).sum())
    turned = float(np.hypot(*(ends[::-1] - wanted).T).sum())
    return points[::-1] if turned < straight else points


def _mean_distance_px(a: Polyline, b: Polyline) -> float:
    """Of places along the first from the second."""
    places = _walked(np.asarray(a.points), np.linspace(0.0, 1.0, SAMPLES))
    found = float(np.mean(shapely.distance(shapely.LineString(b.points), shapely.points(places))))
    return found if math.isfinite(found) else math.inf
