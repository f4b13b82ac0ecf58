"""What is drawn on a picture, from a client's geometries to shapes of ours and back.

Units of both: px from the picture's top left corner; rotation in radians, clockwise on the screen.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cupola.compat.scale.types.base import Json
from cupola.compat.scale.types.check import Fields
from cupola.compat.scale.types.labelling import Attributes, Option, named, options
from cupola.kernel import ids, limits

MAX_SIZE_PX = 1_000_000


def annotation(kind: str, label: Any, seed: str, extra: Json) -> Json:
    """One annotation of a response; its uuid is the same whenever it is made again."""
    return {"uuid": str(uuid_of(seed)), "type": kind, "label": label, "attributes": {}, **extra}


def uuid_of(seed: str) -> UUID:
    return ids.derived(hashlib.sha256(seed.encode()).digest())


@dataclass(frozen=True, slots=True)
class Geometry:
    """name: the client's; shape: ours. to: (a shape, rounding of numbers) as the annotation's own members; back: those
    as a shape."""

    name: str
    shape: str
    to: Callable[[Json, Callable[[float], float]], Json]
    back: Callable[[Json], Json]


def _box_to(shape: Json, exact: Callable[[float], float]) -> Json:
    left, top, width, height = (exact(shape[name]) for name in ("x", "y", "w", "h"))
    extra: Json = {"left": left, "top": top, "width": width, "height": height}
    turn = float(shape.get("rotation_rad", 0.0))
    if turn:
        extra["rotation"] = turn
        halves = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        corners = [(x * width / 2, y * height / 2) for x, y in halves]
        extra["vertices"] = _turned(left + width / 2, top + height / 2, corners, turn)
    return extra


def _box_back(given: Json) -> Json:
    left, top, width, height = (float(given[name]) for name in ("left", "top", "width", "height"))
    turned = {"rotation_rad": float(given["rotation"])} if given.get("rotation") else {}
    return {"type": "box", "x": left, "y": top, "w": width, "h": height, **turned}


def _turned(cx: float, cy: float, corners: Sequence[tuple[float, float]], turn: float) -> list[Json]:
    cos, sin = math.cos(turn), math.sin(turn)
    return [{"x": cx + x * cos - y * sin, "y": cy + x * sin + y * cos} for x, y in corners]


def _vertices(points: Sequence[Sequence[float]], exact: Callable[[float], float]) -> list[Json]:
    return [{"x": exact(x), "y": exact(y)} for x, y in points]


def _points(vertices: Sequence[Json]) -> list[list[float]]:
    return [[float(one["x"]), float(one["y"])] for one in vertices]


def _polygon_to(shape: Json, exact: Callable[[float], float]) -> Json:
    """Of several parts the first is `vertices`; holes and further parts, which the client's form has no word for, stand
    beside it."""
    extra: Json = {"vertices": _vertices(shape["points"], exact)}
    if shape.get("holes"):
        extra["holes"] = [_vertices(hole, exact) for hole in shape["holes"]]
    if shape.get("parts"):
        extra["parts"] = [_polygon_to(part, exact) for part in shape["parts"]]
    return extra


def _polygon_back(given: Json) -> Json:
    def part(one: Json) -> Json:
        holes = [_points(hole) for hole in one.get("holes") or []]
        return {"points": _points(one["vertices"]), **({"holes": holes} if holes else {})}

    parts = [part(one) for one in given.get("parts") or []]
    return {"type": "polygon", **part(given), **({"parts": parts} if parts else {})}


def _ellipse_to(shape: Json, exact: Callable[[float], float]) -> Json:
    """The ends of its axes, clockwise from the top."""
    rx, ry = float(shape["rx"]), float(shape["ry"])
    ends = _turned(shape["x"], shape["y"], ((0, -ry), (rx, 0), (0, ry), (-rx, 0)), shape.get("rotation_rad", 0.0))
    return {"vertices": [{"x": exact(end["x"]), "y": exact(end["y"])} for end in ends]}


def _ellipse_back(given: Json) -> Json:
    (tx, ty), (rx, ry), (bx, by), (lx, ly) = _points(given["vertices"])[:4]
    turn = math.atan2(ry - ly, rx - lx)
    made = {
        "type": "ellipse",
        "x": (tx + rx + bx + lx) / 4,
        "y": (ty + ry + by + ly) / 4,
        "rx": math.hypot(rx - lx, ry - ly) / 2,
        "ry": math.hypot(bx - tx, by - ty) / 2,
    }
    return {**made, **({"rotation_rad": turn} if abs(turn) > 1e-9 else {})}


GEOMETRIES = {
    one.name: one
    for one in (
        Geometry("box", "box", _box_to, _box_back),
        Geometry("polygon", "polygon", _polygon_to, _polygon_back),
        Geometry(
            "line",
            "polyline",
            lambda shape, exact: {"vertices": _vertices(shape["points"], exact)},
            lambda given: {"type": "polyline", "points": _points(given["vertices"])},
        ),
        Geometry(
            "point",
            "point",
            lambda shape, exact: {"x": exact(shape["x"]), "y": exact(shape["y"])},
            lambda given: {"type": "point", "x": float(given["x"]), "y": float(given["y"])},
        ),
        Geometry("ellipse", "ellipse", _ellipse_to, _ellipse_back),
    )
}
_OF_SHAPE = {one.shape: one for one in GEOMETRIES.values()}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is asked of one geometry. Least size in px; integer: whole pixels in the answer; points: corners."""

    geometry: Geometry
    options: list[Option]
    min_width_px: float = 0.0
    min_height_px: float = 0.0
    can_turn: bool = False
    integer: bool = False
    min_points: int = 0
    max_points: int | None = None

    @staticmethod
    def of(name: str, fields: Fields) -> Drawn:
        """From the parameters beside `objects_to_annotate`."""
        least, most = fields.whole("min_vertices", 1, 1_000_000), fields.whole("max_vertices", 1, 1_000_000)
        return Drawn(
            GEOMETRIES[name],
            options(fields, "objects_to_annotate"),
            fields.number("min_width", 0, MAX_SIZE_PX) or 0.0,
            fields.number("min_height", 0, MAX_SIZE_PX) or 0.0,
            # of an ellipse nothing is said of turning
            fields.flag("can_rotate") or name == "ellipse",
            fields.flag("integer_pixels"),
            least or 0,
            most,
        )

    @property
    def is_possible(self) -> bool:
        """Whether an outline of ours can have as many corners as are asked for."""
        most = limits.MAX_POINTS_PER_SHAPE if self.max_points is None else self.max_points
        return self.min_points <= min(most, limits.MAX_POINTS_PER_SHAPE)

    def specs(self) -> list[Json]:
        """Classes of our ontology."""
        more: Json = {}
        if self.min_width_px:
            more["min_width_px"] = self.min_width_px
        if self.min_height_px:
            more["min_height_px"] = self.min_height_px
        if not self.can_turn:
            more["can_turn"] = False
        if self.geometry.name in ("polygon", "line"):
            if self.min_points:
                more["min_points"] = self.min_points
            if self.max_points is not None:
                more["max_points"] = min(self.max_points, limits.MAX_POINTS_PER_SHAPE)
        return [one.spec(geometry=self.geometry.shape, **more) for one in self.options]


