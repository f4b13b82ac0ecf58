"""What of an item a format can hold: shapes become the nearest that it has, the rest is left out, and both are told."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from cupola.formats import masks
from cupola.formats.model import (
    SHAPE_WORDS,
    VISIBLE,
    Box,
    Corner,
    Cuboid,
    Ellipse,
    Item,
    Mask,
    Points,
    Polygon,
    Polyline,
    Ring,
    Saying,
    Shape,
    Thing,
    corners,
    ellipse_ring,
    ring_area,
    simple_polygon,
)
from cupola.formats.report import Report

# What a format may hold. Shapes: box, rotated (boxes), polygon, holes, parts (of a polygon), polyline, point, skeleton,
# ellipse, mask, cuboid; the rest of an item: the others.
WORDS = frozenset({
    "box", "rotated", "polygon", "holes", "parts", "polyline", "point", "skeleton", "seen", "ellipse", "mask", "cuboid",
    "classes", "several-classes", "attributes", "annotators", "annotator-names", "predictions", "source", "score",
    "text", "answers", "spans", "groups", "tracks",
})  # fmt: skip


def bounds(shape: Shape) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 in px of the upright rectangle around it."""
    match shape:
        case Box():
            ring = corners(shape)
        case Polygon():
            ring = tuple(corner for part in shape.parts for corner in part[0])
        case Polyline():
            ring = shape.points
        case Points():
            ring = tuple(at for at, seen in zip(shape.points, shape.seen, strict=True) if seen) or shape.points
        case Ellipse():
            ring = ellipse_ring(shape, 360)
        case Mask():
            return masks.bounds(shape)
        case Cuboid():
            ring = shape.corners
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return min(xs), min(ys), max(xs), max(ys)


def area(shape: Shape) -> float:
    """In px²; 0 of what has only places."""
    match shape:
        case Box():
            return shape.w * shape.h
        case Polygon():
            return sum(max(0.0, ring_area(part[0]) - sum(ring_area(hole) for hole in part[1:])) for part in shape.parts)
        case Ellipse():
            return 3.141592653589793 * shape.rx * shape.ry
        case Mask():
            return float(masks.area(shape))
    return 0.0


def around(shape: Shape) -> Box:
    x0, y0, x1, y1 = bounds(shape)
    return Box(x0, y0, x1 - x0, y1 - y0)


def as_polygon(shape: Shape) -> Polygon | None:
    match shape:
        case Polygon():
            return shape
        case Box():
            return simple_polygon(corners(shape))
        case Ellipse():
            return simple_polygon(ellipse_ring(shape))
        case Mask():
            return masks.outline_of(shape)
    return None


def as_mask(shape: Shape, height: int, width: int) -> Mask | None:
    """The pixels that it covers of a picture of that size."""
    if isinstance(shape, Mask):
        return shape
    outline = as_polygon(shape)
    return None if outline is None else masks.from_raster(masks.raster_of(outline, height, width))


