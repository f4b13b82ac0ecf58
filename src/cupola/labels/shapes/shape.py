"""What a shape must be able to say: the row of the table in `shapes`.

A new shape is one file with a Struct and a subclass of `ShapeType`, and one line in `shapes/__init__.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.facts import ItemFacts
from cupola.labels.ontology import ClassSpec

EDGE_TOLERANCE_PX = 0.5  # half a pixel over the edge is rounding, more is a mistake


class Shape(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True, omit_defaults=True):
    """The base of all shapes; the tag "type" names which one it is."""

    @property
    def type(self) -> str:
        return str(self.__struct_config__.tag)


S = TypeVar("S", bound=Shape)
Corner = tuple[float, float]  # x, y in px
Region = tuple[Sequence[Corner], Sequence[Sequence[Corner]]]  # an outline, and the holes in it
Extent = Literal["area", "place", "line", "keypoints"]  # what of a thing a shape says where it is


class ShapeType(ABC, Generic[S]):
    """One shape. same_at: the similarity from which two of them are the same thing; joined_at: the mean similarity from
    which drawings of several people are taken for one thing."""

    name: ClassVar[str]
    shape: type[S]
    same_at: ClassVar[float]
    joined_at: ClassVar[float]
    extent: ClassVar[Extent] = "area"
    of_pixels: ClassVar[bool] = False  # it is made of pixels, and an outline only follows their edges

    @property
    def covers(self) -> bool:
        """Whether it has an area, or only places."""
        return self.extent == "area"

    def check_class(self, spec: ClassSpec, place: str) -> None:
        """Raises Problem (INVALID) for a class that is to be drawn so and does not say all that it takes."""

    def fits(self, shape: S, spec: ClassSpec, place: str) -> None:
        """Raises Problem (INVALID) for a shape that is not what its class says."""

    @abstractmethod
    def validate(self, shape: S, facts: ItemFacts, place: str) -> None:
        """Raises Problem (INVALID) for numbers that are not finite, an empty shape, or one outside of the image."""

    @abstractmethod
    def bounds(self, shapes: Sequence[S]) -> NDArray[np.float64]:
        """The upright rectangles around the shapes: (n, 4) of x0, y0, x1, y1 in px."""

    def reach(self, shapes: Sequence[S]) -> NDArray[np.float64]:
        """(n, 4) of x0, y0, x1, y1 in px: two shapes whose reaches share no area have the similarity 0."""
        return self.bounds(shapes)

    def area(self, shape: S) -> float:
        """In px²; 0 for what has only a place."""
        return 0.0

    def outline(self, shape: S) -> Sequence[Corner] | None:
        """The corners in px, in order, where the upright rectangle around the shape does not say it all."""
        return None

    def regions(self, shape: S) -> Sequence[Region] | None:
        """Its parts, each with its holes, where the upright rectangle around the shape does not say it all."""
        outline = self.outline(shape)
        return None if outline is None else [(outline, ())]

    def cover(self, shape: S, x: int, y: int, w: int, h: int) -> NDArray[np.bool_] | None:
        """Of the pixels from (x, y) on those whose middle it covers: (h, w). None where its outline is one ring."""
        return None

    def keypoints(self, shape: S) -> Sequence[tuple[str, float, float, str]] | None:
        """Of a shape of named places: (name, x, y in px, state) of each. None for every other shape."""
        return None

    def count(self, shape: S) -> int | None:
        """How many places somebody set, which a class may bound; None where that is always the same."""
        return None

    def turn_rad(self, shape: S) -> float:
        """How far it is turned, clockwise on the screen."""
        return 0.0

    @abstractmethod
    def similarity(self, a: S, b: S) -> float:
        """1: the same; 0: nothing in common."""

    def between(self, a: S, b: S, share: float) -> S:
        """How it looks in a frame between two keyframes; share: of the way from a (0) to b (1). A shape that says
        nothing else stands still until the next keyframe."""
        return a

    @abstractmethod
    def merge(self, shapes: Sequence[S], weights: Sequence[float]) -> S:
        """What several people's drawings of one thing say together; weights: one for each, not all 0."""

    def size(self, shape: S) -> tuple[float, float] | None:
        """Its width and height in px, which a class may ask to be large enough; None: it has no extent."""
        return None


def weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    """The least value with at least half of the weight at or below it; the mean of two when exactly half."""
    order = sorted(range(len(values)), key=values.__getitem__)
    half = sum(weights) / 2
    below = 0.0
    for rank, row in enumerate(order):
        below += weights[row]
        if below > half or rank == len(order) - 1:
            return values[row]
        if below == half:
            return (values[row] + values[order[rank + 1]]) / 2
    raise ValueError("the median of nothing")


def within_image(what: str, points: NDArray[np.float64], facts: ItemFacts, place: str) -> None:
    """Raises Problem (INVALID) where one of the points (n, 2) in px lies outside of an image whose size is known."""
    size = np.array([facts.width_px or limits.MAX_SIDE_PX, facts.height_px or limits.MAX_SIDE_PX])
    if (points < -EDGE_TOLERANCE_PX).any() or (points > size + EDGE_TOLERANCE_PX).any():
        known = f" of {facts.width_px} x {facts.height_px} px" if facts.width_px and facts.height_px else ""
        raise wrong_shape(
            "label-out-of-image",
            f"The {what} reaches out of the image{known}.",
            place,
            "Move it so that it lies within the image.",
        )


def wrong_shape(code: str, detail: str, place: str, remedy: str) -> Problem:
    """What a shape is refused with."""
    return invalid(code, detail, place=place, remedy=remedy)
