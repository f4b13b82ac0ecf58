"""Routes of projects and tasks, for requesters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from cupola.kernel import ids, limits, states
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import short_name
from cupola.platform.web import (
    Cursor,
    Limit,
    Listed,
    Manager,
    Name,
    Reviewer,
    decode_cursor,
    found,
    listed,
    nothing,
    post,
    reply,
    runtime,
    sends,
)
from cupola.tasks import model, pre_labels, service, stages, store
from cupola.tasks.adding import service as adding
from cupola.tasks.model import Adding, Offer, Plan, Project, TaskDetail, TaskView
from cupola.tasks.pre_labels import PreLabels

router = APIRouter(tags=["projects"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PlanIn(_Body):
    target_accuracy: float = 0.99
    confidence: float = 0.95
    min_judgements: int = 1
    max_judgements: int = 5
    gold_rate: float = 0.05
    audit_items: int = 330
    opinions: model.Opinions = "heard"
    expert_cost: float = Field(default=10.0, description="What an expert's answer costs you, in judgements.")


class OfferIn(_Body):
    price_minor: int = Field(gt=0, le=10**9, description="What the worker gets for one judgement, whole.")
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    estimate_median_s: float | None = Field(default=None, gt=0, le=86_400)
    estimate_p75_s: float | None = Field(default=None, gt=0, le=86_400)


class FixIn(_Body):
    price_minor: int = Field(gt=0, le=10**9, description="What the worker gets for it, whole.")
    estimate_median_s: float | None = Field(default=None, gt=0, le=86_400)
    estimate_p75_s: float | None = Field(default=None, gt=0, le=86_400)

    def price(self) -> stages.StagePrice:
        return stages.StagePrice(self.price_minor, self.estimate_median_s, self.estimate_p75_s)


class ReviewIn(FixIn):
    fix: FixIn | None = Field(
        default=None,
        description="Where what this review rejects goes: to be fixed, by its maker or by somebody else, at a stage of "
        "its own; a review that follows is of what was fixed. Without it what is rejected is an adjudicator's.",
    )

    def stage(self) -> stages.Review:
        fix = None if self.fix is None else self.fix.price()
        return stages.Review(self.price_minor, self.estimate_median_s, self.estimate_p75_s, fix)


class NewOffer(OfferIn):
    stage: int = Field(default=0, ge=0, le=3)


class NewProject(_Body):
    name: Name
    dataset: UUID
    ontology_version: UUID
    plan: PlanIn = PlanIn()
    offer: OfferIn
    page_size: int = Field(default=10, ge=1, le=50)
    lease_s: int = Field(default=1800, ge=5, le=86_400)
    routing: Literal["open", "directed"] = "open"
    reviews: list[ReviewIn] = Field(
        default=[],
        max_length=3,
        description="A further stage each: somebody else accepts, mends or rejects what was drawn.",
    )
    review_first_s: int | None = Field(
        default=None,
        ge=60,
        le=limits.MAX_REVIEW_FIRST_S,
        description="Look at each submission before it is paid, within so many seconds (at most 72 h); one that nobody "
        "looked at by then is accepted and paid. Shown to everybody before they claim. Left out: paid on submit.",
    )


class NewGuidelines(_Body):
    ontology_version: UUID


class NewTasks(_Body):
    dataset: UUID | None = None
    gold_share: float = Field(default=1.0, ge=0, le=1)


class GoldLabel(_Body):
    ref: str = Field(min_length=1, max_length=1024)
    label: dict[str, Any]


class NewGold(_Body):
    labels: list[GoldLabel] = Field(min_length=1, max_length=10_000)


class Made(_Body):
    created: int


@dataclass(frozen=True, slots=True)
class MadeTasks:
    """created: how many tasks are new; adding: how far the making of the others is, None when these are all;
    pre_labels: how the items' pre-labels fit this project, None without any."""

    created: int
    adding: Adding | None
    pre_labels: PreLabels | None


