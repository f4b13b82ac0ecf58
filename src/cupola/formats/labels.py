"""From the neutral stream to labels of ours and back: shapes, values of attributes, names.

What a label cannot say is counted, as everywhere in this package.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np

from cupola.formats import masks
from cupola.formats.fitting import clipped, clipped_box, is_outside
from cupola.formats.model import (
    ABSENT,
    OCCLUDED,
    VISIBLE,
    Box,
    Class,
    Classes,
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
)
from cupola.formats.report import Report
from cupola.kernel import limits
from cupola.kernel.errors import Problem
from cupola.kernel.lazy import Lazy
from cupola.labels import Box as BoxShape
from cupola.labels import (
    ChoiceLabel,
    FormLabel,
    Label,
    Object,
    ObjectsLabel,
    Ontology,
    TextLabel,
    classes_of,
    things_of,
)
from cupola.labels import Point as PointShape
from cupola.labels import Polygon as PolygonShape
from cupola.labels.facts import UNKNOWN
from cupola.labels.kind import Thing as LabelThing
from cupola.labels.kinds.objects import MAX_ID_CHARS
from cupola.labels.shapes import of as shape_type
from cupola.labels.shapes.ellipse import Ellipse as EllipseShape
from cupola.labels.shapes.mask import Mask as MaskShape
from cupola.labels.shapes.mask import mask_of
from cupola.labels.shapes.polygon import PolygonPart
from cupola.labels.shapes.polyline import Polyline as PolylineShape
from cupola.labels.shapes.shape import Shape as LabelShape
from cupola.labels.shapes.skeleton import Keypoint, Skeleton

shapely = Lazy("shapely")
SEEN = {"visible": VISIBLE, "occluded": OCCLUDED, "absent": ABSENT}
STATES = {number: name for name, number in SEEN.items()}
LEAST_PIECE_PX2 = 1.0
APART_PX = (0.01, 0.1, 0.5)  # how far outlines that touch are drawn apart


# ---------------------------------------------------------------- to labels
def label_of(saying: Saying, kind: str, item: Item, classes: Classes, report: Report) -> Label | None:
    """What a saying says as a label of that kind; None where it says nothing of it."""
    place = item.place or item.name
    if kind == "objects":
        report.drop("classes-of-item", place, len(saying.classes))
        report.drop("spans", place, len(saying.spans))
        return ObjectsLabel(_objects(saying, item, classes, report))
    report.drop("kind-other", place, len(saying.things))
    if kind == "choice":
        report.drop("answers", place, len(saying.answers))
        return ChoiceLabel(list(dict.fromkeys(saying.classes))) if saying.classes else None
    if kind == "text":
        return TextLabel(saying.text) if saying.text is not None else None
    answers = {name: value for name, told in saying.answers.items() if (value := value_of(told)) is not None}
    return FormLabel(cast(Any, answers)) if answers else None


def _objects(saying: Saying, item: Item, classes: Classes, report: Report) -> list[Object]:
    out: list[Object] = []
    used: set[str] = set()
    for thing in saying.things:
        place = thing.place or f"{item.place or item.name}: {thing.cls}"
        shape = shape_of(thing, item, classes, report, place)
        if shape is None:
            continue
        if len(out) >= limits.MAX_OBJECTS_PER_LABEL:
            report.drop("shape-no-label", f"{place}: more than {limits.MAX_OBJECTS_PER_LABEL} objects")
            continue
        name = thing.id if thing.id and len(thing.id) <= MAX_ID_CHARS and thing.id not in used else f"o{len(out) + 1}"
        while name in used:
            name += "x"
        used.add(name)
        told = {
            key[: limits.MAX_NAME_CHARS]: value
            for key, one in thing.attributes.items()
            if key.strip() and (value := value_of(one)) is not None
        }
        out.append(Object(name, class_name(thing.cls), cast(Any, shape), told, thing.source))
    return out


def class_name(name: str) -> str:
    """A class as an ontology can name it."""
    return name.strip()[: limits.MAX_NAME_CHARS] or "unnamed"


def value_of(told: Any) -> str | bool | int | float | list[str] | None:
    """A value that attributes can have; None for nothing."""
    if told is None or isinstance(told, bool | str):
        return told
    if isinstance(told, int | float):
        return told if math.isfinite(told) else None
    if isinstance(told, list | tuple):
        return [str(one) for one in told]
    return str(told)


def shape_of(thing: Thing, item: Item, classes: Classes, report: Report, place: str) -> LabelShape | None:
    """The shape as labels have it: within the picture, an outline that meets itself mended. None for nothing."""
    size = (float(item.width_px), float(item.height_px)) if item.width_px and item.height_px else None
    shape = thing.shape
    if size is not None and _reaches_out(shape, size):
        report.drop("outside", place)
    match shape:
        case Box():
            if not shape.rotation_rad and size is not None:
                cut = clipped_box(shape, *size)
                if cut is None:
                    return None
                shape = cut
            if shape.w <= 0 or shape.h <= 0:
                report.drop("shape-empty", place)
                return None
            return BoxShape(shape.x, shape.y, shape.w, shape.h, shape.rotation_rad)
        case Polygon():
            return _polygon(shape, size, report, place)
        case Mask():
            x0, y0, x1, y1 = (int(edge) for edge in masks.bounds(shape))
            found = mask_of(masks.to_raster(shape)[y0:y1, x0:x1], x0, y0)
            if found is None:
                report.drop("shape-empty", place)
            return found
        case Ellipse():
            return EllipseShape(shape.cx, shape.cy, shape.rx, shape.ry, shape.rotation_rad)
        case Polyline():
            return PolylineShape(clipped(shape.points, *size) if size is not None else shape.points)
        case Points() if len(shape.points) == 1:
            [(x, y)] = clipped(shape.points, *size) if size is not None else shape.points
            return PointShape(x, y)
        case Points():
            return _skeleton(shape, classes.named(thing.cls), size)
        case Cuboid():
            report.drop("shape-no-label", f"{place} (cuboid)")
            return None


def _reaches_out(shape: Shape, size: tuple[float, float]) -> bool:
    match shape:
        case Box() if not shape.rotation_rad:
            ring: Ring = ((shape.x, shape.y), (shape.x + shape.w, shape.y + shape.h))
        case Polygon():
            ring = tuple(corner for part in shape.parts for corner in part[0])
        case Polyline():
            ring = shape.points
        case Points():
            ring = tuple(at for at, seen in zip(shape.points, shape.seen, strict=True) if seen)
        case _:
            return False
    return any(is_outside(at, *size) for at in ring)


def point_names(known: Class, count: int) -> tuple[str, ...]:
    """The names of a skeleton's points, made where the file has none."""
    return tuple(known.points[n] if n < len(known.points) else f"point {n + 1}" for n in range(count))


