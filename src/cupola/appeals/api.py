"""Routes of a second look: for requesters, for workers, for who decides, and for the operator."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.appeals import panel, service, store
from cupola.appeals.model import (
    Accepted,
    Case,
    Evidence,
    Freeze,
    Hearing,
    RejectReason,
    Submission,
    SubmissionDetail,
    Voted,
)
from cupola.kernel import clock, limits
from cupola.kernel.errors import not_found
from cupola.kernel.states import SubmissionWord
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.web import (
    Contributor,
    Cursor,
    Limit,
    Listed,
    Manager,
    Member,
    Operator,
    Reviewer,
    decode_cursor,
    found,
    listed,
    nothing,
    post,
    reply,
    runtime,
)

router = APIRouter(tags=["appeals"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class AcceptIn(_Body):
    submissions: list[UUID] = Field(min_length=1, max_length=500)


class RejectIn(_Body):
    reason: RejectReason
    place: str = Field(min_length=1, max_length=500, description="Where: an object, a word, a moment; what to look at.")
    part: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="What of the label it is about, by its name in `parts`: an object, a question. Left out: all.",
    )
    note: str = Field(default="", max_length=limits.MAX_REJECTION_NOTE)
    evidence: Evidence = Field(
        description="gold: the task's known answer says otherwise. reviewers: two of you find the same, each by a "
        "rejection of their own. corrected: the label as it should be."
    )
    corrected: dict[str, Any] | None = None


class AppealIn(_Body):
    words: str = Field(min_length=1, max_length=limits.MAX_APPEAL_WORDS, description="Why the rejection is wrong.")


class AnswerIn(_Body):
    stands: bool = Field(description="False: the rejection is taken back, and the work is paid.")
    words: str = Field(default="", max_length=limits.MAX_APPEAL_WORDS)


class VoteIn(_Body):
    upheld: bool = Field(description="True: the rejection is right.")
    words: str = Field(default="", max_length=limits.MAX_APPEAL_WORDS)


class ThawIn(_Body):
    lifted: bool = Field(description="True: the rejections go on; false: they fall, and the work is paid.")
    note: str = Field(min_length=1, max_length=2_000, description="Why, in words.")


class JudgeIn(_Body):
    judge: bool


# ---------------------------------------------------------------- requesters
@router.get("/api/submissions", response_model=Listed[Submission])
async def get_submissions(
    request: Request,
    who: Reviewer,
    limit: Limit = 50,
    cursor: Cursor = None,
    project: UUID | None = None,
    state: SubmissionWord | None = None,
    appealed: bool = False,
) -> Response:
    """Work that is looked at before it is paid, newest first. What ran out is decided before it is shown."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.submissions(
            conn, who.tenant, project=project, state=state, appealed=appealed, before=before, limit=limit + 1
        )
    return listed(rows, limit, lambda row: row.id)


@router.post("/api/submissions/accept", response_model=Accepted)
async def post_accept(request: Request, who: Reviewer, body: AcceptIn) -> Response:
    """Accept and pay what waits of these; what was decided before stays as it was."""

    async def work(conn: Conn) -> Accepted:
        return Accepted(await service.accept(conn, who.tenant, body.submissions))

    return await post(request, who, work, status=200)


