"""Regular expressions that an ontology asks text to match."""

from __future__ import annotations

from cupola.kernel.lazy import Lazy

pc = Lazy("pyarrow.compute")


pa = Lazy("pyarrow")

MAX_PATTERN_CHARS = 500


def is_pattern(pattern: str) -> bool:
    """Is it a regular expression of RE2?"""
    try:
        matches_whole(pattern, "")
    except pa.ArrowInvalid:
        return False
    return True


def matches_whole(pattern: str, text: str) -> bool:
    """Does an RE2 pattern match the whole text? RE2 runs in linear time, so no pattern can hang the server."""
    options = pc.MatchSubstringOptions(rf"\A(?:{pattern})\z")
    found = pc.call_function("match_substring_regex", [pa.scalar(text)], options)
    return bool(found.as_py())
