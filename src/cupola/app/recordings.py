"""Preference sets as recordings: JSON Lines with a conversation or pair a line, and `votes`: what people said of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cupola.catalog.conversations.shapes import as_manifest
from cupola.kernel.errors import Problem, invalid

RATER = ("rater", "annotator", "worker", "user")
VALUE = ("value", "label", "vote", "winner")
LEFT = frozenset({"votes", "judges", "label", "truth"})  # what is said of an item is no part of it


def preferences(file: Path) -> Iterator[tuple[str, dict[str, str], str | None, dict[str, Any]]]:
    """(reference, {who: what}, truth, the item as an import takes it) of each line.

    The truth is the line's own (`truth`), else what more than half of its people say, else None. Raises Problem naming
    the line that cannot be read.
    """
    seen: set[str] = set()
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                place = f"{file}:{number}"
                row = _row(line, place)
                ref = str(row.get("ref", row.get("id", f"line {number}")))
                if ref in seen:
                    raise invalid("recording-twice", f"{ref!r} stands there twice.", place=place, remedy="Rename one.")
                seen.add(ref)
                said = _votes(row["votes"], place)
                most = Counter(said.values()).most_common(1)
                told = row.get("truth")
                truth = str(told) if told is not None else most[0][0] if most and 2 * most[0][1] > len(said) else None
                yield ref, said, truth, _item(row, ref, place)
    except (OSError, UnicodeDecodeError) as error:
        raise invalid(
            "file-missing", f"{file} cannot be read: {error}.", place=str(file), remedy="Check it."
        ) from error


def _row(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise invalid("line-malformed", f"It is no JSON: {error}.", place=place, remedy="Mend the line.") from None
    if not isinstance(row, dict) or not isinstance(row.get("votes"), list):
        raise invalid("votes-missing", "The line has no list of votes.", place=place,
                      remedy='Write "votes": [{"rater": "ann", "value": "1"}, …].')  # fmt: skip
    return row


def _votes(votes: list[Any], place: str) -> dict[str, str]:
    """The last word of each person counts."""
    found: dict[str, str] = {}
    for n, one in enumerate(votes):
        told = one if isinstance(one, dict) else {}
        who = next((told[name] for name in RATER if told.get(name) is not None), None)
        what = next((told[name] for name in VALUE if told.get(name) is not None), None)
        if who is None or what is None:
            raise invalid("vote-malformed", f"Vote {n + 1} has no rater or no value.", place=place,
                          remedy="Give it both.")  # fmt: skip
        found[str(who)] = str(what)
    return found


def _item(row: dict[str, Any], ref: str, place: str) -> dict[str, Any]:
    body = {name: value for name, value in row.items() if name not in LEFT and name != "id"} | {"ref": ref}
    try:
        if as_manifest(body) is not None or {"text", "parts", "url"} & body.keys():
            return body
    except Problem as problem:
        problem.detail, problem.place = f"{place}: {problem.detail}", place + problem.place
        raise
    return {"ref": ref, "text": ref}