def thing_to(
    thing: Json, seed: str, integer: bool = False, asked: Attributes | None = None, clients: Json | None = None
) -> Json:
    """One object of ours as an annotation. clients: {class: the client's label}."""
    label = (clients or {}).get(thing["cls"], thing["cls"])
    geometry = _OF_SHAPE[thing["shape"]["type"]]
    exact: Callable[[float], float] = round if integer else float
    made = annotation(geometry.name, label, f"{seed}/{thing['id']}", geometry.to(thing["shape"], exact))
    made["attributes"] = asked.to(thing.get("attributes", {})) if asked else thing.get("attributes", {})
    return made


def thing_from(given: Json, n: int, asked: Attributes, drawn: Sequence[Drawn]) -> Json:
    """An annotation as an object of ours. Raises ValueError for a label that none of `drawn` has."""
    only = drawn[0].geometry.name if len(drawn) == 1 else None
    kind = given.get("type") or only
    one = next((each for each in drawn if each.geometry.name == kind), None)
    if one is None:
        raise ValueError(f"{kind!r} is none of the geometries that are asked for")
    thing: Json = {"id": f"o{n}", "cls": named(given["label"], one.options), "shape": one.geometry.back(given)}
    if given.get("attributes"):
        thing["attributes"] = asked.back(given["attributes"])
    return thing
