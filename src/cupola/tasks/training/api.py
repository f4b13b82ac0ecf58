"""Routes of training, for requesters. Workers meet it at the addresses of work."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.kernel.errors import not_found
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.web import Manager, Reviewer, post, reply, runtime
from cupola.tasks.training import service
from cupola.tasks.training.model import Training

router = APIRouter(tags=["projects"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Lesson(_Body):
    ref: str = Field(min_length=1, max_length=1024, description="An item of the project's dataset.")
    label: dict[str, Any] = Field(description="What is right.")


class NewTraining(_Body):
    labels: Annotated[list[Lesson], Field(max_length=1_000)] = []
    pass_share: float | None = Field(default=None, ge=0.1, le=1, description="Right of the last ten, to pass (0.8).")


@router.get("/api/projects/{project}/training", response_model=Training)
async def get_training(request: Request, who: Reviewer, project: UUID) -> Response:
    """What newcomers are trained with, and how many passed."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        view = await service.of_project(conn, who.tenant, project)
    if view is None:
        raise not_found("training")
    return reply(view)


@router.post("/api/projects/{project}/training", response_model=Training, status_code=201)
async def post_training(request: Request, who: Manager, project: UUID, body: NewTraining) -> Response:
    """Add labels to learn from, and say what it takes to pass. The first call makes the training project: allot it
    money (its id is `training`), then open it."""
    run = runtime(request)

    async def work(conn: Conn) -> Training:
        await service.beside(conn, run, who.tenant, project, body.pass_share)
        return await service.teach(conn, run, who.tenant, project, [(one.ref, one.label) for one in body.labels])

    return await post(request, who, work)


@router.post("/api/projects/{project}/training/open", response_model=Training)
async def open_training(request: Request, who: Manager, project: UUID) -> Response:
    """Offer the training to newcomers, before the project. It is paid like the project."""
    return await post(request, who, lambda conn: service.open_up(conn, who.tenant, project), status=200)
