"""The language of labels: one tagged union, and the verbs that every kind knows.

The tag is "kind" for labels and "type" for shapes. The verbs take the ontology that a label was made for; labels given
to `distance`, `same` and `merge` have been validated.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.labels.facts import UNKNOWN, ItemFacts
from cupola.labels.kind import LabelKind, Thing, Unit
from cupola.labels.kinds import KINDS
from cupola.labels.kinds.tracks import TracksLabel
from cupola.labels.label import Label
from cupola.labels.ontology import Answer, FileAnswer, Ontology
from cupola.labels.places import problem_from_msgspec

AnyLabel: Any = functools.reduce(operator.or_, (kind.label for kind in KINDS.values()))
_decoder: msgspec.json.Decoder[Label] = msgspec.json.Decoder(AnyLabel)
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
        found: Label = msgspec.convert(value, AnyLabel)
    except msgspec.ValidationError as error:
        raise problem_from_msgspec(error, "label-malformed", "label") from None
    return found


def encode(label: Label) -> bytes:
    """JSON bytes; equal labels give equal bytes."""
    return _encoder.encode(label)


def label_from_plain(said: str | Sequence[str], kind: str | None = None) -> Label | None:
    """The label that a bare text or list in a table means, where it means one of this kind.

    Where no kind is known yet it is the one that its row of the table puts first: a class, or several.
    """
    row = KINDS.get(kind) if kind is not None else next(one for one in KINDS.values() if one.plain_first)
    return row.from_plain(said) if row is not None else None


def label_meant(label: Label, ontology: Ontology) -> Label:
    """What a label of a manifest means to a project: a bare value there was read as a class before anybody knew that
    its project asks for a text. Any other label is what it is."""
    first = KINDS[label.kind]
    if label.kind == ontology.kind or not first.plain_first:
        return label
    return label_from_plain(first.to_plain(label), ontology.kind) or label


def kind_of(ontology: Ontology) -> LabelKind[Any]:
    """The row of the table that an ontology's labels belong to."""
    return KINDS[ontology.kind]


def strategy_of(ontology: Ontology) -> str:
    """The name of the strategy that settles labels of this ontology."""
    return kind_of(ontology).strategy(ontology)


def validate(label: Label, ontology: Ontology, facts: ItemFacts = UNKNOWN) -> None:
    """Check a label against its ontology and what is known of its item.

    Raises Problem (INVALID) with a code, the place as a JSON pointer, and a remedy.
    """
    if label.kind != ontology.kind:
        raise invalid(
            "label-wrong-kind",
            f"This ontology asks for {ontology.kind!r}, the label is {label.kind!r}.",
            place="/kind",
            remedy=f"Send a label of the kind {ontology.kind!r}.",
        )
    kind_of(ontology).validate(label, ontology, facts)


def validate_alone(label: Label, facts: ItemFacts = UNKNOWN) -> None:
    """The part of `validate` that needs no ontology: shapes are finite, not empty, and within the image.

    Raises Problem (INVALID).
    """
    KINDS[label.kind].validate_alone(label, facts)


def code_of(label: Label, ontology: Ontology) -> int | None:
    """The class's position for a single choice: what the quality engine counts. None for every other label."""
    return KINDS[label.kind].code_of(label, ontology)


def label_of(code: int, ontology: Ontology) -> Label:
    """The single choice with that position: the way back from `code_of`."""
    found: Label = kind_of(ontology).label_of(code, ontology)
    return found


def distance(a: Label, b: Label, ontology: Ontology) -> float:
    """How far apart two labels of one item are, in [0, 1]; 1 where their kinds differ."""
    return KINDS[a.kind].distance(a, b, ontology) if a.kind == b.kind else 1.0


def same(a: Label, b: Label, ontology: Ontology) -> bool:
    """Do two labels say the same? Sets of values; text but for white space; objects one to one, as alike as their
    shapes ask for."""
    return a.kind == b.kind and KINDS[a.kind].same(a, b, ontology)


def merge(labels: Sequence[Label], weights: Sequence[float], ontology: Ontology) -> Label:
    """What several people's labels say together. `weights`: one for each, >= 0; all 0 counts as all equal.

    Raises ValueError for no labels or for kinds that are not the ontology's.
    """
    if not labels or len(labels) != len(weights) or any(weight < 0 for weight in weights):
        raise ValueError("merge needs labels and as many weights, none below 0")
    if any(label.kind != ontology.kind for label in labels):
        raise ValueError(f"only labels of the kind {ontology.kind!r} can be merged here")
    heard = list(weights) if sum(weights) > 0 else [1.0] * len(labels)
    found: Label = kind_of(ontology).merge(labels, heard, ontology)
    return found


def units(label: Label, ontology: Ontology) -> list[Unit[Any]]:
    """What of a label can be right or wrong by itself."""
    return KINDS[label.kind].units(label, ontology)


def unit_kind(ontology: Ontology) -> str:
    """What one unit of a label is: a choice, an object, a text."""
    return kind_of(ontology).unit


def is_one(ontology: Ontology) -> bool:
    """Whether every label of this ontology is one unit."""
    return kind_of(ontology).is_one(ontology)


def apart(a: Label, b: Label, ontology: Ontology) -> tuple[list[str], list[str]]:
    """The names of the units of a without a counterpart in b, and of those of b without one in a."""
    return kind_of(ontology).apart(a, b, ontology)


def words(label: Label, ontology: Ontology) -> str:
    """A label in a few words, for lists and dashboards."""
    return KINDS[label.kind].words(label, ontology)


def classes_of(label: Label) -> Sequence[str]:
    """The classes that a label says of its item as a whole."""
    return KINDS[label.kind].classes_of(label)


def answers_of(label: Label) -> Mapping[str, Answer]:
    """What a label answers to the questions about its item as a whole, by their names."""
    return KINDS[label.kind].answers_of(label)


def files_of(label: Label) -> Iterator[tuple[str, FileAnswer]]:
    """(place as a JSON pointer, file) of each file that the label names."""
    return KINDS[label.kind].files_of(label)


def tracked_in(label: Label) -> TracksLabel | None:
    """What a label says of the frames of a video; None where its kind says nothing of them."""
    found: TracksLabel | None = KINDS[label.kind].tracked_in(label)
    return found


def things_of(label: Label) -> Sequence[Thing]:
    """The things that a label places in its item."""
    return KINDS[label.kind].things_of(label)


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every label there is."""
    return msgspec.json.schema(AnyLabel)
