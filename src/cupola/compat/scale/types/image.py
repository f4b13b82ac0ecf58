"""imageannotation: boxes, polygons, lines, points, cuboids and ellipses on one picture.

Response units: px from the picture's top left corner; rotation in radians, clockwise on the screen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from cupola.compat.scale.types.base import Json, Making, TaskType
from cupola.compat.scale.types.check import MAX_ANNOTATIONS, MAX_URL_CHARS, Fields, attachment, wrong
from cupola.compat.scale.types.image_drawn import GEOMETRIES as DRAWN
from cupola.compat.scale.types.image_drawn import MAX_SIZE_PX, Drawn, annotation, thing_from, thing_to
from cupola.compat.scale.types.labelling import attributes, labels, told
from cupola.orders.model import Work

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


def making_drawn(
    params: Json, guidelines: str, drawn: Sequence[Drawn], finish: Callable[[list[Json]], Json]
) -> Making | None:
    """What is drawn as work of ours; None where an attribute says more than ours can, where a label stands under two
    geometries, or where an outline of ours cannot have as many corners."""
    several = [one for each in drawn for one in each.options]
    asked = attributes(Fields(params), [one.name for one in several])
    is_one_each = len({one.name for one in several}) == len(several)
    if not asked.whole or not is_one_each or not all(one.is_possible for one in drawn):
        return None
    values = {one.name: one.value for one in several}
    whole = {one.name for each in drawn if each.integer for one in each.options}
    classes = [spec for one in drawn for spec in one.specs()]
    spec: dict[str, Any] = {"kind": "objects", "classes": classes, "attributes": asked.specs}

    def response(_: Json, label: Json, settlement: UUID) -> Json:
        return finish(
            [thing_to(thing, str(settlement), thing["cls"] in whole, asked, values) for thing in label["objects"]]
        )

    def label(_: Json, given: Json) -> Json:
        found = [thing_from(one, n, asked, drawn) for n, one in enumerate(given.get("annotations", []))]
        return {"kind": "objects", "objects": found}

    pre = None
    if isinstance(params.get("hypothesis"), dict) and params["hypothesis"].get("annotations"):
        pre = label(params, params["hypothesis"])
        for thing in pre["objects"]:
            thing["source"] = "model"  # until a person corrects it
    words = [part for part in (guidelines, told("Labels", several), asked.words) if part]
    work = Work(spec, "\n\n".join(words), attachment=params["attachment"], pre_label=pre)
    return Making(work, response, label)


def making(params: Json, guidelines: str) -> Making | None:
    shapes = geometries(Fields(params))
    if not set(shapes) <= set(DRAWN) or params.get("layers") or params.get("links"):
        return None
    drawn = [Drawn.of(name, Fields(params["geometries"][name], f"geometries.{name}")) for name in shapes]
    return making_drawn(
        params, guidelines, drawn, lambda made: {"annotations": made, "global_attributes": {}, "links": []}
    )


IMAGE = TaskType("imageannotation", check, canned, making)
