"""Objects: any number of shapes on one image, each with a class, attributes and where it came from.

Which shapes there are is said by the table in `labels/shapes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels import attributes, shapes
from cupola.labels.facts import ItemFacts
from cupola.labels.label import Label
from cupola.labels.matching import match, touching
from cupola.labels.ontology import AttributeValue, ClassSpec, Ontology
from cupola.labels.places import pointer, unstorable
from cupola.labels.shapes import AnyShape

Source = Literal["person", "model", "corrected"]

MAX_ID_CHARS = 64
SLACK_PX = 0.01
SLACK_OVERLAP = 0.02  # the editor measures outlines along lines of a scan


class Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing in the image. `source` says who made it: a person, a model, or a person correcting a model."""

    id: str
    cls: str
    shape: AnyShape
    attributes: dict[str, AttributeValue] = {}
    source: Source = "person"


class ObjectsLabel(Label, frozen=True, tag="objects"):
    """All objects of the image; an empty list says that there are none."""

    objects: list[Object]


def validate(label: ObjectsLabel, ontology: Ontology, facts: ItemFacts) -> None:
    """Raises Problem (INVALID) at the first object that breaks a rule, with its place."""
    if len(label.objects) > limits.MAX_OBJECTS_PER_LABEL:
        raise _wrong(
            "label-too-many-objects",
            f"{len(label.objects)} objects; at most {limits.MAX_OBJECTS_PER_LABEL} are taken.",
            "/objects",
            "Send fewer objects.",
        )
    geometry_of, attributes_of = ontology.geometry_of, ontology.attributes_of
    seen: set[str] = set()
    bounded: dict[str, list[int]] = {}
    for position, thing in enumerate(label.objects):
        if not thing.id or len(thing.id) > MAX_ID_CHARS or unstorable(thing.id) or thing.id in seen:
            raise _wrong(
                "label-object-id",
                f"An object's id has 1 to {MAX_ID_CHARS} characters and is its own: {thing.id[:80]!r}.",
                pointer("objects", position, "id"),
                "Give each object its own short id.",
            )
        seen.add(thing.id)
        if thing.cls not in geometry_of:
            raise _wrong(
                "label-unknown-class",
                f"{thing.cls!r} is not a class of this ontology.",
                pointer("objects", position, "cls"),
                "Use one of the ontology's class names.",
            )
        shape = thing.shape
        geometry = geometry_of[thing.cls]
        if geometry is not None and geometry != shape.type:
            raise _wrong(
                "label-wrong-shape",
                f"The class {thing.cls!r} is drawn as {geometry}, not as {shape.type}.",
                pointer("objects", position, "shape", "type"),
                f"Draw it as {geometry}.",
            )
        spec = ontology.classes[ontology.class_index[thing.cls]]
        shapes.of(shape).fits(shape, spec, f"/objects/{position}/shape")
        shapes.of(shape).validate(shape, facts, f"/objects/{position}/shape")
        check_size(shape, spec, f"/objects/{position}/shape")
        if spec.max_overlap is not None:
            bounded.setdefault(thing.cls, []).append(position)
        specs = attributes_of[thing.cls]
        if specs or thing.attributes:
            attributes.validate(
                thing.attributes, specs, pointer("objects", position, "attributes"), f"The class {thing.cls!r}"
            )
    for name, positions in bounded.items():
        _check_overlap(label.objects, positions, ontology.classes[ontology.class_index[name]])


def check_size(shape: AnyShape, spec: ClassSpec, place: str) -> None:
    """Raises Problem (INVALID) for a shape that is smaller than its class asks for, turned where it may not be, or of
    too few or too many points."""
    kind = shapes.of(shape)
    size = kind.size(shape)
    # what somebody draws to the edge of the least size is not refused for its last rounding
    if size is not None and (size[0] < spec.min_width_px - SLACK_PX or size[1] < spec.min_height_px - SLACK_PX):
        raise _wrong(
            "label-too-small",
            f"A {shape.type} of {spec.name!r} is at least {spec.min_width_px:g} x {spec.min_height_px:g} px; this one "
            f"has {size[0]:.1f} x {size[1]:.1f}.",
            place,
            "Leave out what is smaller, or draw all of it.",
        )
    count = kind.count(shape)
    most = limits.MAX_POINTS_PER_SHAPE if spec.max_points is None else spec.max_points
    if count is not None and not spec.min_points <= count <= most:
        raise _wrong(
            "label-point-count",
            f"A {shape.type} of {spec.name!r} has {spec.min_points} to {most} points; this one has {count}.",
            place,
            "Set or drop points.",
        )
    if not spec.can_turn and kind.turn_rad(shape):
        raise _wrong("label-turned", f"A {shape.type} of {spec.name!r} lies straight.", place, "Turn it back.")


