"""The one shape of a signal about a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FlagKind = Literal["spammer", "inverted", "collusion", "drift", "copied-answers"]


@dataclass(frozen=True, slots=True)
class Flag:
    """worker, what, how strong (in the unit named by `unit`), over how many judgements, and with whom.

    evidence: what was seen, in English; figures: the same by name, for whoever says it in another language.
    """

    worker: int
    kind: FlagKind
    strength: float
    unit: str
    judgements: int
    others: tuple[int, ...] = ()
    evidence: str = ""
    figures: Mapping[str, float] = field(default_factory=dict, compare=False)
