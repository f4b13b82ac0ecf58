from __future__ import annotations

import json
from typing import Any

import pytest

from cupola.kernel.errors import Kind, Problem
from cupola.labels import decode_ontology, encode_ontology

CHOICE: dict[str, Any] = {"kind": "choice", "classes": [{"name": "cat"}, {"name": "dog"}]}


def test_an_ontology_reads_back_as_it_was_written() -> None:
    source = {
        "kind": "objects",
        "classes": [{"name": "car", "title": {"en": "Car", "zh": "汽车"}, "colour": "#ff0000", "geometry": "box"}],
        "attributes": [
            {"name": "parked", "type": "bool", "required": True},
            {
                "name": "by",
                "type": "choice",
                "options": ["kerb", "drive"],
                "when": {"attribute": "parked", "equals": True},
            },
        ],
    }
    ontology = decode_ontology(source)
    assert json.loads(encode_ontology(ontology)) == source
    assert decode_ontology(encode_ontology(ontology)) == ontology
    assert ontology.class_index == {"car": 0}
    assert list(ontology.attributes_of["car"]) == ["parked", "by"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"classes": []}, "/classes"),
        ({"classes": [{"name": "a"}, {"name": "a"}]}, "/classes/1/name"),
        ({"classes": [{"name": " "}]}, "/classes/0/name"),
        ({"classes": [{"name": "a\0"}]}, "/classes/0/name"),
        ({"classes": [{"name": "a\ud800"}]}, "/classes/0/name"),
        ({"classes": [{"name": "a", "colour": "red"}]}, "/classes/0/colour"),
        ({"classes": [{"name": "a", "geometry": "box"}]}, "/classes/0/geometry"),
        ({"classes": [{"name": 3}]}, "/classes/0/name"),
        ({"classes": [{"name": "a", "colr": "#000000"}]}, "/classes/0"),
        ({"kind": "dance"}, "/kind"),
        ({"text": {"max_chars": 3}}, "/text"),
        ({"attributes": [{"name": "x", "type": "bool"}]}, "/attributes"),
        ({"kind": "objects", "multiple": True}, "/multiple"),
        ({"kind": "objects", "attributes": [{"name": "x", "type": "choice"}]}, "/attributes/0/options"),
        ({"kind": "objects", "attributes": [{"name": "x", "type": "bool", "options": ["a"]}]}, "/attributes/0/options"),
        (
            {"kind": "objects", "attributes": [{"name": "x", "type": "bool", "classes": ["cow"]}]},
            "/attributes/0/classes/0",
        ),
        (
            {
                "kind": "objects",
                "attributes": [{"name": "x", "type": "bool", "when": {"attribute": "x", "equals": True}}],
            },
            "/attributes/0/when/attribute",
        ),
        (
            {
                "kind": "objects",
                "attributes": [
                    {"name": "y", "type": "bool"},
                    {"name": "x", "type": "bool", "when": {"attribute": "y", "equals": "yes"}},
                ],
            },
            "/attributes/1/when/equals",
        ),
        ({"kind": "text", "classes": [], "text": {"min_chars": 9, "max_chars": 3}}, "/text/min_chars"),
        ({"kind": "text", "classes": [], "text": {"pattern": "(a"}}, "/text/pattern"),
        ({"kind": "text", "classes": [], "text": {"pattern": r"(a)\1"}}, "/text/pattern"),
    ],
)
def test_a_wrong_ontology_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(Problem) as caught:
        decode_ontology({**CHOICE, **change})
    assert caught.value.kind is Kind.INVALID
    assert caught.value.place == place
    assert caught.value.remedy


@pytest.mark.parametrize("source", [b"", b"{", b"[]", b"\xff", b"null", b'{"kind": "choice"'])
def test_bytes_that_are_no_ontology_are_refused(source: bytes) -> None:
    with pytest.raises(Problem) as caught:
        decode_ontology(source)
    assert caught.value.code == "ontology-malformed"
