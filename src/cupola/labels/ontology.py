"""What may be said about an item: classes, attributes with conditions, limits on text.

An ontology is data. It is decoded and checked once (`spec.decode_ontology`) and is immutable afterwards; every
judgement is valid against exactly one version of it.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import msgspec

from cupola.kernel import limits

AttributeType = Literal[
    "choice", "multi", "text", "number", "bool", "ranking", "file", "rows", "scale", "preference", "groups", "spans"
]
# asked of an item as a whole or of what is said in it, never of an object
IN_FORMS = frozenset({"ranking", "file", "rows", "scale", "preference", "groups", "spans"})
Scope = Literal["message", "turn", "candidate", "step"]
SCOPED = frozenset({"choice", "multi", "text", "number", "bool", "scale", "spans"})  # types that can have a scope
FAMILIES = ("image", "pdf", "text", "audio", "video", "archive")  # of files that people hand in
AttributeValue = str | bool | int | float | list[str]


_OTHERWISE = {"application/pdf": "pdf", "application/zip": "archive"}


def family_of(media_type: str) -> str:
    """The family of files that a media type is of."""
    return _OTHERWISE.get(media_type, media_type.partition("/")[0])


class FileAnswer(msgspec.Struct, frozen=True, tag_field="type", tag="file", forbid_unknown_fields=True):
    """A file that somebody handed in: its name as they had it, and what its bytes were found to be."""

    sha256: str
    name: str
    media_type: str
    bytes: int


Cell = AttributeValue | FileAnswer


class Rows(msgspec.Struct, frozen=True, tag_field="type", tag="rows", forbid_unknown_fields=True):
    """The same questions answered as often as there was something to say: {question: value} each time, in order."""

    rows: list[dict[str, Cell]]


class Groups(msgspec.Struct, frozen=True, tag_field="type", tag="groups", forbid_unknown_fields=True):
    """An order with ties, best first: what stands in one group is as good."""

    groups: list[list[str]]


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Marked words: start and end as Unicode code points of the text, the end not in it."""

    start: int
    end: int
    label: str


class Relation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A directed relation of two spans, by their places in the list."""

    head: int
    tail: int
    label: str


class Spans(msgspec.Struct, frozen=True, tag_field="type", tag="spans", forbid_unknown_fields=True, omit_defaults=True):
    """Words marked in a text, which may nest and overlap, and how they relate."""

    spans: list[Span]
    relations: list[Relation] = []


class Each(msgspec.Struct, frozen=True, tag_field="type", tag="each", forbid_unknown_fields=True):
    """A question with a scope, answered of each: {its name in the item (m1, c2; turns t1, steps s1): value}."""

    values: dict[str, AttributeValue | Spans]


Answer = Cell | Rows | Groups | Spans | Each  # to a question of a form


class SkeletonPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named place of a thing. x, y: where it stands in the template, as shares of its width and height."""

    name: str
    x: float
    y: float
    title: dict[str, str] | None = None


class SkeletonSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The places of a thing in their order, which of them are joined (`edges`), and which change places when it is seen
    from behind (`symmetry`), both as pairs of names."""

    points: list[SkeletonPoint]
    edges: list[tuple[str, str]] = []
    symmetry: list[tuple[str, str]] = []


class ClassSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One class. `geometry` names a shape of the table in `shapes`, None: any shape may carry it; `title` is
    {language: words}. A box of it is at least so large, in px, and lies straight where `can_turn` is false. An outline
    or a line of it has `min_points` to `max_points` points. Two of it overlap by `max_overlap` at most, as their shape
    measures likeness (of what has an area, intersection over union). event: of a video, something that goes on from one
    frame to another, and is drawn nowhere."""

    name: str
    title: dict[str, str] | None = None
    colour: str | None = None
    geometry: str | None = None
    min_width_px: float = 0.0
    min_height_px: float = 0.0
    can_turn: bool = True
    skeleton: SkeletonSpec | None = None
    min_points: int = 0
    max_points: int | None = None
    max_overlap: float | None = None
    event: bool = False


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attribute is asked only when another one has this value, or one of these."""

    attribute: str
    equals: str | bool | list[str]


class AttributeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """A question: about each object of `classes` (None: of every class), or in a form about the whole item.

    options: of a ranking, what is put in order, all of it. least, most: bounds of a number, how many options of a multi
    attribute, or how many rows. columns: of rows, what each row is asked. accepts: families of files, such as "image";
    without them every type that is known. min_chars, max_chars and `pattern` (RE2
    syntax, must match the whole): of a text, which without an answer breaks none of them. scope: asked of each message,
    turn, candidate or step. least, most of a scale: its ends, whole numbers; of a preference between two candidates:
    how strong it is, 0 where neither is better, below 0 for the first. groups without options: of the candidates.
    options of spans: their labels; relations: of what holds between two. tolerance: numbers so near to each other
    agree. weight: points of a criterion of a rubric (a bool or a scale), below 0 for what should not be. rewrites: a
    text that begins as the words that it is asked of, or as the last reply of the conversation. mutable: of a track,
    answered anew at any of its keyframes; else once for the whole track.
    """

    name: str
    type: AttributeType
    title: dict[str, str] | None = None
    options: list[str] = []
    required: bool = False
    classes: list[str] | None = None
    when: Condition | None = None
    least: float | None = None
    most: float | None = None
    max_chars: int | None = None
    min_chars: int = 0
    pattern: str | None = None
    columns: list[AttributeSpec] = []
    accepts: list[str] = []
    scope: Scope | None = None
    relations: list[str] = []
    tolerance: float = 0.0
    weight: float | None = None
    rewrites: bool = False
    mutable: bool = False

    @cached_property
    def column_named(self) -> dict[str, AttributeSpec]:
        return {spec.name: spec for spec in self.columns}

    @cached_property
    def option_set(self) -> frozenset[str]:
        return frozenset(self.options)

    @cached_property
    def alone(self) -> AttributeSpec:
        """The same question of one thing."""
        return self if self.scope is None else msgspec.structs.replace(self, scope=None)


class TextSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits on free text, in characters; `pattern` (RE2 syntax) must match the whole text."""

    max_chars: int = limits.MAX_TEXT_CHARS
    min_chars: int = 0
    pattern: str | None = None


class Ontology(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True):
    """What a label may hold; `kind` names one of the table in `kinds`. Build it with `decode_ontology`, which checks it
    as a whole. at_least, at_most: how many classes may be chosen where several may. compare: an item shows two
    candidates, and the first class says that the first is better, the second that the second is; a third, neither."""

    kind: str
    classes: list[ClassSpec] = []
    multiple: bool = False
    compare: bool = False
    attributes: list[AttributeSpec] = []
    text: TextSpec | None = None
    at_least: int = 0
    at_most: int | None = None

    @cached_property
    def class_index(self) -> dict[str, int]:
        """Class name -> its position, which is the code that the quality engine uses."""
        return {spec.name: position for position, spec in enumerate(self.classes)}

    @cached_property
    def attributes_of(self) -> dict[str, dict[str, AttributeSpec]]:
        """Class name -> the attributes that may be asked of it, in the ontology's order."""
        return {
            spec.name: {a.name: a for a in self.attributes if a.classes is None or spec.name in a.classes}
            for spec in self.classes
        }

    @cached_property
    def attribute_named(self) -> dict[str, AttributeSpec]:
        """Attribute name -> the attribute, in the ontology's order."""
        return {spec.name: spec for spec in self.attributes}

    @cached_property
    def asks_files(self) -> bool:
        """Whether some question, or column of one, is answered by a file."""
        return any(spec.type == "file" for one in self.attributes for spec in (one, *one.columns))

    @cached_property
    def geometry_of(self) -> dict[str, str | None]:
        return {spec.name: spec.geometry for spec in self.classes}
