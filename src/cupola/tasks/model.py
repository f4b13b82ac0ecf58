"""Projects, offers, tasks, pages of tasks: their shapes, states and rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cupola.catalog.showing import ItemView
from cupola.kernel import limits
from cupola.kernel.errors import conflict, invalid
from cupola.tasks.exams.model import Attempt
from cupola.tasks.training.model import Feedback, Progress

ProjectState = Literal["draft", "live", "paused", "stopped"]
Opinions = Literal["heard", "counted", "unheard"]
Routing = Literal["open", "directed"]
Stage = Literal["draw", "review", "fix"]
RejectReason = Literal["wrong-class", "missing", "too-much", "inexact", "guideline", "other"]
ReturnReason = Literal["unclear", "too-hard", "broken-item", "sensitive", "no-time", "other"]

MOST_EXPERT_COST = 1_000  # judgements
MAX_STAGES = 4

_MOVES: dict[str, tuple[str, ...]] = {
    "launch": ("draft",),
    "pause": ("live",),
    "resume": ("paused",),
    "stop": ("live", "paused", "draft"),
}
_TO: dict[str, ProjectState] = {"launch": "live", "pause": "paused", "resume": "live", "stop": "stopped"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What quality a project asks for. target_accuracy and confidence in (0.5, 1); judgements counted per task.

    gold_rate: share of a page that is gold. audit_items: how many settled items a release's audit draws. opinions: what
    models say of a task is heard beside judgements, also counted as one of min_judgements (never as the only one), or
    kept unheard.
    expert_cost: what an expert's answer costs the organisation, in judgements.
    """

    target_accuracy: float = 0.99
    confidence: float = 0.95
    min_judgements: int = 1
    max_judgements: int = 5
    gold_rate: float = 0.05
    audit_items: int = 330
    opinions: Opinions = "heard"
    expert_cost: float = 10.0

    @property
    def asked_first(self) -> int:
        """How many judgements a task asks for before anything is decided."""
        return max(self.min_judgements - (1 if self.opinions == "counted" else 0), 1)


@dataclass(frozen=True, slots=True)
class Offer:
    """What one judgement of a stage pays: price_minor to the worker, whole; fee and insurance stand beside it."""

    project: UUID
    version: int
    stage: int
    price_minor: int
    fee_bp: int
    insurance_bp: int
    currency: str
    median_s: float | None
    p75_s: float | None
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """Tasks by state; gold tasks are counted apart and nowhere else."""

    open: int
    collecting: int
    escalated: int
    settled: int
    cancelled: int
    total: int
    gold: int


@dataclass(frozen=True, slots=True)
class Adding:
    """How far a job is that makes tasks of a dataset: it has looked at `looked_at` of about `items`, and made `made`.

    trouble: why it ended before all were made, empty otherwise.
    """

    made: int
    looked_at: int
    items: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Project:
    """stages: what is done at each, in their order; offers: the price in force at each; offer: that of the first.

    review_first_s: how long you may look at a submission before it is accepted by itself; None: paid on submit.
    adding: while tasks are being made in steps, or when that ended before all were.
    """

    id: UUID
    name: str
    kind: str
    state: ProjectState
    dataset: UUID
    ontology_version: UUID
    plan: Plan
    stages: list[Stage]
    offer: Offer
    offers: list[Offer]
    page_size: int
    lease_s: int
    routing: Routing
    counts: Counts
    judgements: int
    spent_minor: int
    reserved_minor: int
    budget_minor: int
    currency: str
    created_at: datetime
    launched_at: datetime | None
    adding: Adding | None
    review_first_s: int | None = None


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task in a list. confidence is calibrated; settled_label only when settled."""

    id: UUID
    project: UUID
    item: UUID
    ref: str
    state: str
    judgements: int
    confidence: float | None
    settled_label: dict[str, Any] | None
    gold: bool
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a reviewer rejected what was under review. note: in their words, "" where the reason says it all."""

    reason: RejectReason
    note: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """What a reviewer rejected of one's work; who that was is not told. id: of the review."""

    id: UUID
    task: UUID
    project: UUID
    project_name: str
    reason: RejectReason
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class JudgementView:
    """A judgement as the tenant sees it; `worker` is a pseudonym of this tenant alone.

    stage: 0 for what was drawn; a review at a later stage is about another judgement. rejected: why it rejects that.
    """

    id: UUID
    worker: str
    label: dict[str, Any]
    seconds: float
    stage: int
    about: UUID | None
    rejected: Rejected | None
    at: datetime


@dataclass(frozen=True, slots=True)
class UnitView:
    """One unit of a settled label. kind: what it is (a choice, an object, a question); said: it in a few words.

    judgements: those that stand behind this unit.
    """

    unit: str
    kind: str
    said: str
    confidence: float
    judgements: list[UUID]


