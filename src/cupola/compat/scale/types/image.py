"""imageannotation: boxes, polygons, lines, points, cuboids and ellipses on one picture.

Response units: px from the picture's top left corner; rotation in radians, clockwise on the screen.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from cupola.compat.scale.types.base import Json, Making, TaskType
from cupola.compat.scale.types.check import MAX_ANNOTATIONS, MAX_URL_CHARS, Fields, attachment, wrong
from cupola.compat.scale.types.labelling import attributes, labels
from cupola.kernel import ids
from cupola.orders.model import Work

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
            one.number(size, 0, 1_000_000)
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


def annotation(kind: str, label: str, seed: str, extra: Json) -> Json:
    """One annotation of a response; its uuid is the same whenever it is made again."""
    return {"uuid": str(uuid_of(seed)), "type": kind, "label": label, "attributes": {}, **extra}


def uuid_of(seed: str) -> UUID:
    return ids.derived(hashlib.sha256(seed.encode()).digest())


def example(kind: str, label: str, n: int = 0) -> Json:
    """A made-up annotation, for the test world."""
    square = [{"x": 10.0, "y": 10.0}, {"x": 60.0, "y": 10.0}, {"x": 60.0, "y": 50.0}, {"x": 10.0, "y": 50.0}]
    match kind:
        case "box":
            extra: Json = {"left": 10.0, "top": 10.0, "width": 50.0, "height": 40.0}
        case "point":
            extra = {"x": 10.0, "y": 10.0}
        case "line":
            extra = {"vertices": square[:2]}
        case _:
            extra = {"vertices": square}
    return annotation(kind, label, f"example/{kind}/{label}/{n}", extra)


def canned(params: Json) -> Json:
    shapes = geometries(Fields(params))
    made = [example(kind, several[0]) for kind, several in shapes.items()]
    return {"annotations": made, "global_attributes": {}, "links": []}


def box_to(thing: Json, seed: str, integer: bool = False) -> Json:
    """One object of ours as an annotation."""
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
    made = annotation("box", thing["cls"], f"{seed}/{thing['id']}", extra)
    made["attributes"] = thing.get("attributes", {})
    return made


def box_from(given: Json, n: int) -> Json:
    """An annotation as an object of ours."""
    shape: Json = {
        "type": "box",
        "x": float(given["left"]),
        "y": float(given["top"]),
        "w": float(given["width"]),
        "h": float(given["height"]),
    }
    if given.get("rotation"):
        shape["rotation_rad"] = float(given["rotation"])
    thing: Json = {"id": f"o{n}", "cls": given["label"], "shape": shape}
    if given.get("attributes"):
        thing["attributes"] = given["attributes"]
    return thing


def making_boxes(
    params: Json, guidelines: str, classes: list[str], finish: Callable[[list[Json]], Json], integer: bool = False
) -> Making | None:
    """Boxes as work of ours; None where an attribute says more than ours can."""
    asked, whole = attributes(Fields(params), classes)
    if not whole:
        return None
    spec: dict[str, Any] = {
        "kind": "objects",
        "classes": [{"name": label, "geometry": "box"} for label in classes],
        "attributes": asked,
    }

    def response(_: Json, label: Json, settlement: UUID) -> Json:
        return finish([box_to(thing, str(settlement), integer) for thing in label["objects"]])

    def label(_: Json, given: Json) -> Json:
        return {"kind": "objects", "objects": [box_from(one, n) for n, one in enumerate(given.get("annotations", []))]}

    pre = None
    if isinstance(params.get("hypothesis"), dict) and params["hypothesis"].get("annotations"):
        pre = label(params, params["hypothesis"])
        for thing in pre["objects"]:
            thing["source"] = "model"  # until a person corrects it
    return Making(Work(spec, guidelines, attachment=params["attachment"], pre_label=pre), response, label)


def making(params: Json, guidelines: str) -> Making | None:
    shapes = geometries(Fields(params))
    if set(shapes) != {"box"} or params.get("layers") or params.get("links"):
        return None
    return making_boxes(
        params,
        guidelines,
        shapes["box"],
        lambda made: {"annotations": made, "global_attributes": {}, "links": []},
        bool(params["geometries"]["box"].get("integer_pixels")),
    )


IMAGE = TaskType("imageannotation", check, canned, making)
