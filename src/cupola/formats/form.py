"""What a format must be able to say: the row of the table in `table`."""

from __future__ import annotations

import json
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, ClassVar, Protocol

from cupola.formats.model import Classes, Item, Reading
from cupola.formats.report import Report
from cupola.formats.tree import PICTURES, Files, ending
from cupola.kernel.errors import Problem, invalid

SPOOL_BYTES = 4 * 1024 * 1024
PART_BYTES = 1 << 20
_split = re.compile(r"(?:^|[^a-z])(train|val|valid|validation|test)(?:[^a-z]|$)", re.IGNORECASE)
_SPLITS = {"valid": "val", "validation": "val"}


@dataclass(frozen=True, slots=True)
class File:
    """A file of the result. parts: its bytes."""

    name: str
    parts: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Picture:
    """Where an item's own picture belongs."""

    name: str
    item: Item


Out = File | Picture


class Writer(Protocol):
    """Takes the items one after another, each as `Fitter` left it; `end` once, after the last."""

    def add(self, item: Item) -> Iterator[Out]: ...
    def end(self) -> Iterator[Out]: ...


@dataclass(slots=True)
class Target:
    """What a writer writes for. classes: those known so far, which may grow as items come."""

    classes: Classes
    report: Report
    title: str = "dataset"
    licence: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


class Form(ABC):
    """One format. holds: of `fitting.WORDS`, what it can write; needs_picture, needs_size: items without are left out.

    about: {language: what it is for}. by_picture: each picture has a file of its own; one without has nothing on it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[Mapping[str, str]]
    holds: ClassVar[frozenset[str]] = frozenset()
    needs_picture: ClassVar[bool] = False
    needs_size: ClassVar[bool] = False
    is_text: ClassVar[bool] = False
    by_picture: ClassVar[bool] = False
    writes: ClassVar[bool] = True

    @abstractmethod
    def sniff(self, files: Files) -> tuple[float, str] | None:
        """(how sure in [0, 1], why) these files are of this format, by names and beginnings; None: they are not."""

    @abstractmethod
    def read(self, files: Files, report: Report) -> Reading:
        """What is there. Raises Problem (INVALID), naming file and line, for what cannot be read as a whole; a bad
        entry is told and passed over."""

    def writer(self, target: Target) -> Writer:
        """Raises Problem (UNSUPPORTED through INVALID) where the format is only read."""
        raise invalid("format-read-only", f"{self.title} is read here, and not written.", remedy="Choose another one.")


def in_words(en: str, zh: str) -> Mapping[str, str]:
    """{language: the words}."""
    return {"en": en, "zh": zh}


def nothing(form: Form, what: str) -> Problem:
    """The refusal of files in which a format finds nothing of its own."""
    return invalid(
        "format-nothing",
        f"There is nothing of {form.title} here: {what}.",
        remedy="Check the path, or name another format with --format.",
    )


def split_of(path: str) -> str:
    """train, val or test, where a path tells it; ""."""
    for part in reversed(PurePosixPath(path).parts):
        found = _split.search(re.sub(r"\d+", " ", part))
        if found:
            told = found.group(1).lower()
            return _SPLITS.get(told, told)
    return ""


def picture_name(item: Item) -> str:
    """A relative path for the item's picture, from its own name and with the ending of its file."""
    name = safe_name(item.name)
    if ending(name) in PICTURES:
        return name
    kind = ending(item.picture) or "jpg"
    return f"{name}.{kind}"


def stem_name(item: Item) -> str:
    """The same without its ending."""
    name = picture_name(item)
    return name[: -len(ending(name)) - 1]


def safe_name(name: str) -> str:
    """A relative path that stays where it is, whatever the name holds."""
    parts = [
        re.sub(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]+', "_", part)
        for part in name.replace("\\", "/").split("/")
        if part not in ("", ".", "..")
    ]
    return "/".join(parts) or "item"


class Flat:
    """Names without folders, each once: for formats that keep all files in one."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def name(self, wanted: str) -> str:
        plain = wanted.replace("/", "_")
        found, n = plain, 1
        while found.casefold() in self._used:
            n += 1
            found = f"{plain}-{n}"
        self._used.add(found.casefold())
        return found


class Spool:
    """Bytes that wait until the result takes them, on disk when they are many."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  # closed once it was read
        self.some = False

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.some = True

    def member(self, value: Any) -> None:
        """One of a JSON list: a comma before all but the first."""
        self.write((b",\n" if self.some else b"") + dumps(value))

    def parts(self) -> Iterator[bytes]:
        self._file.seek(0)
        while part := self._file.read(PART_BYTES):
            yield part
        self._file.close()


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def plain_number(value: float, digits: int = 3) -> float | int:
    """A number as short as files have it."""
    found = round(float(value), digits)
    return int(found) if found == int(found) else found