@dataclass(frozen=True, slots=True)
class SettlementView:
    """parts: the units of the label, each as sure as it is by itself."""

    id: UUID
    version: int
    label: dict[str, Any] | None
    confidence: float
    how: str
    method: str
    judgements: list[UUID]
    parts: list[UnitView]
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskDetail:
    id: UUID
    project: UUID
    state: str
    gold: bool
    confidence: float | None
    kind: str
    ontology: dict[str, Any]
    guidelines: dict[str, str]
    item: ItemView
    judgements: list[JudgementView]
    settlements: list[SettlementView]


@dataclass(frozen=True, slots=True)
class PageTask:
    """One task of a page. draft: the newest saved draft, draft_rev its revision (0: none). rejected: why what stands in
    `pre_label` is to be fixed."""

    task: UUID
    position: int
    state: str
    item: ItemView
    pre_label: Any
    draft: Any
    draft_rev: int
    rejected: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A page of tasks leased to one worker. `fence` goes back with every write.

    Of two pages of one person the later has the higher fence, and what comes late from the earlier does not touch what
    the later holds.

    does: what is done at its stage. Of a review, `pre_label` of each task is the label to accept, to mend or to reject;
    of a fix, the one that was rejected.
    """

    id: UUID
    project: UUID
    project_name: str
    fence: int
    state: str
    offer_version: int
    price_minor: int
    currency: str
    claimed_at: datetime
    expires_at: datetime
    stage: int
    does: Stage
    kind: str
    ontology: Any
    guidelines: dict[str, str]
    tasks: list[PageTask]
    training: bool  # what was right is told after the submit
    review_first_s: int | None = None  # paid once the requester has looked, and after so long at the latest
    exam: bool = False  # what was right is told once all of it is submitted


@dataclass(frozen=True, slots=True)
class Judged:
    """How the submit of one judgement went; what could not be taken is parked and told as a problem.

    held: not paid yet, for its project reviews first; it waits in `GET /api/work/submissions` under this identifier.
    """

    task: UUID
    judgement: UUID
    paid_minor: int
    feedback: Feedback | None = None  # of training alone
    held: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    paid_minor: int
    currency: str
    judgements: list[Judged]
    state: str
    remaining: int
    training: Progress | None = None  # how far one is, after a page of training
    exam: Attempt | None = None  # how the attempt stands, after a page of an exam


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer as a contributor sees it before the click. Times in seconds; None until enough were measured.

    review_first_s: paid once the requester has looked, and after so long at the latest; None: on submit.
    training: how far one is, where this is the training that comes before a project. does: what is done at this stage.
    exam: each answer is paid, and what it shows may open other projects. asks: whom it is for; None: for everybody.
    """

    project: UUID
    stage: int
    does: Stage
    title: str
    kind: str
    price_minor: int
    currency: str
    median_s: float | None
    p75_s: float | None
    hourly_minor: int | None
    timed: int
    available: int
    page_size: int
    guidelines: dict[str, str]
    offer_version: int
    paid: str
    conditions: str
    training: Progress | None = None
    review_first_s: int | None = None
    exam: bool = False
    asks: str | None = None


def check_plan(plan: Plan) -> None:
    """Raises Problem (INVALID) with the place of the first rule that the plan breaks."""
    if not 0.5 <= plan.target_accuracy <= 0.9999:
        raise invalid("plan-target", "The target accuracy lies between 0.5 and 0.9999.", place="/plan/target_accuracy")
    if not 0.5 <= plan.confidence <= 0.9999:
        raise invalid("plan-confidence", "The confidence lies between 0.5 and 0.9999.", place="/plan/confidence")
    if not 1 <= plan.min_judgements <= plan.max_judgements <= limits.MAX_JUDGEMENTS_PER_TASK:
        raise invalid(
            "plan-judgements",
            f"Judgements per task: 1 <= min <= max <= {limits.MAX_JUDGEMENTS_PER_TASK}.",
            place="/plan/max_judgements",
        )
    if not 0.0 <= plan.gold_rate <= 0.5:
        raise invalid("plan-gold", "The share of gold lies between 0 and 0.5.", place="/plan/gold_rate")
    if not 0 <= plan.audit_items <= 1_000_000:
        raise invalid("plan-audit", "The audit draws between 0 and 1,000,000 items.", place="/plan/audit_items")
    if not 0.0 < plan.expert_cost <= MOST_EXPERT_COST:
        raise invalid(
            "plan-expert",
            f"An expert's answer costs more than nothing and at most {MOST_EXPERT_COST:,} judgements.",
            place="/plan/expert_cost",
        )


def moved(state: str, verb: str) -> ProjectState:
    """The state that a verb leads to. Raises Problem (CONFLICT) where the verb has no place."""
    if state not in _MOVES[verb]:
        raise conflict(
            "project-state",
            f"A project that is {state} cannot {verb}.",
            remedy=f"This verb needs the state {' or '.join(_MOVES[verb])}.",
        )
    return _TO[verb]


def hourly_minor(price_minor: int, median_s: float | None) -> int | None:
    """What the price is in an hour at the median time, in minor units."""
    return None if not median_s or median_s <= 0 else int(price_minor * 3600 / median_s)
