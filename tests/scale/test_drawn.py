"""A client's geometries and our shapes are each other's: there and back nothing moves."""

from __future__ import annotations

from typing import Any

import pytest

from cupola.compat.scale.types import image
from cupola.compat.scale.types.check import Fields
from cupola.compat.scale.types.image_drawn import GEOMETRIES, Drawn, thing_from, thing_to
from cupola.compat.scale.types.labelling import attributes
from cupola.labels.ontology import Ontology
from cupola.labels.spec import decode_ontology

SHAPES: dict[str, dict[str, Any]] = {
    "box": {"type": "box", "x": 1.0, "y": 2.0, "w": 30.0, "h": 10.0, "rotation_rad": 0.25},
    "polygon": {
        "type": "polygon",
        "points": [[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]],
        "holes": [[[6.0, 1.0], [7.0, 1.0], [7.0, 2.0]]],
        "parts": [{"points": [[20.0, 0.0], [29.0, 0.0], [29.0, 9.0]]}],
    },
    "line": {"type": "polyline", "points": [[1.5, 2.5], [30.0, 4.0]]},
    "point": {"type": "point", "x": 3.0, "y": 4.5},
    "ellipse": {"type": "ellipse", "x": 40.0, "y": 30.0, "rx": 10.0, "ry": 5.0, "rotation_rad": 0.5},
}
NOTHING = attributes(Fields({}), ["thing"])


@pytest.mark.parametrize("name", GEOMETRIES)
def test_a_shape_comes_back_from_the_clients_form_as_it_went(name: str) -> None:
    drawn = Drawn.of(name, Fields({"objects_to_annotate": ["thing"], "can_rotate": True}))
    assert decode_ontology({"kind": "objects", "classes": drawn.specs()}) == decode_ontology(
        {"kind": "objects", "classes": [{"name": "thing", "geometry": GEOMETRIES[name].shape}]}
    )
    sent = thing_to({"id": "o0", "cls": "thing", "shape": SHAPES[name]}, "seed")
    assert (sent["type"], sent["label"]) == (name, "thing")
    image.check_response(Fields({"annotations": [sent]}), {name: ["thing"]})
    back = thing_from(sent, 0, NOTHING, [drawn])["shape"]
    assert back.keys() == SHAPES[name].keys()
    for member, value in SHAPES[name].items():
        assert back[member] == (pytest.approx(value) if isinstance(value, float) else value), member


def test_how_many_corners_are_asked_for_is_held_by_the_class() -> None:
    params = {
        "attachment": "https://example.com/a.png",
        "geometries": {"polygon": {"objects_to_annotate": ["lake"], "min_vertices": 4, "max_vertices": 9_000}},
    }
    made = image.making(params, "")
    assert made is not None
    ontology: Ontology = decode_ontology(made.work.spec)
    assert (ontology.classes[0].min_points, ontology.classes[0].max_points) == (4, 2_000)
