"""Exams: what one asks, how an attempt went, and the interval that decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.catalog.showing import ItemView
from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.kernel.states import AttemptWord

special = Lazy("scipy.special")
ITEMS = 20
AT_LEAST = 0.8
CONFIDENCE = 0.8
RETAKE_DAYS = 7
VALID_DAYS = 365


@dataclass(frozen=True, slots=True)
class Rule:
    """items: of one attempt. at_least: what the lower end of the interval of the share that is right must reach, at
    this confidence (one-sided). tells: whether a result shows what would have been right."""

    items: int = ITEMS
    at_least: float = AT_LEAST
    confidence: float = CONFIDENCE
    retake_days: int = RETAKE_DAYS
    valid_days: int = VALID_DAYS
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Exam:
    """An exam, as its requester sees it. needed: how many right answers pass; pool: tasks that it draws from."""

    project: UUID
    name: str
    skill: str
    source: UUID | None
    state: str
    rule: Rule
    needed: int
    pool: int
    price_minor: int
    currency: str
    budget_minor: int
    passed: int
    failed: int
    under_way: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt stands. low, high: the interval of the share that is right, once it has ended.

    retake_at: from when another may be made; expires_at: until when what was shown holds.
    """

    id: UUID
    project: UUID
    skill: str
    title: str
    state: AttemptWord
    items: int
    needed: int
    answered: int
    rights: int | None
    low: float | None
    high: float | None
    at_least: float
    confidence: float
    at: datetime
    ended_at: datetime | None
    expires_at: datetime | None
    retake_at: datetime | None


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of an attempt that has ended. expected: what would have been right, where the exam tells it."""

    task: UUID
    item: ItemView
    label: Any
    expected: Any
    right: bool


@dataclass(frozen=True, slots=True)
class Result:
    attempt: Attempt
    kind: str
    ontology: Any
    answers: list[Answered]


def bounds(right: int, of: int, confidence: float) -> tuple[float, float]:
    """The lower and the upper one-sided limit of a share, each at `confidence`. Exact (Clopper and Pearson, 1934)."""
    low = 0.0 if right == 0 else float(special.betaincinv(right, of - right + 1, 1 - confidence))
    high = 1.0 if right == of else float(special.betaincinv(right + 1, of - right, confidence))
    return low, high


def needed(rule: Rule) -> int:
    """How many right answers pass. Raises Problem(INVALID) where not even all of them would."""
    for right in range(rule.items + 1):
        if bounds(right, rule.items, rule.confidence)[0] >= rule.at_least:
            return right
    raise invalid(
        "exam-out-of-reach",
        f"Not even {rule.items} right answers of {rule.items} show {rule.at_least:.0%} at a confidence of "
        f"{rule.confidence:.0%}.",
        place="/items",
        remedy="Ask more items, a lower share, or less confidence.",
    )
