"""The verbs of both sides: look, accept, reject; appeal, answer. What ran out is decided before anything is read.

A requester's verbs run in the caller's transaction of the tenant (APP); a worker's open one for each tenant they know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.appeals import model, store
from cupola.appeals.model import Appeal, Evidence, LabelPart, RejectReason, Submission, SubmissionDetail, WhyRejected
from cupola.catalog.showing import Show, read
from cupola.kernel import clock, ids, states
from cupola.kernel.errors import Problem, conflict, invalid, not_found
from cupola.labels import Label, Ontology, apart, decode_label, encode, label_from, same, units, validate
from cupola.ontology import service as ontologies
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime, short_name
from cupola.tasks import service as tasks

URL_LIFE_S = 3600
DUE_BATCH = 500


async def due(conn: Conn, tenant: UUID) -> int:
    """Do what ran out in a tenant by now; returns how much. Called before every read of what it may change."""
    return await store.DUE.one(conn, tenant=tenant, limit=DUE_BATCH, now=clock.now())


async def all_due(run: Runtime) -> int:
    """The same for every tenant that has something, whoever reads; returns how much. Safe in several processes."""
    async with run.db.tx(Role.OPS) as conn:
        tenants = await store.DUE_TENANTS.all(conn, now=clock.now())
    done = 0
    for row in tenants:
        async with run.db.tx(Role.APP, tenant=row.tenant) as conn:
            done += await due(conn, row.tenant)
    return done


def _view(row: store.SubmissionRow, *, ours: bool) -> Submission:
    rejection = None
    if row.reason is not None:
        assert row.rejected_at is not None
        assert row.appeal_by is not None
        assert row.evidence is not None
        rejection = WhyRejected(
            row.reason,
            row.place or "",
            row.part,
            row.note or "",
            row.evidence,
            msgspec.Raw(row.corrected.encode()) if row.corrected else None,
            row.rejected_at,
            row.appeal_by,
            row.upheld,
            row.how,
        )
    appeal = None
    if row.appeal is not None:
        assert row.appeal_state is not None
        assert row.appealed_at is not None
        assert row.answer_by is not None
        assert row.panel_by is not None
        appeal = Appeal(
            row.appeal,
            states.APPEAL[row.appeal_state],
            row.words or "",
            row.appealed_at,
            row.answer_by,
            row.answer or "",
            row.answered_at,
            row.panel_by,
            row.verdict_at,
            row.votes,
        )
    return Submission(
        row.id,
        row.task,
        row.project,
        row.project_name,
        short_name(row.worker) if ours else None,
        states.SUBMISSION[row.state],
        msgspec.Raw(row.label.encode()),
        row.price_minor,
        row.currency,
        row.seconds,
        row.at,
        row.due_at,
        row.doubts,
        row.frozen,
        rejection,
        appeal,
        model.steps(row),
    )


# ---------------------------------------------------------------- requesters (APP)
async def submissions(
    conn: Conn,
    tenant: UUID,
    *,
    project: UUID | None,
    state: str | None,
    appealed: bool,
    before: UUID | None,
    limit: int,
) -> list[Submission]:
    """What is or was under review, the newest first."""
    await due(conn, tenant)
    rows = await store.OURS.all(
        conn,
        tenant=tenant,
        project=project,
        state=None if state is None else states.SUBMISSION.index(state),
        appealed=appealed,
        before=before or ids.LAST,
        limit=limit,
    )
    return [_view(row, ours=True) for row in rows]


async def submission(conn: Conn, tenant: UUID, submission: UUID) -> Submission:
    """Raises Problem(NOT_FOUND)."""
    await due(conn, tenant)
    row = await store.OUR_ONE.maybe(conn, tenant=tenant, id=submission)
    if row is None:
        raise not_found("submission")
    return _view(row, ours=True)


async def _detail(conn: Conn, run: Runtime, tenant: UUID, one: Submission, bound_to: str) -> SubmissionDetail:
    about = await store.ABOUT.one(conn, tenant=tenant, id=one.id)
    version = await ontologies.decoded(conn, tenant, about.ontology_version)
    item = Show(run, tenant, bound_to, URL_LIFE_S).item(read(about.item))
    parts = parts_of(decode_label(bytes(one.label)), version.ontology)
    return SubmissionDetail(one, about.kind, msgspec.to_builtins(version.ontology), version.guidelines, item, parts)


def parts_of(label: Label, ontology: Ontology) -> list[LabelPart]:
    """What of a label somebody can point at; nothing where it is one."""
    found = units(label, ontology)
    return [LabelPart(one.name, one.words) for one in found] if len(found) > 1 else []


async def detail(conn: Conn, run: Runtime, tenant: UUID, of: UUID, bound_to: str) -> SubmissionDetail:
    """A submission with what it is about, for its requester."""
    return await _detail(conn, run, tenant, await submission(conn, tenant, of), bound_to)


async def accept(conn: Conn, tenant: UUID, submissions: Sequence[UUID]) -> int:
    """Accept and pay what waits of these; returns how many were. What was decided before stays as it was."""
    await due(conn, tenant)
    return await store.AGREE.one(conn, tenant=tenant, ids=list(submissions), now=clock.now())


async def reject(
    conn: Conn,
    tenant: UUID,
    by: UUID,
    of: UUID,
    *,
    reason: RejectReason,
    place: str,
    part: str | None = None,
    note: str,
    evidence: Evidence,
    corrected: dict[str, Any] | None,
) -> Submission:
    """Reject what waits, with a reason, a place and evidence. The label is not the requester's; the worker may appeal.

    by: the person, or the key. evidence "reviewers" takes two of them: the first one's finding is kept, and the work
    waits on, until another finds the same. Raises Problem: NOT_FOUND; INVALID for evidence that is none; CONFLICT
    "review-over", "batch-frozen".
    """
    await due(conn, tenant)
    row = await store.JUDGED_BY.maybe(conn, tenant=tenant, id=of)
    if row is None:
        raise not_found("submission")
    if reason == "other" and not note.strip():
        raise invalid(
            "rejection-unsaid",
            "Another reason wants words: whoever made this is to learn what is wrong with it.",
            place="/note",
            remedy="Say what is wrong.",
        )
    right: str | None = None
    if (corrected is not None) != (evidence == "corrected"):
        raise invalid(
            "evidence-other",
            "The label as it should be belongs to the evidence “corrected”, and to no other.",
            place="/corrected",
            remedy="Send it with that evidence, or leave it out.",
        )
    if corrected is not None:
        right = await _differs(conn, tenant, row, corrected, part)
    elif evidence == "gold":
        await _gold_differs(conn, tenant, row, part)
    elif part is not None:
        _among(part, (await ontologies.decoded(conn, tenant, row.ontology_version)).ontology, decode_label(row.label))
    second: UUID | None = None
    if evidence == "reviewers":
        second = await store.DOUBT_OF_ANOTHER.maybe(conn, tenant=tenant, id=of, person=by, reason=reason)
        if second is None:
            if row.state != states.SUBMISSION.index("waiting"):
                raise _over()
            await store.DOUBT.run(
                conn, tenant=tenant, id=of, person=by, reason=reason, place=place, note=note, now=clock.now()
            )
            return await submission(conn, tenant, of)
    try:
        await store.REJECT.one(
            conn,
            tenant=tenant,
            id=of,
            reason=reason,
            place=place,
            part=part,
            note=note.strip(),
            evidence=evidence,
            corrected=right,
            second=second,
            rejecter=by,
            least=model.FREEZE_LEAST,
            share=model.FREEZE_SHARE,
            span=model.BATCH_SPAN,
            now=clock.now(),
        )
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        if error.diag.message_primary == "frozen":
            raise conflict(
                "batch-frozen",
                "So much of this project's work was rejected that its reviews are frozen until an operator has looked.",
                remedy="Accept what is right; whatever waits is accepted by itself when its time is over.",
            ) from error
        raise _over() from error
    return await submission(conn, tenant, of)


def _over() -> Problem:
    return conflict(
        "review-over",
        "This was decided already, or its time for a look is over: it is accepted and paid.",
        remedy="Load it again.",
    )


async def _differs(conn: Conn, tenant: UUID, row: store.JudgedBy, corrected: dict[str, Any], part: str | None) -> str:
    ontology = (await ontologies.decoded(conn, tenant, row.ontology_version)).ontology
    try:
        label = label_from(corrected)
        validate(label, ontology, await tasks.facts_of(conn, tenant, row.task))
    except Problem as problem:
        problem.place = f"/corrected{problem.place}"
        raise
    if same(decode_label(row.label), label, ontology):
        raise _agrees("/corrected")
    if part is not None:
        _among(part, ontology, decode_label(row.label), label)
    return encode(label).decode()


async def _gold_differs(conn: Conn, tenant: UUID, row: store.JudgedBy, part: str | None) -> None:
    if row.gold_label is None:
        raise invalid(
            "evidence-no-gold",
            "This task is no gold: there is no known answer to hold against the work.",
            place="/evidence",
            remedy="Send the label as it should be, or have a second reviewer look.",
        )
    ontology = (await ontologies.decoded(conn, tenant, row.ontology_version)).ontology
    if same(decode_label(row.label), decode_label(row.gold_label), ontology):
        raise _agrees("/evidence")
    if part is not None:
        _among(part, ontology, decode_label(row.label), decode_label(row.gold_label))


def _among(part: str, ontology: Ontology, made: Label, right: Label | None = None) -> None:
    """Whether a label has such a part, and what should be there instead says otherwise of it."""
    names = [one.name for one in units(made, ontology)]
    if part not in names:
        raise invalid(
            "part-unknown",
            f"The label has no part “{part}”.",
            place="/part",
            remedy="Name one of `parts`, or leave it out where the label lacks something.",
        )
    if right is not None and part not in apart(made, right, ontology)[0]:
        raise invalid(
            "part-agrees",
            f"The evidence says the same of “{part}” as the work does.",
            place="/part",
            remedy="Name a part that it says otherwise of, or leave it out.",
        )


def _agrees(place: str) -> Problem:
    return invalid(
        "evidence-agrees",
        "The evidence says the same as the work: there is nothing to reject.",
        place=place,
        remedy="Accept it, or send the label as it should be.",
    )


async def answer(conn: Conn, tenant: UUID, appeal: UUID, *, stands: bool, words: str) -> Submission:
    """Take the rejection back, or stand by it before a panel, whose pay is reserved from the project's budget.

    Raises Problem: NOT_FOUND; CONFLICT "appeal-answered", "hearing-unpaid".
    """
    await due(conn, tenant)
    of = await store.OF_APPEAL.maybe(conn, tenant=tenant, appeal=appeal)
    if of is None:
        raise not_found("appeal")
    currency = await store.CURRENCY_OF_APPEAL.one(conn, tenant=tenant, appeal=appeal)
    seat_minor = model.panel_pay_minor(currency, model.PANEL_SEAT_S)
    try:
        async with conn.transaction():
            await store.ANSWER.run(
                conn, tenant=tenant, appeal=appeal, stands=stands, words=words, seat_minor=seat_minor, now=clock.now()
            )
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise conflict(
            "appeal-answered",
            "This appeal was answered already, or its time for an answer is over: the worker has won.",
            remedy="Load it again.",
        ) from error
    except psycopg.errors.CheckViolation as error:
        raise conflict(
            "hearing-unpaid",
            "A panel is paid for its time, and the project's budget does not hold what it costs at most.",
            remedy="Allot more to the project, or take the rejection back.",
        ) from error
    return await submission(conn, tenant, of)


# ---------------------------------------------------------------- workers (GATEWAY)
async def _homes(run: Runtime, person: UUID) -> list[store.Admitted]:
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        return await store.ADMITTED.all(conn, person=person)


async def my_submissions(run: Runtime, person: UUID, before: UUID | None, limit: int) -> list[Submission]:
    """What a person submitted that is or was reviewed first, over all tenants, the newest first."""
    found: list[Submission] = []
    for home in await _homes(run, person):
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
            await due(conn, home.tenant)
            rows = await store.MINE.all(
                conn, tenant=home.tenant, worker=home.worker, before=before or ids.LAST, limit=limit
            )
        found += [_view(row, ours=False) for row in rows]
    return sorted(found, key=lambda one: one.id, reverse=True)[:limit]


async def my_submission(run: Runtime, person: UUID, of: UUID) -> SubmissionDetail:
    """One of them with what it is about. Raises Problem(NOT_FOUND)."""
    for home in await _homes(run, person):
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
            await due(conn, home.tenant)
            row = await store.MY_ONE.maybe(conn, tenant=home.tenant, worker=home.worker, id=of)
            if row is not None:
                return await _detail(conn, run, home.tenant, _view(row, ours=False), f"person:{person}")
    raise not_found("submission")


async def file(run: Runtime, person: UUID, of: UUID, words: str) -> SubmissionDetail:
    """Appeal against the rejection of one's own work; a second time it is the same appeal.

    Raises Problem: NOT_FOUND; CONFLICT "not-rejected", "appeal-late".
    """
    for home in await _homes(run, person):
        async with run.db.tx(Role.GATEWAY, tenant=home.tenant, worker=home.worker, person=person) as conn:
            await due(conn, home.tenant)
            try:
                made = await store.FILE.maybe(
                    conn,
                    tenant=home.tenant,
                    worker=home.worker,
                    submission=of,
                    id=ids.uuid7(),
                    words=words,
                    now=clock.now(),
                )
            except psycopg.errors.ObjectNotInPrerequisiteState as error:
                if error.diag.message_primary == "not-rejected":
                    raise conflict(
                        "not-rejected",
                        "This work was not rejected, so there is nothing to appeal against.",
                        remedy="It waits for a look, or is paid already.",
                    ) from error
                raise conflict(
                    "appeal-late",
                    "The 14 days in which this rejection could be appealed against are over.",
                    remedy="Write to the operator of this instance if you were kept from it.",
                ) from error
        if made is not None:
            return await my_submission(run, person, of)
    raise not_found("submission")
