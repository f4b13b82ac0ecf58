"""Box: a rectangle in pixels from the image's top left, turned about its centre if need be."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cupola.labels.facts import ItemFacts
from cupola.labels.shapes.moving import mixed, turned
from cupola.labels.shapes.shape import EDGE_TOLERANCE_PX, Corner, Shape, ShapeType, weighted_median, wrong_shape


class Box(Shape, frozen=True, tag="box"):
    """x, y: the top left corner before turning; w, h: size, all in px; rotation_rad: clockwise on the screen."""

    x: float
    y: float
    w: float
    h: float
    rotation_rad: float = 0.0


class BoxType(ShapeType[Box]):
    """A rectangle; similarity is intersection over union."""

    name = "box"
    shape = Box
    same_at = 0.5  # the criterion of PASCAL VOC (Everingham et al. 2010) for "the same object"
    joined_at = 0.4

    def validate(self, shape: Box, facts: ItemFacts, place: str) -> None:
        """An upright box lies within the image; a turned one may hang over the edge, but its centre may not."""
        x, y, w, h, turn = shape.x, shape.y, shape.w, shape.h, shape.rotation_rad
        if not math.isfinite(x + y + w + h + turn):
            raise wrong_shape("label-not-finite", "A number of the box is not finite.", place, "Send finite numbers.")
        if w <= 0 or h <= 0:
            raise wrong_shape(
                "label-empty-shape", "The box has no area.", place, "Give it a width and a height above 0."
            )
        if facts.width_px is None or facts.height_px is None:
            return
        if turn:
            inside = 0 <= x + w / 2 <= facts.width_px and 0 <= y + h / 2 <= facts.height_px
        else:
            inside = (
                x >= -EDGE_TOLERANCE_PX
                and y >= -EDGE_TOLERANCE_PX
                and x + w <= facts.width_px + EDGE_TOLERANCE_PX
                and y + h <= facts.height_px + EDGE_TOLERANCE_PX
            )
        if not inside:
            raise wrong_shape(
                "label-out-of-image",
                f"The box reaches out of the image of {facts.width_px} x {facts.height_px} px.",
                place,
                "Move or shrink it so that it lies within the image.",
            )

    def bounds(self, shapes: Sequence[Box]) -> NDArray[np.float64]:
        out = np.empty((len(shapes), 4), dtype=np.float64)
        for row, box in enumerate(shapes):
            if box.rotation_rad:
                xs, ys = zip(*corners(box), strict=True)
                out[row] = (min(xs), min(ys), max(xs), max(ys))
            else:
                out[row] = (box.x, box.y, box.x + box.w, box.y + box.h)
        return out

    def area(self, shape: Box) -> float:
        return shape.w * shape.h

    def outline(self, shape: Box) -> Sequence[Corner] | None:
        return corners(shape) if shape.rotation_rad else None

    def turn_rad(self, shape: Box) -> float:
        return shape.rotation_rad

    def similarity(self, a: Box, b: Box) -> float:
        """Intersection over union; a box without an area (a table of other hands can hold one) is like no other."""
        if a.rotation_rad or b.rotation_rad:
            common = _area(_clip(corners(a), corners(b)))
        else:
            wide = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
            high = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
            common = wide * high if wide > 0 and high > 0 else 0.0
        either = a.w * a.h + b.w * b.h - common
        return min(1.0, common / either) if either > 0 else 0.0

    def between(self, a: Box, b: Box, share: float) -> Box:
        """Edges move evenly, and it turns the shorter way round: most things move evenly from one key to the next."""
        return Box(
            mixed(a.x, b.x, share),
            mixed(a.y, b.y, share),
            mixed(a.w, b.w, share),
            mixed(a.h, b.h, share),
            turned(a.rotation_rad, b.rotation_rad, share),
        )

    def merge(self, shapes: Sequence[Box], weights: Sequence[float]) -> Box:
        """The weighted median of each edge; for turned boxes of centre, size and angle.

        A turned box has four descriptions (a quarter turn swaps width and height); each is first put into the one
        nearest to the heaviest member's angle.
        """
        if not any(box.rotation_rad for box in shapes):
            edges = self.bounds(shapes)
            x0, y0, x1, y1 = (weighted_median(edges[:, side].tolist(), weights) for side in range(4))
            if x1 > x0 and y1 > y0:
                return Box(x0, y0, x1 - x0, y1 - y0)
        lead = shapes[max(range(len(shapes)), key=lambda row: (weights[row], -row))].rotation_rad
        rows = [_described_near(box, lead) for box in shapes]
        cx, cy, w, h, angle = (weighted_median([row[part] for row in rows], weights) for part in range(5))
        return Box(cx - w / 2, cy - h / 2, w, h, angle)

    def size(self, shape: Box) -> tuple[float, float]:
        """Along its own sides, however it is turned."""
        return shape.w, shape.h


def corners(box: Box) -> list[Corner]:
    """The four corners in px, in order around the box."""
    cx, cy = box.x + box.w / 2, box.y + box.h / 2
    cos, sin = math.cos(box.rotation_rad), math.sin(box.rotation_rad)
    halves = ((-box.w / 2, -box.h / 2), (box.w / 2, -box.h / 2), (box.w / 2, box.h / 2), (-box.w / 2, box.h / 2))
    return [(cx + dx * cos - dy * sin, cy + dx * sin + dy * cos) for dx, dy in halves]


def _described_near(box: Box, lead_rad: float) -> tuple[float, float, float, float, float]:
    quarters = round((lead_rad - box.rotation_rad) / (math.pi / 2))
    w, h = (box.h, box.w) if quarters % 2 else (box.w, box.h)
    return box.x + box.w / 2, box.y + box.h / 2, w, h, box.rotation_rad + quarters * math.pi / 2


def _clip(subject: list[Corner], window: list[Corner]) -> list[Corner]:
    """Sutherland and Hodgman (1974): the part of one convex polygon that lies in another (same sense of turning)."""
    out = subject
    for (ax, ay), (bx, by) in zip(window, window[1:] + window[:1], strict=True):
        if not out:
            break
        sides = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in out]
        kept: list[Corner] = []
        for index, (point, side) in enumerate(zip(out, sides, strict=True)):
            before, side_before = out[index - 1], sides[index - 1]
            if (side >= 0) != (side_before >= 0):
                part = side_before / (side_before - side)
                kept.append((before[0] + part * (point[0] - before[0]), before[1] + part * (point[1] - before[1])))
            if side >= 0:
                kept.append(point)
        out = kept
    return out


def _area(polygon: list[Corner]) -> float:
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2
