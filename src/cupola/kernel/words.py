"""What people may write where a line is shown: names and references, in any script."""

from __future__ import annotations

import unicodedata

# Controls, halves of pairs, ends of lines and paragraphs. Joiners and marks of direction belong to how Persian,
# Hebrew and emoji are written, and what is unassigned today may be next year's emoji.
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})


def breaks_a_line(char: str) -> bool:
    """Is this character one that no line can hold?"""
    return char < " " or (char > "~" and unicodedata.category(char) in _CONTROLS) or char == "\x7f"


def in_one_line(text: str) -> bool:
    """Can the text stand in a line, and be seen there?"""
    return not any(map(breaks_a_line, text)) and any(
        not char.isspace() and unicodedata.category(char) != "Cf" for char in text
    )