def _check_overlap(objects: Sequence[Object], positions: Sequence[int], spec: ClassSpec) -> None:
    """Of the objects of one class, at those positions of the list."""
    most = (spec.max_overlap or 0.0) + SLACK_OVERLAP
    reach = reach_of([objects[position] for position in positions])
    for i, j in sorted(touching(reach, reach)):
        if i >= j:
            continue
        earlier, later = objects[positions[i]], objects[positions[j]]
        if similarity(earlier, later) > most:
            raise _wrong(
                "label-overlap",
                f"Two of {spec.name!r} overlap by more than {100 * (spec.max_overlap or 0.0):g} %.",
                f"/objects/{positions[j]}/shape",
                "Draw each thing once, and give what both cover to one of them.",
            )


def validate_shapes(label: ObjectsLabel, facts: ItemFacts) -> None:
    """What can be said of objects before their ontology is known: finite, not empty, within the image."""
    for position, thing in enumerate(label.objects):
        shapes.of(thing.shape).validate(thing.shape, facts, f"/objects/{position}/shape")


def salvage(label: ObjectsLabel, check: Callable[[ObjectsLabel], None]) -> tuple[ObjectsLabel | None, list[Problem]]:
    """The objects that pass by themselves, those with a wrong attribute without it; places are those in `label`."""
    kept: list[Object] = []
    left_out: list[Problem] = []
    seen: set[str] = set()
    for position, thing in enumerate(label.objects):
        if len(kept) >= limits.MAX_OBJECTS_PER_LABEL or thing.id in seen:
            left_out.append(
                _wrong(
                    "label-object-id", f"{thing.id[:80]!r} stands twice.", f"/objects/{position}", "Keep one of them."
                )
            )
            continue
        while True:
            try:
                check(ObjectsLabel([thing]))
            except Problem as problem:
                left_out.append(_at(problem, position))
                wrong = problem.place.removeprefix("/objects/0/attributes/")
                name = wrong.replace("~1", "/").replace("~0", "~")
                if wrong == problem.place or name not in thing.attributes:
                    break
                fewer = {key: value for key, value in thing.attributes.items() if key != name}
                thing = msgspec.structs.replace(thing, attributes=fewer)
            else:
                kept.append(thing)
                seen.add(thing.id)
                break
    return (ObjectsLabel(kept) if kept else None), left_out


def _at(problem: Problem, position: int) -> Problem:
    rest = problem.place.removeprefix("/objects/0")
    place = f"/objects/{position}{rest}" if rest != problem.place else problem.place
    return invalid(problem.code, problem.detail, place=place, remedy=problem.remedy)


def similarity(a: Object, b: Object) -> float:
    """How alike two shapes are, in [0, 1]; 0 where their types differ."""
    if type(a.shape) is not type(b.shape):
        return 0.0
    return float(shapes.of(a.shape).similarity(a.shape, b.shape))


def is_same(a: Object, b: Object, alike: float) -> bool:
    """Whether a pair of that similarity is one thing, said alike: class, attributes, and the shape's own measure."""
    return a.cls == b.cls and alike >= shapes.of(a.shape).same_at and attributes.alike(a.attributes, b.attributes)


def pairs(a: ObjectsLabel, b: ObjectsLabel, *, by_class: bool = True) -> list[tuple[int, int, float]]:
    """The best one-to-one pairing: (index in a, index in b, similarity), of objects of one class unless told
    otherwise."""

    def score(i: int, j: int) -> float:
        first, second = a.objects[i], b.objects[j]
        return 0.0 if by_class and first.cls != second.cls else similarity(first, second)

    return match(reach_of(a.objects), reach_of(b.objects), score)


def reach_of(objects: Sequence[Object]) -> NDArray[np.float64]:
    """(n, 4) float64 of x0, y0, x1, y1 in px, for objects of any shapes: where something like each could lie."""
    out = np.empty((len(objects), 4), dtype=np.float64)
    for name, one in shapes.SHAPES.items():
        rows = [row for row, thing in enumerate(objects) if thing.shape.type == name]
        if rows:
            out[rows] = one.reach([objects[row].shape for row in rows])
    return out


def distance(a: ObjectsLabel, b: ObjectsLabel) -> float:
    """1 - 2 S / (|a| + |b|), S = the sum of similarities over the best one-to-one pairing within classes.

    A Dice distance that gives a pair the credit of its likeness; 0 for two empty labels.
    """
    total = len(a.objects) + len(b.objects)
    if not total:
        return 0.0
    return max(0.0, 1.0 - 2.0 * sum(alike for _, _, alike in pairs(a, b)) / total)


def same(a: ObjectsLabel, b: ObjectsLabel) -> bool:
    """Each object has its one counterpart of the same class and attributes, as alike as its shape asks for."""
    if len(a.objects) != len(b.objects):
        return False
    found = pairs(a, b)
    return len(found) == len(a.objects) and all(is_same(a.objects[i], b.objects[j], alike) for i, j, alike in found)


def _wrong(code: str, detail: str, place: str, remedy: str) -> Problem:
    return invalid(code, detail, place=place, remedy=remedy)
