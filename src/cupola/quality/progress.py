"""How long work tells how far it is, to whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable

# (steps done, steps there are, what is done now)
Told = Callable[[int, int, str], None]


def silent(done: int, total: int, what: str) -> None:
    """For whoever does not want to know."""
