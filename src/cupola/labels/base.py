"""The language of labels: one tagged union, and the verbs that every kind knows.

The tag is "kind" for labels and "type" for shapes. The verbs take the ontology that a label was made for; labels given
to `distance`, `same` and `merge` have been validated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.labels.kinds import choice, merging, objects, text
from cupola.labels.kinds.choice import ChoiceLabel
from cupola.labels.kinds.objects import ObjectsLabel
from cupola.labels.kinds.text import TextLabel
from cupola.labels.ontology import Ontology
from cupola.labels.places import problem_from_msgspec

Label = ChoiceLabel | TextLabel | ObjectsLabel

_decoder: msgspec.json.Decoder[Label] = msgspec.json.Decoder(Label)
_encoder = msgspec.json.Encoder()


def decode_label(source: bytes | str) -> Label:
    """Read one label from JSON. Raises Problem: TOO_LARGE, or INVALID with the place as a JSON pointer."""
    if len(source) > limits.MAX_LABEL_BYTES:
        raise Problem(
            Kind.TOO_LARGE,
            "label-too-large",
            f"The label has {len(source)} bytes; at most {limits.MAX_LABEL_BYTES} are taken.",
            remedy="Send fewer or simpler objects.",
        )
    try:
        return _decoder.decode(source)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise problem_from_msgspec(error, "label-malformed", "label") from None


def label_from(value: Any) -> Label:
    """The same for JSON that has been decoded already (a mapping inside a larger document)."""
    try:
        found: Label = msgspec.convert(value, Label)
    except msgspec.ValidationError as error:
        raise problem_from_msgspec(error, "label-malformed", "label") from None
    return found


def encode(label: Label) -> bytes:
    """JSON bytes; equal labels give equal bytes."""
    return _encoder.encode(label)


def validate(label: Label, ontology: Ontology, *, width_px: int | None = None, height_px: int | None = None) -> None:
    """Check a label against its ontology and, where the size is given, the image.

    Raises Problem (INVALID) with a code, the place as a JSON pointer, and a remedy.
    """
    if isinstance(label, ChoiceLabel) and ontology.kind == "choice":
        choice.validate(label, ontology)
    elif isinstance(label, TextLabel) and ontology.kind == "text":
        text.validate(label, ontology)
    elif isinstance(label, ObjectsLabel) and ontology.kind == "objects":
        objects.validate(label, ontology, width_px, height_px)
    else:
        raise invalid(
            "label-wrong-kind",
            f"This ontology asks for {ontology.kind!r}, the label is {label.__struct_config__.tag!r}.",
            place="/kind",
            remedy=f"Send a label of the kind {ontology.kind!r}.",
        )


def validate_shapes(label: Label, *, width_px: int | None = None, height_px: int | None = None) -> None:
    """The part of `validate` that needs no ontology: shapes are finite, not empty, and within the image.

    Raises Problem (INVALID).
    """
    if isinstance(label, ObjectsLabel):
        objects.validate_shapes(label, width_px, height_px)


def code_of(label: Label, ontology: Ontology) -> int | None:
    """The class's position for a single choice: what the quality engine counts. None for every other label."""
    return choice.code_of(label, ontology) if isinstance(label, ChoiceLabel) else None


def label_of(code: int, ontology: Ontology) -> Label:
    """The single choice with that position: the way back from `code_of`."""
    return ChoiceLabel([ontology.classes[code].name])


def distance(a: Label, b: Label, ontology: Ontology) -> float:
    """How far apart two labels of one item are, in [0, 1]; 1 where their kinds differ."""
    if isinstance(a, ChoiceLabel) and isinstance(b, ChoiceLabel):
        return choice.distance(a, b)
    if isinstance(a, TextLabel) and isinstance(b, TextLabel):
        return text.distance(a, b)
    if isinstance(a, ObjectsLabel) and isinstance(b, ObjectsLabel):
        return objects.distance(a, b)
    return 1.0


def same(a: Label, b: Label, ontology: Ontology) -> bool:
    """Do two labels say the same? Sets of values; text but for white space; objects one to one at IoU >= 0.5."""
    if isinstance(a, ChoiceLabel) and isinstance(b, ChoiceLabel):
        return choice.same(a, b)
    if isinstance(a, TextLabel) and isinstance(b, TextLabel):
        return text.same(a, b)
    if isinstance(a, ObjectsLabel) and isinstance(b, ObjectsLabel):
        return objects.same(a, b)
    return False


def merge(labels: Sequence[Label], weights: Sequence[float], ontology: Ontology) -> Label:
    """What several people's labels say together. `weights`: one for each, >= 0; all 0 counts as all equal.

    Raises ValueError for no labels or for kinds that are not the ontology's.
    """
    if not labels or len(labels) != len(weights) or any(weight < 0 for weight in weights):
        raise ValueError("merge needs labels and as many weights, none below 0")
    heard = list(weights) if sum(weights) > 0 else [1.0] * len(labels)
    choices = [label for label in labels if isinstance(label, ChoiceLabel)]
    texts = [label for label in labels if isinstance(label, TextLabel)]
    drawn = [label for label in labels if isinstance(label, ObjectsLabel)]
    match ontology.kind:
        case "choice" if len(choices) == len(labels):
            return choice.merge(choices, heard, ontology)
        case "text" if len(texts) == len(labels):
            return text.merge(texts, heard)
        case "objects" if len(drawn) == len(labels):
            return merging.merge(drawn, heard, ontology)
        case _:
            raise ValueError(f"only labels of the kind {ontology.kind!r} can be merged here")


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every label there is."""
    return msgspec.json.schema(Label)
