"""What the product shows and decides about quality: shapes and thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.quality.certify.evidence import confidence_of_attempt
from cupola.quality.certify.fixed import error_to_aim_at

# Of the errors that the target allows, the share that may come from tasks settled by the crowd's posterior. The rest is
# room for the experts' own slips, for a posterior that promises too much, and for the audit: a release as bad as it may
# be is proven good one time in twenty. How much room the audit needs depends on how many items it draws.
LEAST_SHARE, MOST_SHARE, CAUTION = 0.2, 0.65, 0.7


def crowd_share(target_accuracy: float, confidence: float, audit_items: int, items: int) -> float:
    """The share of the allowed error that the crowd may leave, so that the planned audit proves the target in nine of
    ten releases. audit_items: of `items` in the release; 0 when none is planned."""
    if audit_items == 0 or items == 0:
        return 0.5
    limit = 1.0 - target_accuracy
    aim = error_to_aim_at(min(audit_items, items), limit, confidence_of_attempt(confidence, 1), items) / limit
    return min(max(CAUTION * aim, LEAST_SHARE), MOST_SHARE)


def settle_threshold(target_accuracy: float, share: float) -> float:
    """The calibrated posterior at which a task settles before anything is known of the crowd."""
    return 1.0 - (1.0 - target_accuracy) * share


@dataclass(frozen=True, slots=True)
class Bin:
    start: float
    end: float
    tasks: int


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha, nominal, with a bootstrap interval; None where nothing was judged twice."""

    alpha: float | None
    low: float | None
    high: float | None
    repeat_rate: float | None


@dataclass(frozen=True, slots=True)
class WorkerFlag:
    """A signal with its evidence, for a human to look at; nothing follows from it by itself.

    strength is in `unit`, over so many judgements; others: pseudonyms of those it was found together with. evidence:
    what was seen, in English; figures: the same by name, empty for a flag of earlier days.
    """

    kind: str
    strength: float
    unit: str
    judgements: int
    others: list[str]
    evidence: str
    figures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContributorQuality:
    """One contributor by the tenant's pseudonym. skill with its 95 % interval; flags are for a human to look at."""

    pseudonym: str
    judgements: int
    gold_seen: int
    gold_right: int
    skill: float
    low: float
    high: float
    flags: list[WorkerFlag]


@dataclass(frozen=True, slots=True)
class Confusion:
    """matrix[i][j]: judgements that said class j on tasks settled as class i."""

    classes: list[str]
    matrix: list[list[int]]


@dataclass(frozen=True, slots=True)
class Progress:
    at: datetime
    judgements: int
    settled: int
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of `n` gold tasks for which `claimed` was said, `observed` were right."""

    claimed: float
    observed: float
    n: int


@dataclass(frozen=True, slots=True)
class Forecast:
    judgements_to_go: int
    experts_to_go: int
    cost_to_go_minor: dict[str, int]


@dataclass(frozen=True, slots=True)
class ProjectQuality:
    """counted_at: when histogram, agreement, judgements_per_task (of decided tasks, gold aside), confusion and progress
    were counted; of a large project they are kept."""

    method: str
    rho: float
    threshold: float
    model_version: int
    posterior_histogram: list[Bin]
    agreement: Agreement
    judgements_per_task: float | None
    contributors: list[ContributorQuality]
    confusion: Confusion | None
    progress: list[Progress]
    forecast: Forecast
    calibration: list[Calibration]
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan will likely need, with an interval. cost in minor units, everything included."""

    judgements: dict[str, int]
    experts: dict[str, int]
    cost_minor: dict[str, int]
    currency: str
    audit_items: int
    basis: str
    asking: Asking


@dataclass(frozen=True, slots=True)
class Asking:
    """Whether the crowd is worth asking: what an item is expected to cost, in judgements, with the crowd first and with
    experts alone."""

    worthwhile: bool
    with_crowd: float
    experts_alone: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a target would take for the tasks that are not settled yet: judgements, experts, cost in minor units.

    reachable: whether the expected error, after the experts, is within the target.
    """

    target_accuracy: float
    tasks: int
    judgements: dict[str, int]
    experts: dict[str, int]
    cost_minor: dict[str, int]
    currency: str
    settled_error: float
    reachable: bool
    audit_items: int | None
    basis: str
    asking: Asking


@dataclass(frozen=True, slots=True)
class Unclear:
    """A task that experts could not decide, or decided differently: the guideline is what needs mending.

    labels: what they said, each once; undecided: how many of their verdicts were that it cannot be decided.
    """

    task: UUID
    ref: str
    verdicts: int
    undecided: int
    labels: list[dict[str, Any]]
    notes: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A task that the crowd could not settle."""

    task: UUID
    project: UUID
    project_name: str
    ref: str
    reason: str
    confidence: float | None
    judgements: int
    thumb_url: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    settlement: UUID
    task: UUID
    label: dict[str, Any] | None
    how: str
