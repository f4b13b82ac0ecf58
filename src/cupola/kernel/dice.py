"""The only randomness beside identifiers: what a server decides by chance, it decides here."""

from __future__ import annotations

import secrets
from collections.abc import Callable


def _fresh() -> float:
    return secrets.randbits(53) / (1 << 53)


_source: Callable[[], float] = _fresh


def unit() -> float:
    """A number in [0, 1), uniform."""
    return _source()


def fix(source: Callable[[], float] | None) -> None:
    """Let a test decide; None gives chance back."""
    global _source
    _source = source or _fresh
