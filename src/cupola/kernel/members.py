"""Members of JSON objects that stand twice: readers differ in which of the two they believe (RFC 8259, 4)."""

from __future__ import annotations

import json
from typing import Any

from cupola.kernel.errors import Problem, invalid


class _TwiceError(Exception):
    """A name that stands twice in one object."""


def _counted(pairs: list[tuple[str, Any]]) -> None:
    """What an object decodes to is of no use here: only its names are."""
    if len(pairs) > 1 and len({name for name, _ in pairs}) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _TwiceError(name)
            seen.add(name)


_decoder = json.JSONDecoder(object_pairs_hook=_counted)


def named_twice(text: bytes) -> str | None:
    """The first name that one object of this JSON holds more than once; None where there is none, or no JSON.

    Raises RecursionError for data nested beyond what the decoder follows.
    """
    try:
        _decoder.decode(text.decode(json.detect_encoding(text)))
    except _TwiceError as twice:
        return str(twice)
    except ValueError:
        return None  # whoever decodes it says what is wrong
    return None


def each_once(text: bytes) -> None:
    """Raises Problem (INVALID) "member-twice" for a JSON text of which a reader would silently drop a member."""
    if (name := named_twice(text)) is not None:
        raise twice(name)


def twice(name: str) -> Problem:
    """The refusal of a name that stands twice in one object."""
    return invalid(
        "member-twice",
        f"The member {name[:60]!r} stands twice in one object.",
        place=name[:60],
        remedy="Send it once: which of the two was meant cannot be told.",
    )
