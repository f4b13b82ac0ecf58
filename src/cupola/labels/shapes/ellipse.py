"""Ellipse: in pixels from the image's top left, turned about its centre if need be."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupola.labels.facts import ItemFacts
from cupola.labels.shapes.moving import mixed, turned
from cupola.labels.shapes.outlines import shapely
from cupola.labels.shapes.shape import EDGE_TOLERANCE_PX, Corner, Shape, ShapeType, weighted_median, wrong_shape

SIDES = 64  # of the outline by which it is compared and written: its area is right to a sixth of a per cent


class Ellipse(Shape, frozen=True, tag="ellipse"):
    """x, y: its centre; rx, ry: half of its width and height before turning, all in px; rotation_rad: clockwise on the
    screen."""

    x: float
    y: float
    rx: float
    ry: float
    rotation_rad: float = 0.0


class EllipseType(ShapeType[Ellipse]):
    """An ellipse; similarity is intersection over union."""

    name = "ellipse"
    shape = Ellipse
    same_at = 0.5
    joined_at = 0.4

    def validate(self, shape: Ellipse, facts: ItemFacts, place: str) -> None:
        """It may hang over the image's edge, for nobody can cut one; its centre may not."""
        if not math.isfinite(shape.x + shape.y + shape.rx + shape.ry + shape.rotation_rad):
            raise wrong_shape(
                "label-not-finite", "A number of the ellipse is not finite.", place, "Send finite numbers."
            )
        if shape.rx <= 0 or shape.ry <= 0:
            raise wrong_shape("label-empty-shape", "The ellipse has no area.", place, "Give it two radii above 0.")
        wide, high = facts.width_px, facts.height_px
        if wide is None or high is None:
            return
        slack = EDGE_TOLERANCE_PX
        if not (-slack <= shape.x <= wide + slack and -slack <= shape.y <= high + slack):
            raise wrong_shape(
                "label-out-of-image",
                f"The centre of the ellipse lies outside of the image of {wide} x {high} px.",
                place,
                "Move it so that its centre lies within the image.",
            )

    def bounds(self, shapes: Sequence[Ellipse]) -> NDArray[np.float64]:
        out = np.empty((len(shapes), 4), dtype=np.float64)
        for row, one in enumerate(shapes):
            cos, sin = math.cos(one.rotation_rad), math.sin(one.rotation_rad)
            half_w, half_h = math.hypot(one.rx * cos, one.ry * sin), math.hypot(one.rx * sin, one.ry * cos)
            out[row] = (one.x - half_w, one.y - half_h, one.x + half_w, one.y + half_h)
        return out

    def area(self, shape: Ellipse) -> float:
        return math.pi * shape.rx * shape.ry

    def outline(self, shape: Ellipse) -> Sequence[Corner]:
        return around(shape)

    def turn_rad(self, shape: Ellipse) -> float:
        return shape.rotation_rad

    def similarity(self, a: Ellipse, b: Ellipse) -> float:
        if a == b:
            return 1.0
        # in one order: sums of floats depend on it
        first, second = (_region(one) for one in sorted((a, b), key=_numbers))
        common = float(first.intersection(second).area)
        either = float(first.area + second.area) - common
        return min(1.0, common / either) if either > 0 else 0.0

    def between(self, a: Ellipse, b: Ellipse, share: float) -> Ellipse:
        """Centre and radii move evenly; half a turn brings it back to what it was, so it turns a quarter at most."""
        return Ellipse(
            mixed(a.x, b.x, share),
            mixed(a.y, b.y, share),
            mixed(a.rx, b.rx, share),
            mixed(a.ry, b.ry, share),
            turned(a.rotation_rad, b.rotation_rad, share, math.pi),
        )

    def merge(self, shapes: Sequence[Ellipse], weights: Sequence[float]) -> Ellipse:
        """The weighted median of centre, radii and angle; each is first described as near as it can be to the angle of
        the heaviest (a quarter turn swaps its radii)."""
        lead = shapes[max(range(len(shapes)), key=lambda row: (weights[row], -row))].rotation_rad
        rows = [_described_near(one, lead) for one in shapes]
        x, y, rx, ry, angle = (weighted_median([row[part] for row in rows], weights) for part in range(5))
        return Ellipse(x, y, rx, ry, angle)

    def size(self, shape: Ellipse) -> tuple[float, float]:
        """Along its own axes, however it is turned."""
        return 2 * shape.rx, 2 * shape.ry


def around(shape: Ellipse) -> list[Corner]:
    """Places on its outline in px, in order."""
    cos, sin = math.cos(shape.rotation_rad), math.sin(shape.rotation_rad)
    out = []
    for n in range(SIDES):
        along, up = shape.rx * math.cos(2 * math.pi * n / SIDES), shape.ry * math.sin(2 * math.pi * n / SIDES)
        out.append((shape.x + along * cos - up * sin, shape.y + along * sin + up * cos))
    return out


def _numbers(shape: Ellipse) -> tuple[float, ...]:
    return shape.x, shape.y, shape.rx, shape.ry, shape.rotation_rad


@functools.lru_cache(maxsize=1024)
def _region(shape: Ellipse) -> Any:
    return shapely.Polygon(around(shape))


def _described_near(one: Ellipse, lead_rad: float) -> tuple[float, float, float, float, float]:
    # a circle's angle says nothing
    if one.rx == one.ry:
        return one.x, one.y, one.rx, one.ry, lead_rad
    quarters = round((lead_rad - one.rotation_rad) / (math.pi / 2))
    rx, ry = (one.ry, one.rx) if quarters % 2 else (one.rx, one.ry)
    return one.x, one.y, rx, ry, one.rotation_rad + quarters * math.pi / 2