def _skeleton(shape: Points, known: Class, size: tuple[float, float] | None) -> Skeleton:
    ring = clipped(shape.points, *size) if size is not None else shape.points
    names = point_names(known, max(len(shape.points), len(known.points)))
    rows = list(zip(ring, shape.seen, strict=True)) + [((0.0, 0.0), ABSENT)] * (len(names) - len(ring))
    return Skeleton(
        tuple(
            Keypoint(name, *at, cast(Any, STATES[seen])) if seen else Keypoint(name, state="absent")
            for name, (at, seen) in zip(names, rows, strict=True)
        )
    )


def _polygon(shape: Polygon, size: tuple[float, float] | None, report: Report, place: str) -> PolygonShape | None:
    parts = [
        [tuple(clipped(ring, *size)) if size is not None else ring for ring in part if len(ring) >= 3]
        for part in shape.parts
    ]
    regions = [shapely.Polygon(part[0], part[1:]) for part in parts if part]
    if not regions:
        report.drop("shape-empty", place)
        return None
    as_drawn = _of_pieces(regions)
    if len(regions) == 1 and _is_sound(as_drawn):
        return as_drawn
    if len(regions) > 1 and all(region.is_valid for region in regions) and _is_sound(as_drawn):
        return as_drawn
    # as tools without a rule leave them: a crossing becomes two parts, an overlap one; what only touches is drawn apart
    report.drop("outline-mended", place)
    whole = shapely.union_all([shapely.make_valid(region) for region in regions])
    for apart_px in APART_PX:
        apart = shapely.buffer(whole, -apart_px, join_style="mitre", mitre_limit=2.0)
        pieces = [piece for piece in shapely.get_parts(apart) if piece.geom_type == "Polygon" and piece.area > 0]
        pieces.sort(key=lambda piece: -piece.area)
        pieces = [piece for n, piece in enumerate(pieces) if n == 0 or piece.area >= LEAST_PIECE_PX2]
        if pieces and _is_sound(found := _of_pieces(pieces)):
            return found
    report.drop("shape-empty", place)
    return None


