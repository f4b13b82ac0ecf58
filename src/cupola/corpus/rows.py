"""Id and text of a row of JSON, as strictly as can be and as leniently as must be."""

from __future__ import annotations

import json
from typing import Any

import msgspec

_PLAIN = msgspec.json.Decoder(dict[str, msgspec.Raw])


def fields(line: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    """The values of some members of an object. Raises ValueError for a line that is no object."""
    try:
        raw = _PLAIN.decode(line)
        return {name: msgspec.json.decode(raw[name]) for name in names if name in raw}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        row = whole(line)
        return {name: row[name] for name in names if name in row}


def whole(line: bytes) -> dict[str, Any]:
    """All of an object, halves of characters and bytes that are none among it. Raises ValueError for another line."""
    try:
        row = json.loads(line.decode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("the line is nested too deeply") from None
    if not isinstance(row, dict):
        raise ValueError("the line is no object")
    return row


def text_of(row: dict[str, Any], name: str) -> str:
    """The text of a row, as UTF-8 can hold it. Raises ValueError where there is none."""
    text = row.get(name)
    if not isinstance(text, str):
        raise ValueError(f'there is no text in "{name}"')
    return text.encode("utf-8", "replace").decode()
