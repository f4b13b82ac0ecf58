"""What waits for a look, what was rejected and why, and how an appeal goes: its steps, each with its deadline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from cupola.catalog.showing import ItemView
from cupola.kernel import money

RejectReason = Literal["wrong-class", "missing", "too-much", "inexact", "guideline", "careless", "other"]
Evidence = Literal["gold", "reviewers", "corrected"]
How = Literal["panel", "unappealed", "conceded", "unanswered", "undecided", "frozen"]

# A batch is what was submitted to a project within this span. The rejection that makes more than this share of it
# rejected freezes the project's reviews; fewer than `FREEZE_LEAST` are no batch.
BATCH_SPAN = timedelta(days=7)
FREEZE_SHARE = 0.2
FREEZE_LEAST = 3

# Who sits on a panel is paid by time, at this rate in hundredths of a unit, and for so long at most; that much is
# reserved for each of three seats when a tenant stands by a rejection.
PANEL_HOURLY_HUNDREDTHS = 1_800
PANEL_SEAT_S = 600.0
SEAT_STALE = timedelta(hours=24)  # a seat whose holder has not voted is free again


def panel_pay_minor(currency: str, seconds: float) -> int:
    """What a seat is paid for so many seconds, at least one minor unit."""
    hourly: float = PANEL_HOURLY_HUNDREDTHS * 10.0 ** money.digits(currency) / 100
    return max(1, round(hourly * min(max(seconds, 0.0), PANEL_SEAT_S) / 3600))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a matter. by: who acted or has to: worker, requester, panel, operator, or deadline (nobody did).
    due_at: of the step that is awaited, until when; at: None until it was done."""

    what: Literal["submitted", "accepted", "rejected", "frozen", "appealed", "answered", "decided", "final"]
    by: Literal["worker", "requester", "panel", "operator", "deadline"]
    at: datetime | None
    due_at: datetime | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class WhyRejected:
    """Why work was rejected. place: where in the item or the label, in words; part: the name of what of the label it is
    about (see LabelPart), None for the whole of it; corrected: the label as it should be, where that is the evidence.
    upheld, how: once it is final."""

    reason: RejectReason
    place: str
    part: str | None
    note: str
    evidence: Evidence
    corrected: Any
    at: datetime
    appeal_by: datetime
    upheld: bool | None
    how: How | None


@dataclass(frozen=True, slots=True)
class Appeal:
    """votes: how the panel has voted, True for the rejection, told once it is over."""

    id: UUID
    state: str
    words: str
    at: datetime
    answer_by: datetime
    answer: str
    answered_at: datetime | None
    panel_by: datetime
    decided_at: datetime | None
    votes: list[bool]


@dataclass(frozen=True, slots=True)
class Submission:
    """Work that is reviewed before it is paid, as both sides see it. worker: the pseudonym, for the requester alone.

    frozen: too much of its project was rejected, so that nothing becomes final before an operator looked.
    """

    id: UUID
    task: UUID
    project: UUID
    project_name: str
    worker: str | None
    state: str
    label: Any
    price_minor: int
    currency: str
    seconds: float
    at: datetime
    due_at: datetime
    doubts: int
    frozen: bool
    rejection: WhyRejected | None
    appeal: Appeal | None
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class LabelPart:
    """What of a label can be right or wrong by itself: an object, the answer to a question."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class SubmissionDetail:
    """A submission with what it is about. parts: those of its label, where it has several."""

    submission: Submission
    kind: str
    ontology: Any
    guidelines: dict[str, str]
    item: ItemView
    parts: list[LabelPart]


@dataclass(frozen=True, slots=True)
class Accepted:
    accepted: int


@dataclass(frozen=True, slots=True)
class Case:
    """An appeal that one may sit on, or sits on (mine). pays_minor: for one seat, at most; it is paid by time alone."""

    id: UUID
    kind: str
    reason: RejectReason
    panel_by: datetime
    currency: str
    pays_minor: int
    mine: bool
    voted: bool


@dataclass(frozen=True, slots=True)
class Hearing:
    """A case as who decides it sees it: not whose work it is, nor of which organisation."""

    id: UUID
    kind: str
    ontology: Any
    guidelines: dict[str, str]
    item: ItemView
    label: Any
    reason: RejectReason
    place: str
    part: str | None
    note: str
    evidence: Evidence
    corrected: Any
    words: str
    answer: str
    panel_by: datetime
    currency: str
    pays_minor: int
    parts: list[LabelPart]


@dataclass(frozen=True, slots=True)
class Voted:
    paid_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """A project whose reviews are frozen, and how many of its last submissions were rejected. Figures alone."""

    tenant: UUID
    id: UUID
    project: UUID
    rejected: int
    submitted: int
    at: datetime
    decide_by: datetime


def steps(one: Any) -> list[Step]:
    """The steps of a submission's row (store.SubmissionRow), done and awaited, in their order."""
    found = [Step("submitted", "worker", one.at)]
    if one.reason is None:
        by_itself = one.decided_at is not None and one.decided_at >= one.due_at
        found.append(Step("accepted", "deadline" if by_itself else "requester", one.decided_at, one.due_at))
        return found
    found.append(Step("rejected", "requester", one.rejected_at, None, one.note))
    if one.frozen:
        found.append(Step("frozen", "operator", None, one.frozen_until))
    if one.appeal is None:
        if one.upheld is None:
            found.append(Step("appealed", "worker", None, one.appeal_by))
        else:
            found.append(Step("final", "deadline" if one.how == "unappealed" else "operator", one.verdict_at))
        return found
    found.append(Step("appealed", "worker", one.appealed_at, one.appeal_by, one.words))
    if one.answered_at is not None or one.upheld is None:
        found.append(Step("answered", "requester", one.answered_at, one.answer_by, one.answer))
    if one.upheld is None:
        if one.answered_at is not None:
            found.append(Step("decided", "panel", None, one.panel_by))
        return found
    by: dict[str, Any] = {"panel": "panel", "conceded": "requester", "frozen": "operator"}
    found.append(Step("decided", by.get(one.how, "deadline"), one.verdict_at))
    return found
