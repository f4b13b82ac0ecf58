"""What a submit says: decoded, and each judgement checked against what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

import msgspec

from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.kernel.members import each_once
from cupola.labels import ItemFacts, Ontology, code_of, decode_label, encode, kind_of, validate
from cupola.labels.facts import UNKNOWN
from cupola.platform.pg.tx import Conn
from cupola.tasks import service
from cupola.tasks.handing_in import service as handing_in
from cupola.tasks.model import RejectReason
from cupola.tasks.working import store
from cupola.tasks.working.store import Home

Fence = Annotated[int, msgspec.Meta(ge=0, le=limits.MAX_FENCE)]


class Reject(msgspec.Struct, forbid_unknown_fields=True):
    """Why what is under review is not right. note: in the reviewer's words."""

    reason: RejectReason
    note: Annotated[str, msgspec.Meta(max_length=limits.MAX_REJECTION_NOTE)] = ""


class JudgementIn(msgspec.Struct, forbid_unknown_fields=True):
    """One judgement of a submit: seconds is the time its maker spent. accept, reject: of a review, in the place of a
    label."""

    task: UUID
    label: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    seconds: float = 0.0
    accept: bool = False
    reject: Reject | None = None


class SubmitIn(msgspec.Struct, forbid_unknown_fields=True):
    fence: Fence
    judgements: list[JudgementIn]


@dataclass(slots=True)
class Said:
    """Columns of the judgements. reasons, notes: None where nothing is rejected, else of each one, None where it
    rejects nothing."""

    labels: list[str] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    reasons: list[str | None] | None = None
    notes: list[str | None] | None = None


def malformed(error: Exception) -> Problem:
    """What a body is refused with that is not what its address takes."""
    return invalid("body-malformed", f"The body is not what this address takes: {error}.", remedy="See /docs.")


def decoded(body: bytes) -> SubmitIn:
    """Raises Problem(INVALID) for what is no submit, or one of too many judgements."""
    try:
        asked = _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise malformed(error) from error
    each_once(body)
    if not 1 <= len(asked.judgements) <= limits.MAX_PAGE_TASKS:
        raise invalid("judgements-count", f"Send 1 to {limits.MAX_PAGE_TASKS} judgements.", place="/judgements")
    return asked


async def checked(
    conn: Conn, home: Home, ontology: Ontology, assignment: UUID, judgements: Sequence[JudgementIn]
) -> Said:
    """Raises Problem(INVALID) with the place of the first thing that does not fit."""
    facts: dict[UUID, ItemFacts] = {}
    if kind_of(ontology).looks_at:
        rows = await store.FACTS.all(conn, tenant=home.tenant, worker=home.worker, assignment=assignment)
        facts = {row.task: service.facts_from(row) for row in rows}
    there = await handing_in.for_page(conn, home.tenant, home.worker, assignment, ontology)
    under = await _under_review(conn, home, assignment, judgements)
    out = Said()
    seen: set[UUID] = set()
    for n, judgement in enumerate(judgements):
        if judgement.task in seen:
            raise invalid("task-twice", "A task stands twice in one submit.", place=f"/judgements/{n}/task")
        seen.add(judgement.task)
        if not 0 <= judgement.seconds <= limits.MAX_SECONDS_PER_TASK:
            raise invalid(
                "seconds-range",
                f"Seconds lie between 0 and {limits.MAX_SECONDS_PER_TASK}.",
                place=f"/judgements/{n}/seconds",
            )
        said = _said(judgement, under, n)
        if len(said) > limits.MAX_LABEL_BYTES:
            raise Problem(Kind.TOO_LARGE, "label-too-large", "A label is too large.", place=f"/judgements/{n}/label")
        try:
            label = decode_label(said)
            validate(label, ontology, facts.get(judgement.task, UNKNOWN))
            if ontology.asks_files:
                handing_in.check(label, there.get(judgement.task, ()))
        except Problem as problem:
            problem.place = f"/judgements/{n}/label{problem.place}"
            raise
        out.labels.append(encode(label).decode())
        out.codes.append(code_of(label, ontology))
        out.seconds.append(judgement.seconds)
    if any(judgement.reject for judgement in judgements):
        out.reasons = [one.reject.reason if one.reject else None for one in judgements]
        out.notes = [one.reject.note.strip() if one.reject else None for one in judgements]
    return out


async def _under_review(
    conn: Conn, home: Home, assignment: UUID, judgements: Sequence[JudgementIn]
) -> dict[UUID, bytes]:
    """What is accepted or rejected by those judgements that only say so."""
    about = [(n, one) for n, one in enumerate(judgements) if one.accept or one.reject]
    if not about:
        return {}
    if home.does != "review":
        n, one = about[0]
        raise invalid(
            "nothing-to-accept" if one.accept else "nothing-to-reject",
            "Only a review accepts or rejects: at this stage there is a label to be given.",
            place=f"/judgements/{n}/{'accept' if one.accept else 'reject'}",
            remedy="Send the label.",
        )
    for n, one in about:
        if one.reject and one.reject.reason == "other" and not one.reject.note.strip():
            raise invalid(
                "rejection-unsaid",
                "Another reason wants words: whoever made this is to learn what is wrong with it.",
                place=f"/judgements/{n}/reject/note",
                remedy="Say what is wrong.",
            )
    rows = await store.REVIEWED.all(conn, tenant=home.tenant, worker=home.worker, assignment=assignment)
    return {row.task: row.label.encode() for row in rows}


def _said(judgement: JudgementIn, under: dict[UUID, bytes], n: int) -> bytes:
    """The label of a judgement as JSON: its own, or the one under review that it accepts or rejects."""
    if judgement.accept + (judgement.reject is not None) + (judgement.label is not msgspec.UNSET) != 1:
        raise invalid(
            "label-or-accept",
            "A judgement has a label or, in a review, accepts or rejects the one under review; one of these.",
            place=f"/judgements/{n}",
            remedy="Send a label; or in a review accept: true, or reject with a reason.",
        )
    if isinstance(judgement.label, msgspec.Raw):
        return bytes(judgement.label)
    found = under.get(judgement.task)
    if found is None:
        raise invalid(
            "task-not-on-page",
            "This task is not under review on this page; nothing of the submit was kept.",
            place=f"/judgements/{n}/task",
            remedy="Send the tasks that the claim answered with.",
        )
    return found


_decoder = msgspec.json.Decoder(SubmitIn)
