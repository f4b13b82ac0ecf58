"""Training: what a worker is told, and what a requester sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cupola.kernel.errors import invalid

PASS_SHARE = 0.8
COUNTED = 10  # of the last answers; as in the database (schema/functions, work_training)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What was right, told after the judgement was paid. `right`: the two labels say the same (labels.same)."""

    right: bool
    expected: Any


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a worker is. It is passed once `needed` of the last `counted` answers were right; earlier ones are
    forgotten. tasks: how many there are in all; a worker who used them all without passing waits for new ones."""

    tasks: int
    answered: int
    right: int
    counted: int
    needed: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Training:
    """A project's training, as its requester sees it. trained: who passed; under_way: who began and did not yet."""

    project: UUID
    training: UUID
    state: str
    pass_share: float
    tasks: int
    trained: int
    under_way: int
    answers: int
    right: int


def check_share(share: float) -> None:
    """Raises Problem (INVALID) for a share that nobody, or everybody, would pass."""
    if not 0.1 <= share <= 1:
        raise invalid("pass-share", "The share to pass lies between 0.1 and 1.", place="/pass_share")