@router.post("/api/projects", response_model=Project, status_code=201)
async def post_project(request: Request, who: Manager, body: NewProject) -> Response:
    """A project in the state draft."""
    run = runtime(request)
    new = stages.NewProject(
        body.name,
        body.dataset,
        body.ontology_version,
        Plan(**body.plan.model_dump()),
        body.offer.price_minor,
        body.offer.currency,
        body.offer.estimate_median_s,
        body.offer.estimate_p75_s,
        body.page_size,
        body.lease_s,
        body.routing,
        tuple(one.stage() for one in body.reviews),
        body.review_first_s,
    )
    return await post(request, who, lambda conn: service.create_project(conn, run, who.tenant, new))


@router.get("/api/projects", response_model=Listed[Project])
async def get_projects(request: Request, who: Reviewer, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The tenant's projects, newest first."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.projects(conn, who.tenant, before, limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.get("/api/projects/{project}", response_model=Project)
async def get_project(request: Request, who: Reviewer, project: UUID) -> Response:
    """One project with its counts and its money."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.project_view(conn, who.tenant, project))


@router.post("/api/projects/{project}/tasks", response_model=MadeTasks, status_code=201)
async def post_tasks(request: Request, who: Manager, project: UUID, body: NewTasks) -> Response:
    """One task for each item of the dataset that has none yet. Can be sent again after a further import.

    Of a large dataset the first are made here and the others by a job, about which the project says how far it is.
    """

    async def work(conn: Any) -> MadeTasks:
        added = await adding.add_tasks(conn, who.tenant, project, body.dataset, body.gold_share)
        row, ontology = await service.project_and_ontology(conn, who.tenant, project)
        fit = await pre_labels.look(conn, who.tenant, body.dataset or row.dataset, ontology)
        return MadeTasks(added.made, added.adding, fit)

    return await post(request, who, work)


@router.get(
    "/api/projects/{project}/pre-labels",
    response_model=PreLabels,
    responses={204: {"description": "The project's dataset has no pre-labels."}},
)
async def get_pre_labels(request: Request, who: Reviewer, project: UUID) -> Response:
    """How the pre-labels of the project's dataset fit it: what of them is shown, what is left out, and why."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        row, ontology = await service.project_and_ontology(conn, who.tenant, project)
        found = await pre_labels.look(conn, who.tenant, row.dataset, ontology)
    return nothing() if found is None else reply(found)


@router.post("/api/projects/{project}/gold", response_model=Made, status_code=201)
async def post_gold(request: Request, who: Manager, project: UUID, body: NewGold) -> Response:
    """Turn tasks that nobody has judged into gold."""

    async def work(conn: Any) -> dict[str, int]:
        given = [(one.ref, one.label) for one in body.labels]
        made = await service.add_gold(conn, who.tenant, project, given)
        await adding.hide_what_tells(conn, who.tenant, project)
        return {"created": made}

    return await post(request, who, work)


@router.post("/api/projects/{project}/guidelines", response_model=Project)
async def post_guidelines(request: Request, who: Manager, project: UUID, body: NewGuidelines) -> Response:
    """Take a version of the ontology with the same labels and other guidelines, for pages claimed from now on."""
    return await post(
        request,
        who,
        lambda conn: service.take_guidelines(conn, who.tenant, project, body.ontology_version),
        status=200,
    )


@router.post("/api/projects/{project}/offers", response_model=Offer, status_code=201)
async def post_offer(request: Request, who: Manager, project: UUID, body: NewOffer) -> Response:
    """A new version of the offer of a stage, for pages claimed from now on."""
    run = runtime(request)
    return await post(
        request,
        who,
        lambda conn: service.change_offer(
            conn,
            run,
            who.tenant,
            project,
            stages.StagePrice(body.price_minor, body.estimate_median_s, body.estimate_p75_s),
            body.stage,
        ),
    )


@router.get("/api/projects/{project}/offers", response_model=list[Offer])
async def get_offers(request: Request, who: Reviewer, project: UUID) -> Response:
    """Every version of the offer, newest first (at most 100)."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        found(await store.PROJECT.maybe(conn, tenant=who.tenant, id=project), "project")
        return reply(await store.OFFERS.all(conn, tenant=who.tenant, project=project))


async def _move(request: Request, who: Manager, project: UUID, verb: str) -> Response:
    return await post(request, who, lambda conn: service.move_project(conn, who.tenant, project, verb), status=200)


@router.post("/api/projects/{project}/launch", response_model=Project)
async def post_launch(request: Request, who: Manager, project: UUID) -> Response:
    """Offer the project's tasks. Needs tasks and allotted money."""
    return await _move(request, who, project, "launch")


@router.post("/api/projects/{project}/pause", response_model=Project)
async def post_pause(request: Request, who: Manager, project: UUID) -> Response:
    """Take no new claims until `resume`. What is claimed goes on and is paid."""
    return await _move(request, who, project, "pause")


@router.post("/api/projects/{project}/resume", response_model=Project)
async def post_resume(request: Request, who: Manager, project: UUID) -> Response:
    """Offer the project's tasks again."""
    return await _move(request, who, project, "resume")


@router.post("/api/projects/{project}/stop", response_model=Project)
async def post_stop(request: Request, who: Manager, project: UUID) -> Response:
    """End the project for new claims, for good. What is claimed goes on and is paid."""
    return await _move(request, who, project, "stop")


@router.get("/api/projects/{project}/tasks", response_model=Listed[TaskView])
async def get_tasks(
    request: Request,
    who: Reviewer,
    project: UUID,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: states.TaskWord | Literal["gold"] | None = None,
    ref: Annotated[str | None, Query(max_length=1024, description="The reference starts with this.")] = None,
) -> Response:
    """The project's tasks in the order of the queue."""
    after = decode_cursor(cursor, int)
    number = states.TASK.index(state) if state and state != "gold" else None
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        asked: dict[str, Any] = {
            "tenant": who.tenant,
            "project": project,
            "after": after if after is not None else -1,
            "gold": None if state is None else state == "gold",
            "ref": ref,
            "words": list(states.TASK),
            "limit": limit + 1,
        }
        if number is None:
            rows = await store.TASKS.all(conn, **asked)
        else:
            rows = await store.TASKS_IN_STATE.all(conn, state=number, **asked)
        if not rows:
            found(await store.PROJECT.maybe(conn, tenant=who.tenant, id=project), "project")
    return listed(rows, limit, lambda row: row.rank, service.task_document)


@router.get("/api/tasks/{task}", response_model=TaskDetail)
async def get_task(request: Request, who: Reviewer, task: UUID) -> Response:
    """One task with all its judgements and settlements."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.task_detail(conn, run, who.tenant, task, who.name))


@router.get("/api/projects/{project}/judgements", response_class=Response, responses=sends("application/x-ndjson"))
async def get_judgements(request: Request, who: Reviewer, project: UUID) -> Response:
    """Every judgement of the project as JSON lines, streamed."""
    run = runtime(request)
    async with run.db.tx(Role.APP, tenant=who.tenant) as conn:
        found(await store.PROJECT.maybe(conn, tenant=who.tenant, id=project), "project")

    async def lines() -> AsyncIterator[bytes]:
        async for rows in store.JUDGEMENTS_OF_PROJECT.pages(
            run.db, Role.APP, who.tenant, place=lambda row: {"id": row.id}, id=ids.FIRST, project=project
        ):
            yield b"".join(
                msgspec.json.encode(
                    {
                        "judgement": row.id,
                        "task": row.task,
                        "worker": short_name(row.worker),
                        "label": msgspec.Raw(row.label.encode()),
                        "seconds": round(row.seconds, 2),
                        "gold": row.gold,
                        "stage": row.stage,
                        "about": row.about,
                        "rejected": row.rejected,
                        "at": row.at,
                    }
                )
                + b"\n"
                for row in rows
            )

    return StreamingResponse(lines(), media_type="application/x-ndjson")