@router.get("/api/submissions/{submission}", response_model=SubmissionDetail)
async def get_submission(request: Request, who: Reviewer, submission: UUID) -> Response:
    """One submission with its item, what was said about it, and what comes next by when."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.detail(conn, run, who.tenant, submission, who.name))


@router.post("/api/submissions/{submission}/reject", response_model=Submission)
async def post_reject(request: Request, who: Reviewer, submission: UUID, body: RejectIn) -> Response:
    """Reject a submission with a reason, a place and evidence. You do not get its label, and its maker may appeal."""

    async def work(conn: Conn) -> Submission:
        return await service.reject(
            conn,
            who.tenant,
            _by(who),
            submission,
            reason=body.reason,
            place=body.place,
            part=body.part,
            note=body.note,
            evidence=body.evidence,
            corrected=body.corrected,
        )

    return await post(request, who, work, status=200)


def _by(who: Member) -> UUID:
    by = who.reader
    assert by is not None, "a member is a person or a key"
    return by


@router.post("/api/appeals/{appeal}/answer", response_model=Submission)
async def post_answer(request: Request, who: Manager, appeal: UUID, body: AnswerIn) -> Response:
    """Answer an appeal within 72 h: take the rejection back, or stand by it before a panel whose time you pay."""
    return await post(
        request,
        who,
        lambda conn: service.answer(conn, who.tenant, appeal, stands=body.stands, words=body.words),
        status=200,
    )


# ---------------------------------------------------------------- workers
@router.get("/api/work/submissions", response_model=Listed[Submission])
async def get_my_submissions(
    request: Request, person: Contributor, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Your work that is looked at before it is paid, newest first: what waits, what was rejected and why."""
    before = decode_cursor(cursor, UUID)
    rows = await service.my_submissions(runtime(request), person, before, limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.get("/api/work/submissions/{submission}", response_model=SubmissionDetail)
async def get_my_submission(request: Request, person: Contributor, submission: UUID) -> Response:
    """One of them with its item and every step so far, each with its deadline."""
    return reply(await service.my_submission(runtime(request), person, submission))


@router.post("/api/work/submissions/{submission}/appeal", response_model=SubmissionDetail)
async def post_appeal(request: Request, person: Contributor, submission: UUID, body: AppealIn) -> Response:
    """Appeal against a rejection, within 14 days. Where nobody answers in time, you have won. Sent twice it is one."""
    return reply(await service.file(runtime(request), person, submission, body.words))


# ---------------------------------------------------------------- who decides
@router.get("/api/work/panel", response_model=list[Case])
async def get_panel(request: Request, person: Contributor) -> Response:
    """Appeals that you may decide. It is paid for its time, however you decide."""
    return reply(await panel.cases(runtime(request), person))


@router.post("/api/work/panel/{hearing}/sit", response_model=Hearing)
async def post_sit(request: Request, person: Contributor, hearing: UUID) -> Response:
    """Take a seat and see the case."""
    return reply(await panel.sit(runtime(request), person, hearing))


@router.get("/api/work/panel/{hearing}", response_model=Hearing)
async def get_hearing(request: Request, person: Contributor, hearing: UUID) -> Response:
    """A case that you sit on."""
    return reply(await panel.hearing(runtime(request), person, hearing))


@router.post("/api/work/panel/{hearing}/vote", response_model=Voted)
async def post_vote(request: Request, person: Contributor, hearing: UUID, body: VoteIn) -> Response:
    """Cast your vote and be paid for your time. Sent twice, the first vote stands."""
    return reply(await panel.vote(runtime(request), person, hearing, upheld=body.upheld, words=body.words))


# ---------------------------------------------------------------- the operator
@router.get("/api/operator/freezes", response_model=list[Freeze], tags=["operator"])
async def get_freezes(request: Request, who: Operator) -> Response:
    """Projects whose reviews are frozen, because too much was rejected at once: figures only, nobody's data."""
    async with runtime(request).db.tx(Role.OPS) as conn:
        return reply(await store.FREEZES.all(conn, limit=limits.MAX_LIST))


@router.post("/api/tenants/{tenant}/freezes/{freeze}", status_code=204, tags=["operator"])
async def post_thaw(request: Request, who: Operator, tenant: UUID, freeze: UUID, body: ThawIn) -> Response:
    """End a freeze: its rejections go on, or they fall. A human's decision, with its reason."""
    async with runtime(request).db.tx(Role.OPS, tenant=tenant) as conn:
        found(await store.FREEZE.maybe(conn, tenant=tenant, id=freeze), "freeze")
        await store.THAW.one(
            conn, tenant=tenant, id=freeze, person=who.person, lifted=body.lifted, note=body.note, now=clock.now()
        )
    return nothing()


@router.put("/api/contributors/{person}/judge", status_code=204, tags=["operator"])
async def put_judge(request: Request, who: Operator, person: UUID, body: JudgeIn) -> Response:
    """Name a contributor a judge of appeals, or no more. Judges take two of three seats, peers the third."""
    async with runtime(request).db.tx(Role.OPS) as conn:
        if not await store.JUDGE.run(conn, person=person, judge=body.judge):
            raise not_found("contributor")
    return nothing()