class Fitter:
    """Turns items into what a format holds. holds: of WORDS."""

    def __init__(self, holds: Collection[str], report: Report) -> None:
        assert set(holds) <= WORDS, set(holds) - WORDS
        self.holds, self.report = frozenset(holds), report

    def item(self, item: Item) -> Item:
        return replace(item, sayings=tuple(self._saying(one, item) for one in self._heard(item)))

    def _heard(self, item: Item) -> tuple[Saying, ...]:
        sayings = item.sayings
        people = [one for one in sayings if one.source != "model"]
        models = [one for one in sayings if one.source == "model"]
        if "annotators" in self.holds:
            kept = list(people)
        else:
            kept = sorted(people, key=lambda one: not one.is_gold)[:1]
            self.report.drop("annotators", item.place or item.name, len(people) - len(kept))
        if "predictions" in self.holds:
            kept += models
        elif models and not kept:
            kept = models[:1]  # nobody else says anything: what a model says is what there is
            self.report.drop("predictions", item.place or item.name, len(models) - 1)
        else:
            self.report.drop("predictions", item.place or item.name, len(models))
        return tuple(kept)

    def _saying(self, one: Saying, item: Item) -> Saying:
        holds, report, place = self.holds, self.report, item.place or item.name
        changes: dict[str, Any] = {}
        if one.annotator and "annotator-names" not in holds:
            report.drop("annotator-names", f"{place}: {one.annotator}")
            changes["annotator"] = ""
        if one.classes and "classes" not in holds:
            report.drop("classes-of-item", f"{place}: {', '.join(one.classes)}", len(one.classes))
            changes["classes"] = ()
        elif len(one.classes) > 1 and "several-classes" not in holds:
            report.drop("classes-beyond-first", f"{place}: {', '.join(one.classes[1:])}", len(one.classes) - 1)
            changes["classes"] = one.classes[:1]
        if one.text is not None and "text" not in holds:
            report.drop("text", place)
            changes["text"] = None
        if one.answers and "answers" not in holds:
            report.drop("answers", place, len(one.answers))
            changes["answers"] = {}
        if one.spans and "spans" not in holds:
            report.drop("spans", place, len(one.spans))
            changes["spans"] = ()
        changes["things"] = tuple(fitted for thing in one.things for fitted in self._thing(thing, item))
        return replace(one, **changes)

    def _thing(self, thing: Thing, item: Item) -> Iterator[Thing]:
        holds, report = self.holds, self.report
        place = thing.place or f"{item.place or item.name}: {thing.cls}"
        shapes = list(self._shapes(thing.shape, item, place))
        if not shapes:
            return
        changes: dict[str, Any] = {}
        if thing.attributes and "attributes" not in holds:
            report.drop("attributes", place, len(thing.attributes))
            changes["attributes"] = {}
        if thing.source != "person" and "source" not in holds and "predictions" not in holds:
            report.drop("source", place)
            changes["source"] = "person"
        if thing.score is not None and "score" not in holds:
            report.drop("score", place)
            changes["score"] = None
        if thing.group and "groups" not in holds:
            report.drop("groups", place)
            changes["group"] = ""
        if thing.track and "tracks" not in holds:
            report.drop("tracks", place)
            changes["track"] = ""
        for n, shape in enumerate(shapes):
            more = dict(changes)
            if n and thing.id:
                more["id"] = f"{thing.id}.{n + 1}"
            yield replace(thing, shape=shape, **more)

    def _shapes(self, shape: Shape, item: Item, place: str) -> Iterator[Shape]:
        holds, report = self.holds, self.report
        told = f"{place} ({SHAPE_WORDS[type(shape)]})"
        match shape:
            case Box() if not shape.rotation_rad:
                if "box" in holds:
                    yield shape
                    return
            case Box():
                if "rotated" in holds:
                    yield shape
                    return
                if "polygon" not in holds and "mask" not in holds:
                    if "box" in holds:
                        report.drop("rotation", told)
                        yield around(shape)
                        return
                    report.drop("shape-not-held", told)
                    return
            case Polygon():
                if "polygon" in holds:
                    yield from self._polygon(shape, item, told)
                    return
            case Mask() if "mask" in holds:
                yield shape
                return
            case Ellipse() if "ellipse" in holds:
                yield shape
                return
            case Polyline():
                if "polyline" in holds:
                    yield shape
                else:
                    report.drop("shape-not-held", told)
                return
            case Points():
                if ("point" if len(shape.points) == 1 else "skeleton") not in holds:
                    report.drop("shape-not-held", told)
                    return
                if "seen" not in holds and any(seen != VISIBLE for seen in shape.seen):
                    report.drop("point-visibility", told)
                yield shape
                return
            case Cuboid() if "cuboid" in holds:
                yield shape
                return
        if isinstance(shape, Cuboid):
            if "box" in holds:
                report.drop("shape-as-box", told)
                yield around(shape)
            else:
                report.drop("shape-not-held", told)
            return
        yield from self._otherwise(shape, item, told)

    def _otherwise(self, shape: Shape, item: Item, told: str) -> Iterator[Shape]:
        """What covers an area, as the format holds areas."""
        if "polygon" in self.holds:
            outline = as_polygon(shape)
            if outline is None or not outline.parts:
                self.report.drop("shape-empty", told)
                return
            if not isinstance(shape, Box) or shape.rotation_rad or "box" in self.holds:
                self.report.drop("shape-as-polygon", told)
            yield from self._polygon(outline, item, told)
        elif "mask" in self.holds and item.height_px and item.width_px:
            mask = as_mask(shape, item.height_px, item.width_px)
            if mask is None or not masks.area(mask):
                self.report.drop("sub-pixel", told)
                return
            self.report.drop("shape-as-mask", told)
            yield mask
        elif "box" in self.holds:
            self.report.drop("shape-as-box", told)
            yield around(shape)
        else:
            self.report.drop("shape-not-held", told)

    def _polygon(self, shape: Polygon, item: Item, told: str) -> Iterator[Shape]:
        holds, report = self.holds, self.report
        if any(len(part) > 1 for part in shape.parts) and "holes" not in holds:
            if "mask" in holds and item.height_px and item.width_px:
                report.drop("shape-as-mask", told)
                yield masks.from_raster(masks.raster_of(shape, item.height_px, item.width_px))
                return
            report.drop("holes-filled", told)
            shape = Polygon(tuple((part[0],) for part in shape.parts))
        if len(shape.parts) > 1 and "parts" not in holds:
            report.drop("parts-split", told)
            for part in shape.parts:
                yield Polygon((part,))
            return
        yield shape


def is_around(box: Box, points: Points) -> bool:
    """Is a box no more than the points within it, so that it says nothing of its own?"""
    there = bounds(points)
    return max(abs(a - b) for a, b in zip(bounds(box), there, strict=True)) <= 0.51


def clipped(ring: Ring, width: float, height: float) -> Ring:
    """Each corner moved to the picture's edge where it lies beyond."""
    return tuple((min(max(x, 0.0), width), min(max(y, 0.0), height)) for x, y in ring)


def clipped_box(box: Box, width: float, height: float) -> Box | None:
    """The part of an upright box that lies in the picture; None for nothing."""
    x0, y0, x1, y1 = max(0.0, box.x), max(0.0, box.y), min(width, box.x + box.w), min(height, box.y + box.h)
    return Box(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def is_outside(at: Corner, width: float, height: float, slack_px: float = 0.5) -> bool:
    return not (-slack_px <= at[0] <= width + slack_px and -slack_px <= at[1] <= height + slack_px)
