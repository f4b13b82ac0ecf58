"""The language of labels. Pure: no database, no HTTP."""

from __future__ import annotations

from cupola.labels.base import (
    Label,
    code_of,
    decode_label,
    distance,
    encode,
    json_schema,
    label_from,
    label_of,
    merge,
    same,
    validate,
    validate_shapes,
)
from cupola.labels.kinds.box import Box
from cupola.labels.kinds.choice import ChoiceLabel
from cupola.labels.kinds.objects import Object, ObjectsLabel
from cupola.labels.kinds.text import TextLabel
from cupola.labels.ontology import Ontology, decode_ontology, encode_ontology

__all__ = [
    "Box",
    "ChoiceLabel",
    "Label",
    "Object",
    "ObjectsLabel",
    "Ontology",
    "TextLabel",
    "code_of",
    "decode_label",
    "decode_ontology",
    "distance",
    "encode",
    "encode_ontology",
    "json_schema",
    "label_from",
    "label_of",
    "merge",
    "same",
    "validate",
    "validate_shapes",
]
