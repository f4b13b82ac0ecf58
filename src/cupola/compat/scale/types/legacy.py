"""The older types with one geometry each: annotation (boxes), polygon-, line-, point-, cuboid- and laneannotation."""

from __future__ import annotations

from collections.abc import Callable

from cupola.compat.scale.types.base import Json, Making, TaskType
from cupola.compat.scale.types.check import Fields, attachment
from cupola.compat.scale.types.image import example, example_attributes, hypothesis, making_drawn
from cupola.compat.scale.types.image_drawn import GEOMETRIES, Drawn
from cupola.compat.scale.types.labelling import attributes, labels

_KINDS = {
    "annotation": "box",
    "polygonannotation": "polygon",
    "lineannotation": "line",
    "pointannotation": "point",
    "cuboidannotation": "cuboid",
    "laneannotation": "line",
}


def _check(kind: str) -> Callable[[Fields], list[str]]:
    def check(fields: Fields) -> list[str]:
        found = attachment(fields)
        assert found is not None
        classes = labels(fields, "objects_to_annotate")
        attributes(fields, classes)
        hypothesis(fields, {kind: classes})
        fields.flag("with_labels")
        for size in ("min_width", "min_height"):
            fields.number(size, 0, 1_000_000)
        return [found]

    return check


def _canned(kind: str) -> Callable[[Json], Json]:
    def canned(params: Json) -> Json:
        fields = Fields(params)
        classes = labels(fields, "objects_to_annotate")
        return {"annotations": [example(kind, classes[0], fields, example_attributes(fields, classes, classes[0]))]}

    return canned


def _making(kind: str) -> Callable[[Json, str], Making | None]:
    def making(params: Json, guidelines: str) -> Making | None:
        if kind not in GEOMETRIES:
            return None
        drawn = [Drawn.of(kind, Fields(params))]
        return making_drawn(params, guidelines, drawn, lambda made: {"annotations": made})

    return making


LEGACY = tuple(TaskType(name, _check(kind), _canned(kind), _making(kind)) for name, kind in _KINDS.items())
