"""What importers give: things found, and things refused with the reason; and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from uuid import UUID

import msgspec

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.labels import Label
from cupola.platform.blobs import Blobs
from cupola.platform.net import Guard

Read = Callable[[], bytes]

# What operating systems leave behind; nobody means to import it, so it is passed over in silence.
CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX", ".git"})
MANIFESTS = ("manifest.jsonl", "manifest.csv", "manifest.parquet")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing to import: exactly one of `read` (its bytes), `url`, `text`.

    ref: the name it is known by in its dataset; place: where it stands in the source, for people; cursor: the same for
    the importer, which goes on behind it when it is given back.
    """

    ref: str
    place: str
    cursor: str
    read: Read | None = None
    url: str | None = None
    text: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    pre_label: Label | None = None
    gold_label: Label | None = None
    eligible: tuple[UUID, ...] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing that is not imported, and why. `reason` is a stable word."""

    ref: str
    place: str
    cursor: str
    reason: str
    detail: str
    remedy: str


Entry = Found | Refused


@dataclass(frozen=True, slots=True)
class Context:
    """What an importer may use. `roots`: folders of this machine that the operator opened to imports.

    open_files: what must stay open until everything found has been read, which is later than the importer's own end.
    """

    tenant: UUID
    blobs: Blobs
    guard: Guard
    roots: tuple[Path, ...] = ()
    open_files: ExitStack = field(default_factory=ExitStack)


class Importer(Protocol):
    """A source type: a function that yields what it finds, in an order that is the same each time, lazily.

    `cursor` None begins at the beginning, otherwise right after the entry that had this cursor. It may raise Problem
    when the source as a whole cannot be used; a single bad entry is a `Refused`.
    """

    def __call__(self, source: Mapping[str, Any], context: Context, cursor: str | None) -> Iterator[Entry]: ...


class ManifestLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a manifest."""

    ref: str | None = None
    url: str | None = None
    path: str | None = None
    text: str | None = None
    metadata: dict[str, Any] = {}
    pre_label: Label | None = None
    gold_label: Label | None = None
    eligible: tuple[UUID, ...] | None = None


def refused(problem: Problem, ref: str, place: str, cursor: str) -> Refused:
    """A Problem about one entry as its refusal."""
    detail = f"{problem.detail} (at {problem.place})" if problem.place else problem.detail
    return Refused(ref[: limits.MAX_REF_CHARS], place, cursor, problem.code, detail, problem.remedy)


def check_ref(ref: str) -> str:
    """A reference that can be stored. Raises Problem (INVALID)."""
    if not ref or len(ref) > limits.MAX_REF_CHARS or "\0" in ref or not ref.isprintable():
        raise invalid(
            "ref-invalid",
            f"A reference has 1 to {limits.MAX_REF_CHARS} printable characters.",
            remedy="Give it a short, visible name.",
        )
    return ref


def safe_path(text: str) -> str:
    """A relative path that stays where it is, in normal form. Raises Problem (INVALID) code "path-traversal"."""
    path = PurePosixPath(text)
    outside = (
        path.is_absolute() or ".." in path.parts or "\\" in text or "\0" in text or (len(text) > 1 and text[1] == ":")
    )
    if outside or not path.parts:
        raise invalid(
            "path-traversal",
            f"The path {text[:200]!r} leads out of its folder.",
            remedy="Use a relative path with forward slashes and without '..'.",
        )
    return str(path)


def too_large(size_bytes: int, most_bytes: int) -> Problem:
    return Problem(
        Kind.TOO_LARGE,
        "too-large",
        f"It has {size_bytes} bytes; at most {most_bytes} are taken.",
        remedy="Make it smaller or split it.",
    )


def is_clutter(parts: tuple[str, ...]) -> bool:
    return any(part in CLUTTER or part.startswith("._") for part in parts)
