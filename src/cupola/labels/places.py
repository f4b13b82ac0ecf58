"""Where in a JSON document something is wrong, as a JSON pointer (RFC 6901)."""

from __future__ import annotations

import re

import msgspec

from cupola.kernel.errors import Problem, invalid

_unstorable = re.compile("[\\x00\\ud800-\\udfff]")
_step = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def pointer(*parts: str | int) -> str:
    """("objects", 2, "cls") -> "/objects/2/cls"."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def unstorable(text: str) -> bool:
    """Does it hold U+0000 or half a surrogate pair? Both can stand in JSON, neither in a database's text."""
    return _unstorable.search(text) is not None


def problem_from_msgspec(error: Exception, code: str, what: str) -> Problem:
    """Turn a decoder's complaint ("… - at `$.objects[2].cls`") into a Problem with a place.

    A key of a free mapping is not told by the decoder; the pointer then ends at the mapping.
    """
    message, _, path = str(error).partition(" - at `")
    if isinstance(error, msgspec.ValidationError):
        parts: list[str] = []
        for name, index in _step.findall(path.rstrip("`")):
            if index == "...":
                break
            parts.append(name or index)
        return invalid(code, f"The {what} does not fit: {message}.", place=pointer(*parts), remedy="Mend this place.")
    return invalid(code, f"The {what} is not valid JSON: {message}.", remedy="Send valid UTF-8 JSON.")
