"""imageannotation: boxes, polygons, lines, points, cuboids and ellipses on one picture.

Response units: px from the picture's top left corner; rotation in radians, clockwise on the screen.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cupola.compat.scale.types.base import Json, Making, TaskType
from cupola.compat.scale.types.check import MAX_ANNOTATIONS, MAX_URL_CHARS, Fields, attachment, wrong
from cupola.compat.scale.types.labelling import Attributes, Option, attributes, labels, named, options, told
from cupola.kernel import ids
from cupola.orders.model import Work

MAX_SIZE_PX = 1_000_000
MAX_EXAMPLE_VERTICES = 1_000
GEOMETRIES = ("box", "polygon", "line", "point", "cuboid", "ellipse")
_VERTICES = {"polygon": 1, "line": 1, "ellipse": 4}


def geometries(fields: Fields) -> dict[str, list[str]]:
    """{geometry: its labels}. Raises Problem naming the parameter."""
    described = fields.within("geometries", required=True)
    assert described is not None
    if not described.values:
        raise wrong("geometries", "must name at least one geometry")
    found: dict[str, list[str]] = {}
    for name in described.values:
        if name not in GEOMETRIES:
            raise wrong(described.place(name[:100]), f"is no geometry; there are {', '.join(GEOMETRIES)}")
        one = described.within(name, required=True)
        assert one is not None
        found[name] = labels(one, "objects_to_annotate")
        one.flag("can_rotate")
        one.flag("integer_pixels")
        for size in ("min_height", "min_width"):
            one.number(size, 0, MAX_SIZE_PX)
        for count in ("min_vertices", "max_vertices"):
            one.whole(count, 1, 1_000_000)
    return found


def hypothesis(fields: Fields, shapes: dict[str, list[str]]) -> None:
    """A hypothesis has the shape of a response; uuids may be absent."""
    given = fields.within("hypothesis")
    if given is not None:
        check_response(given, shapes)


def check_response(given: Fields, shapes: dict[str, list[str]]) -> None:
    """The annotations of a response. Raises Problem naming the entry."""
    for one in given.each("annotations", most=MAX_ANNOTATIONS):
        kind = one.one_of("type", GEOMETRIES) or (next(iter(shapes)) if len(shapes) == 1 else None)
        if kind is None or kind not in shapes:
            raise wrong(one.place("type"), f"must be one of {', '.join(shapes)}")
        label = one.text("label", required=True)
        if label not in shapes[kind]:
            raise wrong(one.place("label"), f"{(label or '')[:100]!r} is none of the labels for {kind}")
        if kind == "box":
            for name in ("left", "top"):
                if one.number(name) is None:
                    raise wrong(one.place(name), "is missing")
            for name in ("width", "height"):
                if one.number(name, 1e-9) is None:
                    raise wrong(one.place(name), "is missing")
            one.number("rotation", -1000, 1000)
        elif kind == "point":
            for name in ("x", "y"):
                if one.number(name) is None:
                    raise wrong(one.place(name), "is missing")
        elif kind in _VERTICES:
            for vertex in one.each("vertices", required=True, most=100_000):
                for name in ("x", "y"):
                    if vertex.number(name) is None:
                        raise wrong(vertex.place(name), "is missing")
        one.within("attributes")


def check(fields: Fields) -> list[str]:
    found = attachment(fields)
    assert found is not None
    shapes = geometries(fields)
    attributes(fields, [label for several in shapes.values() for label in several])
    hypothesis(fields, shapes)
    context = fields.items("context_attachments", most=100)
    addresses = [found]
    for index, entry in enumerate(context):
        address = entry.get("attachment") if isinstance(entry, dict) else entry
        if not isinstance(address, str) or len(address) > MAX_URL_CHARS:
            raise wrong(f"context_attachments[{index}]", "must be an address")
        addresses.append(address)
    fields.within("layers")
    fields.within("links")
    return addresses


def annotation(kind: str, label: Any, seed: str, extra: Json) -> Json:
    """One annotation of a response; its uuid is the same whenever it is made again."""
    return {"uuid": str(uuid_of(seed)), "type": kind, "label": label, "attributes": {}, **extra}


def uuid_of(seed: str) -> UUID:
    return ids.derived(hashlib.sha256(seed.encode()).digest())


def example(kind: str, label: str, one: Fields | None = None, attributes: Json | None = None) -> Json:
    """A made-up annotation for the test world, valid for the geometry's own parameters (`one`)."""
    wide = high = 0.0
    corners = 0
    if one is not None:
        wide, high = one.number("min_width") or 0.0, one.number("min_height") or 0.0
        corners = one.whole("min_vertices", 1, 1_000_000) or 0
    width, height = max(50.0, math.ceil(wide)), max(40.0, math.ceil(high))
    match kind:
        case "box":
            extra: Json = {"left": 10.0, "top": 10.0, "width": width, "height": height}
        case "point":
            extra = {"x": 10.0, "y": 10.0}
        case _:
            few = {"line": 2}.get(kind, 4)
            most = one.whole("max_vertices", 1, 1_000_000) if one is not None else None
            count = min(max(few, corners), most or max(few, corners), MAX_EXAMPLE_VERTICES)
            extra = {"vertices": _ring(count, width, height)}
    made = annotation(kind, label, f"example/{kind}/{label}", extra)
    made["attributes"] = attributes or {}
    return made


