"""What importers give: things found, and things refused with the reason; and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from uuid import UUID

from cupola.kernel import limits
from cupola.kernel.errors import Problem, invalid
from cupola.kernel.words import breaks_a_line
from cupola.labels import Label
from cupola.platform.blobs import Blobs
from cupola.platform.net import Guard


@dataclass(frozen=True, slots=True)
class Opened:
    """A file's bytes as they come, and the media type that its source told, or nothing."""

    chunks: Iterable[bytes]
    announced: str = ""


# Opens what was found; chunks are read once, and reading may raise Problem.
Read = Callable[[], Opened]

# What operating systems leave behind; nobody means to import it, so it is passed over in silence.
CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX", ".git"})
_PLAIN = ("manifest.jsonl", "manifest.ndjson", "manifest.csv", "manifest.tsv", "manifest.parquet")
MANIFESTS = (*_PLAIN, *(f"{name}.gz" for name in _PLAIN))


@dataclass(frozen=True, slots=True)
class FoundPart:
    """One part of a thing to import: exactly one of `read` (its bytes), `url`, `text`; name: the file's own name.

    role, sensor: what it is in the item and what took it, in its owner's words; timestamp_ns: when it was taken.
    """

    read: Read | None = None
    url: str | None = None
    text: str | None = None
    name: str = ""
    role: str = ""
    sensor: str = ""
    timestamp_ns: int | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """One thing to import: exactly one of `read` (its bytes), `url`, `text`, `parts`.

    ref: the name it is known by in its dataset; place: where it stands in the source, for people; cursor: the same for
    the importer, which goes on behind it when it is given back; name: the file's own name, where the reference is
    another: it helps to tell what the file is.
    """

    ref: str
    place: str
    cursor: str
    read: Read | None = None
    url: str | None = None
    text: str | None = None
    parts: tuple[FoundPart, ...] = ()
    name: str = ""
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


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that was taken otherwise than it stood there, or passed over: told, and nothing is refused for it."""

    ref: str
    place: str
    cursor: str
    reason: str
    detail: str
    remedy: str


Entry = Found | Refused | Noted


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


def refused(problem: Problem, ref: str, place: str, cursor: str) -> Refused:
    """A Problem about one entry as its refusal."""
    detail = f"{problem.detail} (at {problem.place})" if problem.place else problem.detail
    return Refused(ref[: limits.MAX_REF_CHARS], place, cursor, problem.code, detail, problem.remedy)


def check_ref(ref: str) -> str:
    """A reference that can be stored and shown in a line: spaces and marks of any script are fine, controls are not.

    Raises Problem (INVALID).
    """
    if not ref.strip() or len(ref) > limits.MAX_REF_CHARS or any(map(breaks_a_line, ref)):
        raise invalid(
            "ref-invalid",
            f"A reference has 1 to {limits.MAX_REF_CHARS} characters, without line breaks or other controls.",
            remedy="Give it a short name in one line.",
        )
    return ref


def manifests_among(names: Iterable[str]) -> list[str]:
    """Which of these names are manifests', the one that counts first; in any case ("Manifest.CSV")."""
    order = {name: number for number, name in enumerate(MANIFESTS)}
    return sorted((name for name in names if name.lower() in order), key=lambda name: (order[name.lower()], name))


def passed_over(names: list[str], used: str) -> Iterator[Noted]:
    """A note for each manifest beside the one that is used."""
    for name in names:
        yield Noted(
            name,
            name,
            "",
            "manifest-second",
            f"{name!r} is passed over, because {used!r} says what is imported.",
            "Keep one manifest, or import the other by itself.",
        )


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


def spellings(text: str) -> list[str]:
    """The relative paths that a manifest may mean by a path: as it is written, without blanks at its ends (which stand
    behind a separator by habit), with the slashes of another system. Raises Problem (INVALID) code "path-traversal"."""
    found: list[str] = []
    for one in (text, text.strip(), text.replace("\\", "/"), text.strip().replace("\\", "/")):
        if "\\" not in one and one.strip():
            found.append(safe_path(one))
    return list(dict.fromkeys(found)) or [safe_path(text)]


def absent(path: str, names: Iterable[str]) -> Problem:
    """The refusal of a manifest's path that leads to no file. names: of the files that there are."""
    alike = next((name for name in names if name.casefold() == path.strip().replace("\\", "/").casefold()), None)
    return invalid(
        "file-absent",
        f"There is no file {path[:200]!r} beside the manifest" + (f", but there is {alike[:200]!r}." if alike else "."),
        remedy="Write it as the file is called." if alike else "Check the path; it starts at the manifest.",
    )


def is_clutter(parts: tuple[str, ...]) -> bool:
    return any(part in CLUTTER or part.startswith("._") for part in parts)
