"""Point: one place in the image, in pixels from its top left."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cupola.labels.facts import ItemFacts
from cupola.labels.shapes.moving import mixed
from cupola.labels.shapes.shape import Shape, ShapeType, weighted_median, within_image, wrong_shape

REACH_PX = 20.0  # the similarity falls in a line from 1 at the same place to 0 at this distance


class Point(Shape, frozen=True, tag="point"):
    """x, y: in px from the image's top left."""

    x: float
    y: float


class PointType(ShapeType[Point]):
    """A place; how near two of them are says whether they are the same."""

    name = "point"
    shape = Point
    same_at = 0.5
    joined_at = 0.4
    extent = "place"

    def validate(self, shape: Point, facts: ItemFacts, place: str) -> None:
        if not math.isfinite(shape.x + shape.y):
            raise wrong_shape("label-not-finite", "A number of the point is not finite.", place, "Send finite numbers.")
        within_image("point", np.array([[shape.x, shape.y]]), facts, place)

    def bounds(self, shapes: Sequence[Point]) -> NDArray[np.float64]:
        at = np.array([(one.x, one.y) for one in shapes], dtype=np.float64).reshape(-1, 2)
        return np.hstack([at, at])

    def reach(self, shapes: Sequence[Point]) -> NDArray[np.float64]:
        half = REACH_PX / 2.0
        return np.asarray(self.bounds(shapes) + np.array([-half, -half, half, half]), dtype=np.float64)

    def similarity(self, a: Point, b: Point) -> float:
        return max(0.0, 1.0 - math.hypot(a.x - b.x, a.y - b.y) / REACH_PX)

    def between(self, a: Point, b: Point, share: float) -> Point:
        """It moves evenly along a straight line."""
        return Point(mixed(a.x, b.x, share), mixed(a.y, b.y, share))

    def merge(self, shapes: Sequence[Point], weights: Sequence[float]) -> Point:
        """The weighted median of each coordinate: one hand that slipped moves nothing."""
        return Point(
            weighted_median([one.x for one in shapes], weights), weighted_median([one.y for one in shapes], weights)
        )