def _ring(count: int, width: float, height: float) -> list[Json]:
    """Points around an ellipse from (10, 10) to (10 + width, 10 + height)."""
    turns = [2 * math.pi * n / count for n in range(count)]
    return [{"x": 10 + width * (1 - math.cos(turn)) / 2, "y": 10 + height * (1 - math.sin(turn)) / 2} for turn in turns]


def example_attributes(fields: Fields, classes: list[str], label: str) -> Json:
    """Values that are valid for the attributes asked of a label; those with conditions are left out."""
    asked = attributes(fields, classes)
    made: Json = {}
    for spec in asked.specs:
        if "when" in spec or (spec.get("classes") and label not in spec["classes"]):
            continue
        match spec["type"]:
            case "choice":
                made[spec["name"]] = spec["options"][0]
            case "multi":
                made[spec["name"]] = spec["options"][: max(1, math.ceil(spec.get("least", 0)))]
            case "number":
                made[spec["name"]] = spec.get("least", min(1.0, spec.get("most", 1.0)))
            case _:
                made[spec["name"]] = "example"[: spec.get("max_chars", 7)]
    return asked.to(made)


def canned(params: Json) -> Json:
    fields = Fields(params)
    shapes = geometries(fields)
    every = [label for several in shapes.values() for label in several]
    described = fields.within("geometries", required=True)
    assert described is not None
    made = [
        example(kind, several[0], described.within(kind), example_attributes(fields, every, several[0]))
        for kind, several in shapes.items()
    ]
    return {"annotations": made, "global_attributes": {}, "links": []}


def box_to(
    thing: Json, seed: str, integer: bool = False, asked: Attributes | None = None, clients: Json | None = None
) -> Json:
    """One object of ours as an annotation. clients: {class: the client's label}."""
    label = (clients or {}).get(thing["cls"], thing["cls"])
    shape = thing["shape"]
    values = [shape["x"], shape["y"], shape["w"], shape["h"]]
    left, top, width, height = (round(v) for v in values) if integer else (float(v) for v in values)
    extra: Json = {"left": left, "top": top, "width": width, "height": height}
    turn = float(shape.get("rotation_rad", 0.0))
    if turn:
        extra["rotation"] = turn
        cx, cy = left + width / 2, top + height / 2
        cos, sin = math.cos(turn), math.sin(turn)
        corners = (
            (-width / 2, -height / 2),
            (width / 2, -height / 2),
            (width / 2, height / 2),
            (-width / 2, height / 2),
        )
        extra["vertices"] = [{"x": cx + x * cos - y * sin, "y": cy + x * sin + y * cos} for x, y in corners]
    made = annotation("box", label, f"{seed}/{thing['id']}", extra)
    made["attributes"] = asked.to(thing.get("attributes", {})) if asked else thing.get("attributes", {})
    return made


