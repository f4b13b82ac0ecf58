"""Skeleton: named places of one thing, such as the joints of a body, in pixels from the image's top left.

Which places there are, and which of them are joined, is said once by the class (`SkeletonSpec`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.labels.facts import ItemFacts
from cupola.labels.ontology import ClassSpec
from cupola.labels.shapes.moving import mixed
from cupola.labels.shapes.shape import Shape, ShapeType, weighted_median, within_image, wrong_shape

State = Literal["visible", "occluded", "absent"]

# Object keypoint similarity (Ronchi and Perona 2017; COCO): a place that is off by this share of the thing's scale,
# the root of the area of the rectangle around it, counts exp(-1/2). COCO's places have .05 to .21 of the root of the
# body's own area, .13 on average, which is about half of the rectangle's.
OFF_SHARE = 0.1
LEAST_SCALE_PX = 10.0  # of a thing whose places lie together or in one line
REACH_SHARE = 0.15  # of its longer side: rectangles that are further apart have nothing in common


class Keypoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """name: of the class's template. x, y: in px, of one that is absent without meaning. state: visible, occluded (it
    is known where it is, though something stands before it), or absent (outside of the picture, or not to be told)."""

    name: str
    x: float = 0.0
    y: float = 0.0
    state: State = "visible"


class Skeleton(Shape, frozen=True, tag="skeleton"):
    """points: each place of the class's template once, in any order."""

    points: tuple[Keypoint, ...]


class SkeletonType(ShapeType[Skeleton]):
    """Named places; similarity is the mean of how near those of one name are, for the size of the thing (OKS)."""

    name = "skeleton"
    shape = Skeleton
    same_at = 0.5
    joined_at = 0.4
    extent = "keypoints"

    def check_class(self, spec: ClassSpec, place: str) -> None:
        if spec.skeleton is None:
            raise wrong_shape(
                "ontology-invalid",
                f"The class {spec.name!r} is drawn as a skeleton and has no places.",
                f"{place}/skeleton",
                "Name its places and edges.",
            )

    def fits(self, shape: Skeleton, spec: ClassSpec, place: str) -> None:
        """It has the places of its class, each once."""
        wanted = [] if spec.skeleton is None else [one.name for one in spec.skeleton.points]
        if sorted(wanted) != sorted(point.name for point in shape.points):
            told = ", ".join(wanted[:20]) if wanted else "none"
            raise wrong_shape(
                "label-skeleton-points",
                f"The places of {spec.name!r} are: {told}.",
                f"{place}/points",
                "Send each of them once; one that cannot be seen is occluded or absent.",
            )

    def validate(self, shape: Skeleton, facts: ItemFacts, place: str) -> None:
        """One place at least is there, and those that are lie within the image."""
        if not all(math.isfinite(point.x + point.y) for point in shape.points):
            raise wrong_shape(
                "label-not-finite", "A number of the skeleton is not finite.", place, "Send finite numbers."
            )
        at = _there(shape)
        if not len(at):
            raise wrong_shape(
                "label-empty-shape", "All places of the skeleton are absent.", place, "Set one, or leave the thing out."
            )
        within_image("skeleton", at, facts, place)

    def bounds(self, shapes: Sequence[Skeleton]) -> NDArray[np.float64]:
        out = np.empty((len(shapes), 4), dtype=np.float64)
        for row, one in enumerate(shapes):
            at = _there(one)
            out[row, :2], out[row, 2:] = at.min(axis=0), at.max(axis=0)
        return out

    def reach(self, shapes: Sequence[Skeleton]) -> NDArray[np.float64]:
        around = self.bounds(shapes)
        longer = np.maximum(around[:, 2] - around[:, 0], around[:, 3] - around[:, 1])
        pad = np.maximum(REACH_SHARE * longer, LEAST_SCALE_PX / 2)[:, None]
        return np.hstack([around[:, :2] - pad, around[:, 2:] + pad])

    def similarity(self, a: Skeleton, b: Skeleton) -> float:
        """A place that only one of them has counts 0, one that both call absent not at all."""
        if a == b:
            return 1.0
        first, second = self.reach([a, b])
        if (first[:2] >= second[2:]).any() or (second[:2] >= first[2:]).any():
            return 0.0
        scale = math.sqrt((_scale_px(a) ** 2 + _scale_px(b) ** 2) / 2)
        others = {point.name: point for point in b.points}
        total, near = 0, 0.0
        for point in a.points:
            other = others.pop(point.name, None)
            here, there = point.state != "absent", other is not None and other.state != "absent"
            total += here or there
            if other is not None and here and there:
                apart = math.hypot(point.x - other.x, point.y - other.y)
                near += math.exp(-((apart / (OFF_SHARE * scale)) ** 2) / 2)
        total += sum(point.state != "absent" for point in others.values())
        return near / total if total else 0.0

    def between(self, a: Skeleton, b: Skeleton, share: float) -> Skeleton:
        """Place by place, each as it is seen at the earlier key; one that either key calls absent stays as it was."""
        others = {point.name: point for point in b.points}
        out = []
        for point in a.points:
            other = others.get(point.name)
            if other is None or "absent" in (point.state, other.state):
                out.append(point)
            else:
                x, y = mixed(point.x, other.x, share), mixed(point.y, other.y, share)
                out.append(Keypoint(point.name, x, y, point.state))
        return Skeleton(tuple(out))

    def merge(self, shapes: Sequence[Skeleton], weights: Sequence[float]) -> Skeleton:
        """Of each place the state with the most weight, and where it is there the weighted median of where it is."""
        lead = shapes[max(range(len(shapes)), key=lambda row: (weights[row], -row))]
        out = []
        for named in lead.points:
            said = [
                (point, weight)
                for one, weight in zip(shapes, weights, strict=True)
                for point in one.points
                if point.name == named.name
            ]
            there = [(point, weight) for point, weight in said if point.state != "absent"]
            if 2 * sum(weight for _, weight in there) < sum(weight for _, weight in said):
                out.append(Keypoint(named.name, state="absent"))
                continue
            say = [weight for _, weight in there]
            x = weighted_median([point.x for point, _ in there], say)
            y = weighted_median([point.y for point, _ in there], say)
            hidden = sum(weight for point, weight in there if point.state == "occluded")
            out.append(Keypoint(named.name, x, y, "occluded" if 2 * hidden > sum(say) else "visible"))
        found = Skeleton(tuple(out))
        return found if len(_there(found)) else lead

    def keypoints(self, shape: Skeleton) -> list[tuple[str, float, float, str]]:
        return [(point.name, point.x, point.y, point.state) for point in shape.points]

    def size(self, shape: Skeleton) -> tuple[float, float]:
        """Of the upright rectangle around the places that are there."""
        x0, y0, x1, y1 = (float(edge) for edge in self.bounds([shape])[0])
        return x1 - x0, y1 - y0


def _there(shape: Skeleton) -> NDArray[np.float64]:
    at = [(point.x, point.y) for point in shape.points if point.state != "absent"]
    return np.array(at, dtype=np.float64).reshape(-1, 2)


def _scale_px(shape: Skeleton) -> float:
    """The root of the area of the rectangle around it; a rectangle that is nearly a line counts as a quarter as high
    as it is long."""
    at = _there(shape)
    w, h = (at.max(axis=0) - at.min(axis=0)).tolist()
    longer = max(w, h)
    return max(LEAST_SCALE_PX, math.sqrt(max(w * h, longer * longer / 4)))
