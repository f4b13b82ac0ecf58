"""Annotations of strangers, read in a caged child (see `platform.cage`): surveyed as a whole, then item by item.

The child writes no file, so what is gathered stays in its memory, which is limited.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from cupola.formats import spill, whole
from cupola.formats.convert import once
from cupola.formats.labels import label_of
from cupola.formats.model import Item, Reading, Saying
from cupola.formats.report import Report
from cupola.formats.survey import survey
from cupola.formats.table import named, recognised
from cupola.formats.tree import Files, Zip
from cupola.labels import encode

AUTO = "auto"
ANSWER_ROWS = 200
ANSWER_BYTES = 4 * 1024 * 1024
USES = ("pre_label", "gold", "none")

_open: dict[str, Any] = {}


class Alone:
    """One file by the name that it had before it was stored."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self.title = Path(name).stem

    @property
    def names(self) -> list[str]:
        return [self._name]

    def open(self, name: str) -> IO[bytes]:
        return self._path.open("rb")

    def size(self, name: str) -> int:
        return self._path.stat().st_size


def _files(path: str, name: str, spelled: dict[int, str]) -> Files:
    where = Path(path)
    with where.open("rb") as stream:
        start = stream.read(4)
    if start in (b"PK\x03\x04", b"PK\x05\x06"):
        return Zip(io.BufferedReader(io.FileIO(where)), spelled, Path(name).stem)
    return Alone(where, name)


def look(path: str, name: str, form: str, salt: str, spelled: dict[int, str]) -> dict[str, Any]:
    """The survey of a file, as JSON has it. Raises Problem as `recognised` and the readers do."""
    spill.IN_MEMORY = True
    files = _files(path, name, spelled)
    if form == AUTO:
        guess = recognised(files)
        form, why = guess.form, guess.why
    else:
        why = ""
    found: dict[str, Any] = msgspec.to_builtins(survey(files, named(form), why, salt))
    return found


def start(path: str, name: str, form: str, use: str, kind: str, done: int, spelled: dict[int, str]) -> str:
    """Open a file and stand behind `done` items; the format. use: of USES; kind: of the labels to be made."""
    spill.IN_MEMORY = True
    files = _files(path, name, spelled)
    chosen = named(recognised(files).form if form == AUTO else form)
    report = Report()
    reading = whole.read(chosen, files, report)
    _open["rows"] = _rows(reading, report, use, kind, done)
    _open["report"] = report
    return chosen.name


def more() -> list[dict[str, Any]]:
    """The next items; nothing at the end."""
    out: list[dict[str, Any]] = []
    held = 0
    for row in _open["rows"]:
        out.append(row)
        held += sum(len(row[part] or b"") for part in ("pre_label", "gold_label")) + 200
        if len(out) >= ANSWER_ROWS or held >= ANSWER_BYTES:
            break
    return out


def told() -> list[dict[str, Any]]:
    """What was left out, once all was read."""
    report: Report = _open["report"]
    return [dict(row) for row in report.plain()]


def _rows(reading: Reading, report: Report, use: str, kind: str, done: int) -> Iterator[dict[str, Any]]:
    for number, item in enumerate(once(reading.items, report), 1):
        if number <= done:
            continue
        yield {"number": number, **_row(item, reading, report, use, kind)}


def _row(item: Item, reading: Reading, report: Report, use: str, kind: str) -> dict[str, Any]:
    pre, gold = chosen(item, use)
    labels = {
        part: None if one is None or not kind else label_of(one, kind, item, reading.classes, report)
        for part, one in (("pre_label", pre), ("gold_label", gold))
    }
    return {
        "ref": item.name,
        "picture": item.picture,
        "url": item.url,
        "body": item.body,
        "place": item.place,
        "metadata": {**item.metadata, **({"split": item.split} if item.split else {})},
        **{part: None if label is None else encode(label) for part, label in labels.items()},
    }


def chosen(item: Item, use: str) -> tuple[Saying | None, Saying | None]:
    """(what is shown to whoever works on it, what is known to be right) of what was said of an item.

    What its file marks as truth is known to be right, whatever the rest is used for; with `gold` all of it is, the
    first of several. Who judged earlier is heard as an opinion, not shown.
    """
    people = [one for one in item.sayings if one.source != "model"]
    models = [one for one in item.sayings if one.source == "model"]
    marked = next((one for one in people if one.is_gold), None)
    if use == "gold":
        return None, marked or next(iter(people), None)
    if use == "none":
        return None, marked
    first = next((one for one in people if not one.is_gold and not one.is_empty), None)
    return first or next(iter(models), None) or next(iter(people), None), marked


VERBS = {"look": look, "start": start, "more": more, "told": told}
