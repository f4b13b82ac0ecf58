"""Routes of exams: for requesters, and for those who take them. They are claimed and submitted like all work."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.platform.pg.tx import Role
from cupola.platform.web import Contributor, Manager, Reviewer, post, reply, runtime
from cupola.tasks.exams import model, service
from cupola.tasks.exams.model import Attempt, Exam, Result

router = APIRouter(tags=["projects"])


class NewExam(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    skill: str = Field(min_length=1, max_length=100, description="What it shows; projects ask for it by this name.")
    items: int = Field(default=model.ITEMS, ge=5, le=50, description="Items of one attempt.")
    at_least: float = Field(
        default=model.AT_LEAST, ge=0.1, le=0.99, description="What the lower end of the interval must reach."
    )
    confidence: float = Field(default=model.CONFIDENCE, ge=0.5, le=0.99)
    retake_days: int = Field(default=model.RETAKE_DAYS, ge=0, le=365)
    valid_days: int = Field(default=model.VALID_DAYS, ge=1, le=1825)
    tells: bool = Field(default=True, description="Whether a result shows what would have been right.")
    price_minor: int | None = Field(default=None, gt=0, le=10**9, description="Of an answer; left out: the project's.")


@router.post("/api/projects/{project}/exam", response_model=Exam, status_code=201)
async def post_exam(request: Request, who: Manager, project: UUID, body: NewExam) -> Response:
    """An exam of this project's gold, as a draft: allot it money (its id is `project`), then open it."""
    run = runtime(request)
    rule = model.Rule(body.items, body.at_least, body.confidence, body.retake_days, body.valid_days, body.tells)
    return await post(
        request, who, lambda conn: service.make(conn, run, who.tenant, project, body.skill, rule, body.price_minor)
    )


@router.get("/api/exams", response_model=list[Exam])
async def get_exams(request: Request, who: Reviewer) -> Response:
    """Your exams, by the skills they show (at most 200)."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.exams(conn, who.tenant))


@router.get("/api/exams/{exam}", response_model=Exam)
async def get_exam(request: Request, who: Reviewer, exam: UUID) -> Response:
    """One exam: what it asks, how many passed, how much money it has."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.one(conn, who.tenant, exam))


@router.post("/api/exams/{exam}/open", response_model=Exam)
async def open_exam(request: Request, who: Manager, exam: UUID) -> Response:
    """Offer an exam. Each answer is paid, right or wrong."""
    return await post(request, who, lambda conn: service.open_up(conn, who.tenant, exam), status=200)


@router.get("/api/work/exams", response_model=list[Attempt], tags=["work"])
async def get_attempts(request: Request, person: Contributor) -> Response:
    """The exams that you took: what they showed, until when it holds, and from when you may take one again."""
    return reply(await service.attempts(runtime(request), person))


@router.get("/api/work/exams/{attempt}", response_model=Result, tags=["work"])
async def get_result(request: Request, person: Contributor, attempt: UUID) -> Response:
    """How an attempt went, item by item, once it has ended."""
    return reply(await service.result(runtime(request), person, attempt))
