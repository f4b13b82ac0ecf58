"""The neutral stream: annotated items, one after another, as any format can tell them.

Places are in px from the top left corner of the picture, counted from 0: the first pixel covers 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Corner = tuple[float, float]  # x, y in px
Ring = tuple[Corner, ...]  # the last corner is joined to the first
Source = Literal["person", "model", "corrected"]
ABSENT, OCCLUDED, VISIBLE = 0, 1, 2  # how a point of a skeleton is seen, as COCO counts


@dataclass(frozen=True, slots=True)
class Box:
    """x, y: the top left corner before turning; w, h: size; rotation_rad: about its centre, clockwise on the screen."""

    x: float
    y: float
    w: float
    h: float
    rotation_rad: float = 0.0


@dataclass(frozen=True, slots=True)
class Polygon:
    """parts: of each the outer ring, then its holes."""

    parts: tuple[tuple[Ring, ...], ...]


@dataclass(frozen=True, slots=True)
class Polyline:
    points: Ring


@dataclass(frozen=True, slots=True)
class Points:
    """One point, or those of a skeleton in the order of its class; seen: ABSENT, OCCLUDED or VISIBLE of each."""

    points: Ring
    seen: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ellipse:
    """cx, cy: its centre; rx, ry: half of its width and height before turning."""

    cx: float
    cy: float
    rx: float
    ry: float
    rotation_rad: float = 0.0


@dataclass(frozen=True, slots=True)
class Mask:
    """counts: run lengths column by column, beginning with how many pixels are not in it (as COCO has them)."""

    height: int
    width: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cuboid:
    """The eight corners of a box in space, as they are seen in the picture."""

    corners: Ring


Shape = Box | Polygon | Polyline | Points | Ellipse | Mask | Cuboid
SHAPE_WORDS: Mapping[type[Any], str] = {
    Box: "box", Polygon: "polygon", Polyline: "polyline", Points: "points", Ellipse: "ellipse", Mask: "mask",
    Cuboid: "cuboid",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing at a place. attributes: as its file told them; track: what it is called through a video's frames;
    score: of a model, in [0, 1]; place: where in the file it stands, for people."""

    cls: str
    shape: Shape
    attributes: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    source: Source = "person"
    score: float | None = None
    group: str = ""
    track: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters start to end (not included) of a text, in Unicode code points."""

    start: int
    end: int
    cls: str


@dataclass(frozen=True, slots=True)
class Saying:
    """What one annotator, or one model, says of an item; annotator: by the name that the file has, "" for nobody's.

    classes: of the whole item; things: at places, () when it says that there are none; answers: {question: value};
    text: words of the annotator's own.
    """

    annotator: str = ""
    source: Source = "person"
    classes: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    spans: tuple[Span, ...] = ()
    text: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None
    is_gold: bool = False
    model_version: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.classes or self.things or self.spans or self.answers or self.text is not None)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was annotated. name: as the file calls it, one of its own; picture: its path among the files, ""
    where it is not there; place: where its annotations stand, for people. split: train, val, test, or as it was
    called."""

    name: str
    picture: str = ""
    url: str = ""
    body: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    sayings: tuple[Saying, ...] = ()
    split: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""


@dataclass(slots=True)
class Class:
    """number: what the file calls it by, where it does so by numbers. points: names of a skeleton's points, edges:
    pairs of their positions from 0."""

    name: str
    number: int | None = None
    parent: str = ""
    colour: str = ""
    points: tuple[str, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    is_stuff: bool = False


class Classes:
    """The classes in their order, which grows as more are met."""

    def __init__(self, found: Sequence[Class] = ()) -> None:
        self._by_name: dict[str, Class] = {}
        for one in found:
            self.add(one)

    def __iter__(self) -> Iterator[Class]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Class:
        return self._by_name[name]

    def add(self, one: Class) -> Class:
        """The class of this name: the one that is there already where it was met before."""
        return self._by_name.setdefault(one.name, one)

    def named(self, name: str) -> Class:
        return self._by_name.get(name) or self.add(Class(name))

    @property
    def names(self) -> list[str]:
        return list(self._by_name)


@dataclass(slots=True)
class Reading:
    """What a file holds, read as `items` is gone through. classes: those that it declares, and then those it uses."""

    classes: Classes
    items: Iterator[Item]


# ---------------------------------------------------------------- geometry that several formats need
def corners(box: Box) -> Ring:
    """The four corners of a box, from its top left, clockwise."""
    cx, cy = box.x + box.w / 2, box.y + box.h / 2
    cos, sin = math.cos(box.rotation_rad), math.sin(box.rotation_rad)
    halves = ((-box.w / 2, -box.h / 2), (box.w / 2, -box.h / 2), (box.w / 2, box.h / 2), (-box.w / 2, box.h / 2))
    if not box.rotation_rad:
        return ((box.x, box.y), (box.x + box.w, box.y), (box.x + box.w, box.y + box.h), (box.x, box.y + box.h))
    return tuple((cx + dx * cos - dy * sin, cy + dx * sin + dy * cos) for dx, dy in halves)


def box_of_corners(ring: Ring, slack: float = 0.02) -> Box | None:
    """The turned box that four corners are of; None where they are no rectangle, within a share of its size."""
    if len(ring) != 4:
        return None
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = ring
    w, h = math.hypot(bx - ax, by - ay), math.hypot(dx - ax, dy - ay)
    if not w or not h or math.hypot(ax + cx - bx - dx, ay + cy - by - dy) > slack * (w + h):
        return None
    along, down = ((bx - ax) / w, (by - ay) / w), ((dx - ax) / h, (dy - ay) / h)
    if abs(along[0] * down[0] + along[1] * down[1]) > slack:
        return None
    turn = math.atan2(along[1], along[0])
    if along[0] * down[1] - along[1] * down[0] < 0:  # they run the other way round
        turn, w, h = math.atan2(down[1], down[0]), h, w
    quarter = math.pi / 2
    steps = round(turn / quarter)
    if abs(turn - steps * quarter) < 1e-6:  # it lies straight
        xs, ys = [x for x, _ in ring], [y for _, y in ring]
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    mx, my = (ax + cx) / 2, (ay + cy) / 2
    return Box(mx - w / 2, my - h / 2, w, h, turn)


def ellipse_ring(one: Ellipse, corners_: int = 48) -> Ring:
    """An ellipse as an outline."""
    cos, sin = math.cos(one.rotation_rad), math.sin(one.rotation_rad)
    out = []
    for n in range(corners_):
        a = 2 * math.pi * n / corners_
        dx, dy = one.rx * math.cos(a), one.ry * math.sin(a)
        out.append((one.cx + dx * cos - dy * sin, one.cy + dx * sin + dy * cos))
    return tuple(out)


def ring_area(ring: Ring) -> float:
    """By the shoelace formula, in px²."""
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairs)) / 2


def simple_polygon(*rings: Ring) -> Polygon:
    """A polygon whose parts are these rings, without holes."""
    return Polygon(tuple((ring,) for ring in rings))


def ring_from(numbers: Sequence[float]) -> Ring:
    """x, y, x, y … as corners. A number without its partner is an error of the file: ValueError."""
    if len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers are no pairs of x and y")
    return tuple((float(numbers[n]), float(numbers[n + 1])) for n in range(0, len(numbers), 2))


def flat(ring: Ring) -> list[float]:
    return [number for corner in ring for number in corner]
