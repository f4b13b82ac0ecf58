"""Orders: their shapes, states and rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cupola.kernel import states
from cupola.kernel.errors import Problem, conflict, invalid

PENDING, COMPLETED = map(states.ORDER.index, ("pending", "completed"))
ACCEPTED, FIXED, COMMENTED, REJECTED = map(states.REVIEW.index, ("accepted", "fixed", "commented", "rejected"))
PRODUCTION, EVALUATION, TRAINING = map(states.ROLE.index, ("production", "evaluation", "training"))

# why an order is still pending
Waits = Literal["editor", "frames", "placing", "batch", "budget", "attachment", "work", "expert", "redo"]
WAITS: dict[str, str] = {
    "editor": "There is no editor for this type of task yet; it is kept and waits.",
    "frames": "Its frames are being fetched and checked.",
    "placing": "It is about to be placed into the queue of work.",
    "batch": "Its batch is staged or paused; finalize or resume the batch.",
    "budget": "The budget does not hold what it costs; fund it, and the task goes on by itself.",
    "attachment": "Its attachment is being fetched; from a host that is away it is asked for again for a day.",
    "work": "It is in the queue of work.",
    "expert": "The people who looked at it do not agree enough; an expert of your team decides it.",
    "redo": "Its response was rejected; it is done again.",
}
DEFAULT_BAND = 1_000  # where an order without a priority stands; lower bands are worked on first
MAX_TAGS = 100
MAX_UNIQUE_IDS = 100


@dataclass(frozen=True, slots=True)
class Work:
    """What the foundry is asked to make: an ontology (as JSON), guidelines, and the one thing to look at.

    guidelines: what this one task asks; overview: what all tasks of its project do, for whom they are offered to.
    text: the words to judge; attachment: a file of ours (`file:<id>`) or an http(s) URL. Exactly one of them.
    gold: the right label as JSON, for evaluation and training. pass_share: what it takes to pass the training.
    """

    spec: dict[str, Any]
    guidelines: str
    text: str | None = None
    attachment: str | None = None
    pre_label: dict[str, Any] | None = None
    gold: dict[str, Any] | None = None
    pass_share: float | None = None
    overview: str = ""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as it comes in. params: everything that is particular to its type, JSON text."""

    type: str
    params: str
    role: int = PRODUCTION
    project: UUID | None = None
    project_version: int | None = None
    batch: UUID | None = None
    unique_id: str | None = None
    free_unique_id_on_error: bool = False
    instruction: str | None = None
    metadata: str = "{}"
    tags: list[str] | None = None
    priority: int = 0
    callback: str | None = None
    work: Work | None = None
    waits: Waits = "placing"  # what an order with work waits for at first
    expected: str | None = None
    initial: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands. JSON text: params, metadata, response, expected, initial."""

    id: UUID
    type: str
    role: int
    project: UUID | None
    project_name: str | None
    project_version: int | None
    batch: UUID | None
    batch_name: str | None
    state: int
    review: int
    unique_id: str | None
    instruction: str | None
    params: str
    metadata: str
    tags: list[str] | None
    priority: int
    callback: str | None
    callback_succeeded: bool | None
    waits: str | None
    expected: str | None
    initial: str | None
    foundry_task: UUID | None
    response: str | None
    error: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which orders are listed; None asks for nothing. Bounds of time are inclusive below and above."""

    project: UUID | None = None
    batch: UUID | None = None
    type: str | None = None
    states: list[int] | None = None
    reviews: list[int] | None = None
    unique_ids: list[str] | None = None
    tags: list[str] | None = None
    created: tuple[datetime | None, datetime | None] = (None, None)
    completed: tuple[datetime | None, datetime | None] = (None, None)
    updated: tuple[datetime | None, datetime | None] = (None, None)
    in_project: bool = False  # only orders that belong to a project


@dataclass(frozen=True, slots=True)
class Found:
    """A page of orders, newest first; `total` counts all that the filter fits."""

    orders: list[Order]
    total: int
    more: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What orders pay and how they are checked.

    The target is modest because the first orders of a line are judged by people of whom nothing is known yet: with it
    three who agree suffice; with 0.9 no number of them would, and every first order would wait for an expert. Raise it
    (PUT /api/orders/terms) once a line has been fitted to its people.
    """

    price_minor: int = 10
    currency: str = "EUR"
    min_judgements: int = 1
    max_judgements: int = 5
    target_accuracy: float = 0.72
    page_size: int = 5
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    review: int
    comments: str | None
    at: datetime


@dataclass(slots=True)
class Settled:
    """An order whose foundry task was settled; `label` is the settled label as JSON text, None where undecidable."""

    order: Order
    label: str | None
    settlement: UUID
    how: str
    extra: dict[str, Any] = field(default_factory=dict)


def duplicate(unique_id: str) -> Problem:
    return conflict(
        "unique-id-taken",
        f"There is a task with the unique_id {unique_id[:200]!r}.",
        remedy="Read it with GET /v1/tasks?unique_id=…, or use another unique_id.",
    )


def band(position: int | None, priority: int) -> int:
    """Where an order stands in its queue: by its batch's place, then by its own priority, then by age."""
    place = DEFAULT_BAND if position is None else min(position, DEFAULT_BAND)
    return place * 1_001 + 1_000 - priority


def check_terms(terms: Terms) -> None:
    """Raises Problem (INVALID) with the place of the first rule that is broken."""
    if not 0 < terms.price_minor <= 10**9:
        raise invalid("terms-price", "The price is a positive number of minor units.", place="/price_minor")
    if not 1 <= terms.min_judgements <= terms.max_judgements <= 50:
        raise invalid("terms-judgements", "Judgements: 1 <= min <= max <= 50.", place="/max_judgements")
    if not 0.5 <= terms.target_accuracy <= 0.9999:
        raise invalid("terms-target", "The target accuracy lies between 0.5 and 0.9999.", place="/target_accuracy")
    if not 1 <= terms.page_size <= 50:
        raise invalid("terms-page", "A page holds 1 to 50 tasks.", place="/page_size")
