"""Where in a JSON document something is wrong, as a JSON pointer (RFC 6901)."""

from __future__ import annotations

import re

import msgspec

from cupola.kernel.errors import Problem, invalid

# What a browser's trim() takes off the ends of a text: the editor and the server must count alike.
BLANKS = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"

_unstorable = re.compile("[\\x00\\ud800-\\udfff]")
_nesting = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]')
_step = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def pointer(*parts: str | int) -> str:
    """("objects", 2, "cls") -> "/objects/2/cls"."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def too_deep(source: bytes, most: int) -> bool:
    """Does this JSON nest deeper than `most`? Told from its brackets, before anything takes it apart."""
    if source.count(b"[") + source.count(b"{") <= most:
        return False
    depth = 0
    for token in _nesting.finditer(source):
        first = token.group()[:1]
        if first in b"[{":
            depth += 1
            if depth > most:
                return True
        elif first in b"]}":
            depth -= 1
    return False


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