def _is_sound(shape: PolygonShape) -> bool:
    try:
        shape_type(shape).validate(shape, UNKNOWN, "")
    except Problem:
        return False
    return True


def _of_pieces(pieces: Sequence[Any]) -> PolygonShape:
    first, *rest = (_rings(piece) for piece in pieces)
    return PolygonShape(first[0], first[1], tuple(PolygonPart(outer, holes) for outer, holes in rest))


def _rings(piece: Any) -> tuple[Ring, tuple[Ring, ...]]:
    def ring(line: Any) -> Ring:
        return tuple((float(x), float(y)) for x, y in np.asarray(line.coords)[:-1])

    return ring(piece.exterior), tuple(ring(hole) for hole in piece.interiors)


# ---------------------------------------------------------------- from labels
def classes_from(ontology: Ontology) -> Classes:
    """The classes of an ontology, with their skeletons."""
    out = Classes()
    for spec in ontology.classes:
        one = Class(spec.name, colour=spec.colour or "")
        if spec.skeleton is not None:
            names = [point.name for point in spec.skeleton.points]
            one.points = tuple(names)
            one.edges = tuple((names.index(a), names.index(b)) for a, b in spec.skeleton.edges)
        out.add(one)
    return out


def saying_from(label: Label, classes: Classes, size: tuple[int, int] | None, place: str, report: Report) -> Saying:
    """A label of ours as a saying. size: (width, height) in px, for masks."""
    things = tuple(_things(things_of(label), classes, size, place, report))
    if isinstance(label, TextLabel):
        return Saying(text=label.text)
    if isinstance(label, FormLabel):
        return Saying(answers=dict(label.answers))
    return Saying(classes=tuple(classes_of(label)), things=things)


def _things(
    found: Sequence[LabelThing], classes: Classes, size: tuple[int, int] | None, place: str, report: Report
) -> Iterator[Thing]:
    for one in found:
        shape = neutral(one.shape, classes.named(one.cls), size)
        if shape is None:
            report.drop("no-size", f"{place}: {one.id}")
            continue
        yield Thing(one.cls, shape, dict(one.attributes), one.id, cast(Any, one.source), place=f"{place}: {one.id}")


def neutral(shape: LabelShape, known: Class, size: tuple[int, int] | None) -> Shape | None:
    """A shape of a label in the neutral stream; None for pixels of a picture whose size is not known."""
    match shape:
        case BoxShape():
            return Box(shape.x, shape.y, shape.w, shape.h, shape.rotation_rad)
        case PointShape():
            return Points(((shape.x, shape.y),), (VISIBLE,))
        case PolygonShape():
            return Polygon(((shape.points, *shape.holes), *((part.points, *part.holes) for part in shape.parts)))
        case PolylineShape():
            return Polyline(shape.points)
        case EllipseShape():
            return Ellipse(shape.x, shape.y, shape.rx, shape.ry, shape.rotation_rad)
        case Skeleton():
            by_name: Mapping[str, Keypoint] = {point.name: point for point in shape.points}
            names = known.points or tuple(by_name)
            known.points = names
            rows = [by_name.get(name, Keypoint(name, state="absent")) for name in names]
            return Points(tuple((one.x, one.y) for one in rows), tuple(SEEN[one.state] for one in rows))
        case MaskShape():
            if size is None:
                return None
            width, height = size
            cover = shape_type(shape).cover(shape, 0, 0, width, height)
            return None if cover is None else masks.from_raster(cover)
    # of a shape that came later: what it covers
    regions = shape_type(shape).regions(shape)
    return None if not regions else Polygon(tuple((tuple(outer), *map(tuple, holes)) for outer, holes in regions))
