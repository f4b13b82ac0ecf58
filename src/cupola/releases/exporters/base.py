"""What an exporter is given and gives: rows in, a stream of bytes out, at constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, get_args
from uuid import UUID

from cupola.formats.report import Report
from cupola.labels import Ontology
from cupola.labels.kind import Made
from cupola.labels.kinds import KINDS
from cupola.labels.shapes import SHAPES


class Row(Protocol):
    """One released item. label: the settled label as JSON; asset: SHA-256 of its picture, or `url`, or `body` (text).

    width_px, height_px: of the picture as shown. judgements: those that the settlement used. parts: what it is made of,
    where that is more than one thing (`exporters.parts` reads it). units: the confidence of each unit of a label that
    has several, by its name.
    """

    @property
    def position(self) -> int: ...
    @property
    def task(self) -> UUID: ...
    @property
    def ref(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def how(self) -> str: ...
    @property
    def settlement(self) -> UUID: ...
    @property
    def judgements(self) -> Sequence[UUID]: ...
    @property
    def units(self) -> Mapping[str, float] | None: ...
    @property
    def asset(self) -> bytes | None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def body(self) -> str | None: ...
    @property
    def media_type(self) -> str: ...
    @property
    def width_px(self) -> int | None: ...
    @property
    def height_px(self) -> int | None: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...
    @property
    def parts(self) -> str | None: ...


Rows = AsyncIterator[Sequence[Row]]


@dataclass(frozen=True, slots=True)
class About:
    """What the rows belong to. open_asset: the bytes of a picture by its SHA-256, in parts. report:
    what the format could not hold is counted there."""

    release: UUID
    name: str
    licence: str
    ontology: Ontology
    created_at: datetime
    open_asset: Callable[[bytes], AsyncIterator[bytes]]
    report: Report = field(default_factory=Report)


@dataclass(frozen=True, slots=True)
class Export:
    """A file in the making. `extension` is without the dot."""

    extension: str
    media_type: str
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Records:
    """For a format whose files loaders read as records, with the members of `jsonl.Line`.

    encoding: the name that loaders know such files by, which is not that of the registry of media types. without:
    members that are not there, or not of one type.
    """

    encoding: str
    without: frozenset[str] = frozenset()


def questions_of(ontology: Ontology) -> set[str]:
    """What a form asks, in the words of `Format.asks`: the types of its questions, "choice@step" where there is a scope
    ("choice" too), "criterion" where one has points, "rewrite" where a text begins as what was said."""
    found: set[str] = set()
    for spec in ontology.attributes:
        found |= {spec.type, f"{spec.type}@{spec.scope}"} if spec.scope else {spec.type}
        found |= {"criterion"} if spec.weight is not None else set()
        found |= {"rewrite"} if spec.rewrites else set()
    return found


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what it is called, what it can hold, and how rows become its bytes.

    about: {language: what it is for}. extension: of its file, without the dot. holds: what the labels may be made of
    (`LabelKind.made_of`); another kind is refused. areas: of things, it holds only those that cover something, and
    leaves out what has only places. lines: whether it holds lines. several: whether an item may have several choices.
    records: where its files are read as records. only_shapes: those of which its files say something, where `areas` and
    `lines` do not tell it. asks: what it is made of, one of which a form must ask (`questions_of`); empty: anything.
    """

    title: str
    about: Mapping[str, str]
    extension: str
    media_type: str
    write: Callable[[Rows, About], AsyncIterator[bytes]]
    holds: frozenset[Made] = frozenset(get_args(Made))
    areas: bool = False
    lines: bool = True
    several: bool = True
    records: Records | None = None
    only_shapes: tuple[str, ...] | None = None
    asks: tuple[str, ...] = ()

    @property
    def kinds(self) -> list[str]:
        """The kinds of label that it holds."""
        return [name for name, kind in KINDS.items() if kind.made_of in self.holds]

    @property
    def shapes(self) -> list[str]:
        """The shapes of objects that it holds: of others the file says nothing."""
        if not self.holds & {"things", "tracks"}:
            return []
        if self.only_shapes is not None:
            return list(self.only_shapes)
        without = {"place", "keypoints", "line"} if self.areas else set() if self.lines else {"line"}
        return [name for name, shape in SHAPES.items() if shape.extent not in without]

    def refusal(self, ontology: Ontology) -> str:
        """Why it cannot hold this ontology's labels, or nothing."""
        if ontology.kind not in self.kinds:
            return f"its labels are of the kind {ontology.kind}, and the format holds {' and '.join(self.kinds)}."
        if ontology.multiple and not self.several:
            return "an item may have several choices, and the format holds one."
        if self.asks and KINDS[ontology.kind].made_of == "answers" and not questions_of(ontology) & set(self.asks):
            return f"nothing of what it is made of is asked: {', '.join(self.asks)}."
        return ""

    def __call__(self, rows: Rows, about: About) -> Export:
        """The file of these rows, whose labels it holds (`refusal`)."""
        return Export(self.extension, self.media_type, self.write(rows, about))
