"""Answers from a file, for the command line: {reference: what is said of it}, from CSV (ref,label) or JSONL."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import msgspec

from cupola.kernel.encodings import convert_with
from cupola.kernel.errors import Problem, invalid
from cupola.labels import label_from_plain

MAX_ROWS = 1_000_000


def read(path: Path) -> dict[str, Any]:
    """Read answers: a CSV with the columns ref and label, or lines of JSON {"ref": …, "label": …}.

    A label is what its kind means by a bare text or list, or a whole label {"kind": …}.

    Raises Problem (INVALID) with the line.
    """
    text = words_of(path)
    rows = _json_lines(text, path) if text.lstrip()[:1] == "{" else _table(text, path)
    if not rows:
        raise invalid("answers-empty", f"{path} holds no answers.", place=str(path), remedy="See: cupola work --help")
    return rows


def words_of(path: Path) -> str:
    """What a file of text holds. Raises Problem (INVALID) for one that cannot be read, or is no UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        why = f"{path} cannot be read: {error.strerror or error}."
        raise invalid("file-unreadable", why, place=str(path), remedy="Check the path.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise invalid(
            "file-encoding",
            f"{path}, line {line}: the byte 0x{data[error.start]:02X} is no UTF-8.",
            place=f"{path}:{line}",
            remedy=convert_with(data, path.name),
        ) from error


def _wrong(path: Path, line: int, what: str) -> Problem:
    return invalid("answers-malformed", f"{path}, line {line}: {what}", place=f"{path}:{line}")


def _json_lines(text: str, path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _wrong(path, number, f"is no JSON: {error}") from error
        if not isinstance(row, dict) or not isinstance(row.get("ref"), str) or "label" not in row:
            raise _wrong(path, number, 'must be {"ref": …, "label": …}')
        _add(found, row["ref"], row["label"], path, number)
    return found


def _table(text: str, path: Path) -> dict[str, Any]:
    reader = csv.DictReader(text.splitlines())
    names = reader.fieldnames or []
    if "ref" not in names or "label" not in names:
        raise _wrong(path, 1, f"needs the columns ref and label; there are {', '.join(names) or 'none'}")
    found: dict[str, Any] = {}
    for row in reader:
        ref, said = row["ref"], row["label"]
        if ref is None or said is None:
            raise _wrong(path, reader.line_num, "has fewer cells than the head")
        _add(found, ref, said, path, reader.line_num)
    return found


def _add(found: dict[str, Any], ref: str, said: Any, path: Path, line: int) -> None:
    if ref in found and found[ref] != said:
        raise _wrong(path, line, f"{ref!r} has another answer above")
    if len(found) >= MAX_ROWS:
        raise _wrong(path, line, f"more than {MAX_ROWS} answers")
    found[ref] = said


def label(said: Any, kind: str) -> dict[str, Any]:
    """A label of the project's kind. Raises Problem (INVALID) for what cannot be one."""
    if isinstance(said, dict):
        return said
    if isinstance(said, str) or (isinstance(said, list) and all(isinstance(one, str) for one in said)):
        meant = label_from_plain(said, kind)
        if meant is not None:
            return dict(msgspec.to_builtins(meant))
    raise invalid(
        "answer-kind",
        f"{str(said)[:100]!r} is no answer of the kind {kind}.",
        remedy='Write whole labels as JSON lines: {"ref": …, "label": {"kind": …}}.',
    )


def value(said: str, type_: str, options: list[str]) -> Any:
    """What somebody wrote as the answer to a question of a form; None for nothing, and for what is no answer to it."""
    if type_ in ("choice", "multi"):
        numbers = said.replace(",", " ").split()
        chosen = [options[int(one) - 1] for one in numbers if one.isdecimal() and 0 < int(one) <= len(options)]
        return (chosen if type_ == "multi" else chosen[0]) if chosen else None
    if type_ == "bool":
        return {"yes": True, "y": True, "no": False, "n": False}.get(said.lower())
    if type_ == "number":
        try:
            return float(said) if said else None
        except ValueError:
            return None
    return said or None
