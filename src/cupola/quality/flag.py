"""The one shape of a signal about a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FlagKind = Literal["spammer", "inverted", "collusion", "drift", "copied-answers"]


@dataclass(frozen=True, slots=True)
class Flag:
    """worker, what, how strong (in the unit named by `unit`), over how many judgements, and with whom."""

    worker: int
    kind: FlagKind
    strength: float
    unit: str
    judgements: int
    others: tuple[int, ...] = ()
    evidence: str = ""
