"""Objects: any number of shapes on one image, each with a class, attributes and where it came from.

A new shape is one file beside box.py with validate, bounds, overlap and merge, one name in `Shape`, one line in
`SHAPES` and one in `ontology.Geometry`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.labels.kinds import box
from cupola.labels.matching import match
from cupola.labels.ontology import AttributeSpec, AttributeValue, Ontology
from cupola.labels.places import pointer, unstorable

Shape = box.Box
Source = Literal["person", "model", "corrected"]
SHAPES: Mapping[type[Shape], Any] = {box.Box: box}

SAME_IOU = 0.5  # the criterion of PASCAL VOC (Everingham et al. 2010) for "the same object"
MAX_ID_CHARS = 64


class Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing in the image. `source` says who made it: a person, a model, or a person correcting a model."""

    id: str
    cls: str
    shape: Shape
    attributes: dict[str, AttributeValue] = {}
    source: Source = "person"


class ObjectsLabel(msgspec.Struct, frozen=True, tag="objects", tag_field="kind", forbid_unknown_fields=True):
    """All objects of the image; an empty list says that there are none."""

    objects: list[Object]


def validate(label: ObjectsLabel, ontology: Ontology, width_px: int | None, height_px: int | None) -> None:
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
        if geometry is not None and geometry != shape.__struct_config__.tag:
            raise _wrong(
                "label-wrong-shape",
                f"The class {thing.cls!r} is drawn as {geometry}, not as {shape.__struct_config__.tag}.",
                pointer("objects", position, "shape", "type"),
                f"Draw it as {geometry}.",
            )
        SHAPES[type(shape)].validate(shape, width_px, height_px, f"/objects/{position}/shape")
        specs = attributes_of[thing.cls]
        if specs or thing.attributes:
            _validate_attributes(thing, specs, position)


def validate_shapes(label: ObjectsLabel, width_px: int | None, height_px: int | None) -> None:
    """What can be said of objects before their ontology is known: finite, not empty, within the image."""
    for position, thing in enumerate(label.objects):
        SHAPES[type(thing.shape)].validate(thing.shape, width_px, height_px, f"/objects/{position}/shape")


def _validate_attributes(thing: Object, specs: Mapping[str, AttributeSpec], position: int) -> None:
    for name, value in thing.attributes.items():
        place = pointer("objects", position, "attributes", name)
        spec = specs.get(name)
        if spec is None:
            raise _wrong(
                "label-unknown-attribute",
                f"The class {thing.cls!r} has no attribute {name!r}.",
                place,
                "Remove it, or add it to the ontology.",
            )
        if not _asked(spec, thing.attributes):
            raise _wrong(
                "label-attribute-not-asked",
                f"{name!r} is asked only when its condition holds.",
                place,
                "Remove it, or mend the attribute that it depends on.",
            )
        if not _fits(spec, value):
            raise _wrong(
                "label-attribute-value",
                f"That is not a value of the {spec.type} attribute {name!r}.",
                place,
                "Use a value that the ontology allows.",
            )
    for name, spec in specs.items():
        if spec.required and name not in thing.attributes and _asked(spec, thing.attributes):
            raise _wrong(
                "label-attribute-missing",
                f"The attribute {name!r} is required.",
                pointer("objects", position, "attributes"),
                f"Give a value for {name!r}.",
            )


def _asked(spec: AttributeSpec, values: Mapping[str, AttributeValue]) -> bool:
    if spec.when is None:
        return True
    value = values.get(spec.when.attribute)
    if isinstance(value, list):
        return spec.when.equals in value
    return type(value) is type(spec.when.equals) and value == spec.when.equals


def _fits(spec: AttributeSpec, value: AttributeValue) -> bool:
    match spec.type:
        case "choice":
            return isinstance(value, str) and value in spec.option_set
        case "multi":
            return isinstance(value, list) and len(set(value)) == len(value) and spec.option_set.issuperset(value)
        case "text":
            return isinstance(value, str) and len(value) <= limits.MAX_TEXT_CHARS and not unstorable(value)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "bool":
            return isinstance(value, bool)


def overlap(a: Object, b: Object) -> float:
    """Intersection over union of the two shapes; 0 where their types differ."""
    if type(a.shape) is not type(b.shape):
        return 0.0
    return float(SHAPES[type(a.shape)].overlap(a.shape, b.shape))


def pairs(a: ObjectsLabel, b: ObjectsLabel, *, by_class: bool = True) -> list[tuple[int, int, float]]:
    """The best one-to-one pairing: (index in a, index in b, IoU), of objects of one class unless told otherwise."""

    def score(i: int, j: int) -> float:
        first, second = a.objects[i], b.objects[j]
        return 0.0 if by_class and first.cls != second.cls else overlap(first, second)

    return match(bounds_of(a.objects), bounds_of(b.objects), score)


def bounds_of(objects: Sequence[Object]) -> NDArray[np.float64]:
    """(n, 4) float64 of x0, y0, x1, y1 in px, for objects of any shapes."""
    out = np.empty((len(objects), 4), dtype=np.float64)
    for kind, module in SHAPES.items():
        rows = [row for row, thing in enumerate(objects) if type(thing.shape) is kind]
        if rows:
            out[rows] = module.bounds([objects[row].shape for row in rows])
    return out


def distance(a: ObjectsLabel, b: ObjectsLabel) -> float:
    """1 - 2 S / (|a| + |b|), S = the sum of IoU over the best one-to-one pairing within classes.

    A Dice distance that gives a pair the credit of its overlap; 0 for two empty labels.
    """
    total = len(a.objects) + len(b.objects)
    if not total:
        return 0.0
    return max(0.0, 1.0 - 2.0 * sum(iou for _, _, iou in pairs(a, b)) / total)


def same(a: ObjectsLabel, b: ObjectsLabel) -> bool:
    """Each object has its one counterpart of the same class and attributes with an IoU of SAME_IOU or more."""
    if len(a.objects) != len(b.objects):
        return False
    found = pairs(a, b)
    return len(found) == len(a.objects) and all(
        iou >= SAME_IOU and a.objects[i].attributes == b.objects[j].attributes for i, j, iou in found
    )


def _wrong(code: str, detail: str, place: str, remedy: str) -> Problem:
    return invalid(code, detail, place=place, remedy=remedy)
