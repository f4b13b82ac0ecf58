"""What an exporter is given and gives: rows in, a stream of bytes out, at constant memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from cupola.kernel.errors import Kind, Problem
from cupola.labels import Ontology


class Row(Protocol):
    """One released item. label: the settled label as JSON; asset: SHA-256 of its picture, or `url`, or `body` (text).

    width_px, height_px: of the picture as shown. judgements: those that the settlement used.
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


Rows = AsyncIterator[Sequence[Row]]


@dataclass(frozen=True, slots=True)
class About:
    """What the rows belong to. open_asset: the bytes of a picture by its SHA-256, in parts."""

    release: UUID
    name: str
    licence: str
    ontology: Ontology
    created_at: datetime
    open_asset: Callable[[bytes], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Export:
    """A file in the making. `extension` is without the dot."""

    extension: str
    media_type: str
    chunks: AsyncIterator[bytes]


class Exporter(Protocol):
    """A format. Raises Problem (UNSUPPORTED) at once for a kind of label that it cannot hold."""

    def __call__(self, rows: Rows, about: About) -> Export: ...


def unsupported(form: str, why: str) -> Problem:
    """The refusal of a kind of label."""
    return Problem(
        Kind.UNSUPPORTED,
        "export-kind",
        f"{form} cannot hold this release: {why}",
        remedy="Export it as jsonl or parquet, which hold every kind.",
    )
