"""Routes of quality: a project's dashboard, the estimate before launch, the adjudicator's queue."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.platform.pg.tx import Role
from cupola.platform.web import (
    Cursor,
    Limit,
    Listed,
    Reviewer,
    decode_cursor,
    listed,
    post,
    reply,
    runtime,
)
from cupola.quality import adjudication, dashboard, decisions
from cupola.quality.decisions import Replayed
from cupola.quality.model import Doubtful, Estimate, ProjectQuality, Settled, Unclear, WhatIf
from cupola.tasks import service as tasks_service
from cupola.tasks.model import Opinions, Plan, TaskDetail

router = APIRouter(tags=["quality"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class EstimatePlan(_Body):
    target_accuracy: float = Field(default=0.99, ge=0.5, le=0.9999)
    confidence: float = Field(default=0.95, ge=0.5, le=0.9999)
    min_judgements: int = Field(default=1, ge=1, le=50)
    max_judgements: int = Field(default=5, ge=1, le=50)
    gold_rate: float = Field(default=0.05, ge=0, le=0.5)
    audit_items: int = Field(default=330, ge=0, le=1_000_000)
    opinions: Opinions = "heard"
    expert_cost: float = Field(default=10.0, gt=0, le=1_000, description="Of an expert's answer, in judgements.")


class EstimateOffer(_Body):
    price_minor: int = Field(gt=0, le=10**9)
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    estimate_median_s: float | None = None
    estimate_p75_s: float | None = None


class EstimateFix(_Body):
    price_minor: int = Field(gt=0, le=10**9)


class EstimateReview(EstimateFix):
    fix: EstimateFix | None = None


class EstimateIn(_Body):
    items: int = Field(ge=1, le=100_000_000)
    classes: int = Field(default=10, ge=1, le=10_000)
    skill: float | None = Field(default=None, gt=0, lt=1, description="Expected share of right answers of a person.")
    plan: EstimatePlan = EstimatePlan()
    offer: EstimateOffer
    reviews: list[EstimateReview] = Field(default=[], max_length=3, description="As of a new project.")


class Verdict(_Body):
    label: dict[str, Any] | None = None
    undecidable: bool = False
    note: str = Field(default="", max_length=2_000)


@router.post("/api/projects/estimate", response_model=Estimate, status_code=200)
async def post_estimate(request: Request, who: Reviewer, body: EstimateIn) -> Response:
    """What a plan will likely need and cost, with an interval: simulated on a crowd like the ones measured."""
    run = runtime(request)
    plan = Plan(**body.plan.model_dump())
    estimate = await dashboard.estimate(
        plan,
        body.items,
        body.classes,
        body.skill,
        body.offer.price_minor,
        body.offer.currency,
        run.settings.fee_bp,
        run.settings.insurance_bp,
        [(one.price_minor, one.fix.price_minor if one.fix else None) for one in body.reviews],
    )
    return reply(estimate)


@router.get("/api/projects/{project}/quality", response_model=ProjectQuality)
async def get_quality(request: Request, who: Reviewer, project: UUID) -> Response:
    """The project's quality: posteriors, agreement, contributors, confusion, progress, what is still to come."""
    return reply(await dashboard.quality(runtime(request), who.tenant, project))


@router.get("/api/projects/{project}/what-if", response_model=WhatIf)
async def get_what_if(
    request: Request,
    who: Reviewer,
    project: UUID,
    target: Annotated[float, Query(ge=0.5, le=0.9999, description="The accuracy to ask about.")],
) -> Response:
    """What another target would take from here, with the crowd as it has shown itself."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await dashboard.what_if(conn, who.tenant, project, target))


@router.get("/api/projects/{project}/guideline-queue", response_model=Listed[Unclear])
async def get_guideline_queue(
    request: Request, who: Reviewer, project: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Tasks that experts could not decide or decided differently: what the guideline does not say."""
    after = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await adjudication.unclear(conn, who.tenant, project, after, limit + 1)
    return listed(rows, limit, lambda row: row.task)


@router.get("/api/tasks/{task}/decisions", response_model=list[Replayed])
async def get_decisions(request: Request, who: Reviewer, task: UUID) -> Response:
    """Every decision about a task, computed again from its stored model version and judgements."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await decisions.replay(conn, who.tenant, task))


@router.get("/api/adjudication", response_model=Listed[Doubtful])
async def get_doubtful(
    request: Request,
    who: Reviewer,
    limit: Limit = 50,
    cursor: Cursor = None,
    project: Annotated[UUID | None, Query()] = None,
) -> Response:
    """The tasks the crowd could not settle, oldest first."""
    run = runtime(request)
    after = decode_cursor(cursor, UUID)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await adjudication.doubtful(conn, run, who.tenant, project, after, limit + 1, who.name)
    return listed(rows, limit, lambda row: row.task)


@router.get("/api/adjudication/{task}", response_model=TaskDetail)
async def get_doubtful_task(request: Request, who: Reviewer, task: UUID) -> Response:
    """One task with all its judgements side by side."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await tasks_service.task_detail(conn, run, who.tenant, task, who.name))


@router.post("/api/adjudication/{task}", response_model=Settled, status_code=201)
async def post_verdict(request: Request, who: Reviewer, task: UUID, body: Verdict) -> Response:
    """Settle a doubtful task by your label, or say that it cannot be decided."""
    return await post(
        request,
        who,
        lambda conn: adjudication.adjudicate(
            conn, who.tenant, task, who.person, body.label, body.undecidable, body.note
        ),
    )
