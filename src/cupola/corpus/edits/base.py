"""What every edit gives back, and how pieces are cut out of a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

Span = tuple[int, int]  # start, end in code points
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")


@dataclass(frozen=True)
class Edited:
    """A text after an edit. cuts: what of the text before is gone, ascending and apart; empty where the text was made
    anew and not cut."""

    text: str
    cuts: tuple[Span, ...] = ()


class Applies(Protocol):
    """An edit with its settings."""

    def apply(self, text: str) -> Edited | None:
        """The text as it should be; None where it stays as it is."""
        ...


def cut(text: str, spans: Iterable[Span]) -> Edited | None:
    """Take pieces out, which may touch and overlap; None when there are none."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    if not joined:
        return None
    kept, at = [], 0
    for start, end in joined:
        kept.append(text[at:start])
        at = end
    return Edited("".join(kept) + text[at:], tuple(joined))


def lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Each line: where it starts, where it ends with its "\\n", and what it says without the blanks around it."""
    for found in _LINE.finditer(text):
        if found.end() > found.start():
            yield found.start(), found.end(), found.group().strip()