def box_from(given: Json, n: int, asked: Attributes, several: Sequence[Option]) -> Json:
    """An annotation as an object of ours. Raises ValueError for a label that is none of `several`."""
    shape: Json = {
        "type": "box",
        "x": float(given["left"]),
        "y": float(given["top"]),
        "w": float(given["width"]),
        "h": float(given["height"]),
    }
    if given.get("rotation"):
        shape["rotation_rad"] = float(given["rotation"])
    thing: Json = {"id": f"o{n}", "cls": named(given["label"], several), "shape": shape}
    if given.get("attributes"):
        thing["attributes"] = asked.back(given["attributes"])
    return thing


@dataclass(frozen=True, slots=True)
class Boxes:
    """What is asked of boxes. least size in px; integer: whole pixels in the answer."""

    options: list[Option]
    min_width_px: float = 0.0
    min_height_px: float = 0.0
    can_turn: bool = False
    integer: bool = False

    @staticmethod
    def of(fields: Fields) -> Boxes:
        """From the parameters beside `objects_to_annotate`."""
        return Boxes(
            options(fields, "objects_to_annotate"),
            fields.number("min_width", 0, MAX_SIZE_PX) or 0.0,
            fields.number("min_height", 0, MAX_SIZE_PX) or 0.0,
            fields.flag("can_rotate"),
            fields.flag("integer_pixels"),
        )

    def specs(self) -> list[Json]:
        """Classes of our ontology."""
        size: Json = {}
        if self.min_width_px:
            size["min_width_px"] = self.min_width_px
        if self.min_height_px:
            size["min_height_px"] = self.min_height_px
        if not self.can_turn:
            size["can_turn"] = False
        return [one.spec(geometry="box", **size) for one in self.options]


def making_boxes(params: Json, guidelines: str, boxes: Boxes, finish: Callable[[list[Json]], Json]) -> Making | None:
    """Boxes as work of ours; None where an attribute says more than ours can."""
    asked = attributes(Fields(params), [one.name for one in boxes.options])
    if not asked.whole:
        return None
    values = {one.name: one.value for one in boxes.options}
    spec: dict[str, Any] = {"kind": "objects", "classes": boxes.specs(), "attributes": asked.specs}

    def response(_: Json, label: Json, settlement: UUID) -> Json:
        return finish([box_to(thing, str(settlement), boxes.integer, asked, values) for thing in label["objects"]])

    def label(_: Json, given: Json) -> Json:
        boxes_given = given.get("annotations", [])
        return {
            "kind": "objects",
            "objects": [box_from(one, n, asked, boxes.options) for n, one in enumerate(boxes_given)],
        }

    pre = None
    if isinstance(params.get("hypothesis"), dict) and params["hypothesis"].get("annotations"):
        pre = label(params, params["hypothesis"])
        for thing in pre["objects"]:
            thing["source"] = "model"  # until a person corrects it
    words = [part for part in (guidelines, told("Labels", boxes.options), asked.words) if part]
    work = Work(spec, "\n\n".join(words), attachment=params["attachment"], pre_label=pre)
    return Making(work, response, label)


def making(params: Json, guidelines: str) -> Making | None:
    shapes = geometries(Fields(params))
    if set(shapes) != {"box"} or params.get("layers") or params.get("links"):
        return None
    return making_boxes(
        params,
        guidelines,
        Boxes.of(Fields(params["geometries"]["box"], "geometries.box")),
        lambda made: {"annotations": made, "global_attributes": {}, "links": []},
    )


IMAGE = TaskType("imageannotation", check, canned, making)
