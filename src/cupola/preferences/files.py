"""Rows of files of votes: CSV, TSV, Parquet, JSON Lines, a JSON list. What cannot be read is told with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cupola.kernel.errors import invalid
from cupola.quality.readers import read_table

LINED = (".jsonl", ".ndjson")
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
MOST_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that says nothing that can be counted: where, and why."""

    place: str
    reason: str


def rows(path: Path, refused: list[Refused]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row) of each row, in the order of the file. Raises Problem for an absent, empty or unknown file."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise invalid("file-type", f"{path.name} is none of {', '.join(SUFFIXES)}.", place=str(path),
                      remedy="Rename or convert it.")  # fmt: skip
    if not path.is_file():
        raise invalid("file-absent", f"There is no file {path}.", remedy="Check the path.", place=str(path))
    if path.stat().st_size == 0:
        raise invalid("table-empty", f"{path} is empty.", remedy="Pass a file with rows.", place=str(path))
    if suffix in LINED:
        yield from _lines(path, refused)
    elif suffix == ".json":
        yield from _list(path, refused)
    else:
        table = read_table(path)
        for start in range(0, table.num_rows, 65_536):
            for n, row in enumerate(table.slice(start, 65_536).to_pylist()):
                yield f"{path.name}, row {start + n + 1}", row


def _lines(path: Path, refused: list[Refused]) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            place = f"{path.name}:{number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except (ValueError, RecursionError) as error:
                refused.append(Refused(place, f"is no JSON: {str(error) or 'nested too deeply'}"))
                continue
            if isinstance(row, dict):
                yield place, row
            else:
                refused.append(Refused(place, "is no object"))


def _list(path: Path, refused: list[Refused]) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        found = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise invalid("file-unreadable", f"{path} is no JSON: {error}", place=str(path),
                      remedy="One object a line is read as .jsonl.") from error  # fmt: skip
    if not isinstance(found, list):
        raise invalid("file-type", f"{path} is no list of votes.", place=str(path), remedy="Pass a list of objects.")
    for number, row in enumerate(found):
        if isinstance(row, dict):
            yield f"{path.name}/{number}", row
        else:
            refused.append(Refused(f"{path.name}/{number}", "is no object"))
