"""The language of labels. Pure: no database, no HTTP."""

from __future__ import annotations

from cupola.labels.base import (
    answers_of,
    apart,
    classes_of,
    code_of,
    decode_label,
    distance,
    encode,
    files_of,
    is_one,
    json_schema,
    kind_of,
    label_from,
    label_from_plain,
    label_meant,
    label_of,
    merge,
    same,
    strategy_of,
    things_of,
    tracked_in,
    unit_kind,
    units,
    validate,
    validate_alone,
    words,
)
from cupola.labels.facts import ItemFacts
from cupola.labels.fitting import Fitted, fitting
from cupola.labels.kind import LabelKind, Thing, Unit
from cupola.labels.kinds import KINDS
from cupola.labels.kinds.choice import ChoiceLabel
from cupola.labels.kinds.form import FormLabel
from cupola.labels.kinds.objects import Object, ObjectsLabel
from cupola.labels.kinds.text import TextLabel
from cupola.labels.kinds.tracks import Course, Keyframe, Track, TracksLabel, VideoEvent, horizon_of
from cupola.labels.label import Label
from cupola.labels.ontology import Ontology
from cupola.labels.shapes import SHAPES
from cupola.labels.shapes.box import Box
from cupola.labels.shapes.ellipse import Ellipse
from cupola.labels.shapes.mask import Mask
from cupola.labels.shapes.point import Point
from cupola.labels.shapes.polygon import Polygon
from cupola.labels.shapes.polyline import Polyline
from cupola.labels.shapes.skeleton import Skeleton
from cupola.labels.spec import decode_ontology, encode_ontology

__all__ = [
    "KINDS",
    "SHAPES",
    "Box",
    "ChoiceLabel",
    "Course",
    "Ellipse",
    "Fitted",
    "FormLabel",
    "ItemFacts",
    "Keyframe",
    "Label",
    "LabelKind",
    "Mask",
    "Object",
    "ObjectsLabel",
    "Ontology",
    "Point",
    "Polygon",
    "Polyline",
    "Skeleton",
    "TextLabel",
    "Thing",
    "Track",
    "TracksLabel",
    "Unit",
    "VideoEvent",
    "answers_of",
    "apart",
    "classes_of",
    "code_of",
    "decode_label",
    "decode_ontology",
    "distance",
    "encode",
    "encode_ontology",
    "files_of",
    "fitting",
    "horizon_of",
    "is_one",
    "json_schema",
    "kind_of",
    "label_from",
    "label_from_plain",
    "label_meant",
    "label_of",
    "merge",
    "same",
    "strategy_of",
    "things_of",
    "tracked_in",
    "unit_kind",
    "units",
    "validate",
    "validate_alone",
    "words",
]
