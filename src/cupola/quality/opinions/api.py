"""Routes of opinions: what models say of a project's tasks."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.kernel import limits
from cupola.platform.pg.tx import Role
from cupola.platform.web import Cursor, Limit, Listed, Manager, Reviewer, decode_cursor, listed, post, runtime
from cupola.quality.opinions import service
from cupola.quality.opinions.model import Given, HeardModel, Kept, Opinion

router = APIRouter(tags=["opinions"])
Name = Annotated[str, Field(min_length=1, max_length=limits.MAX_NAME_CHARS)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class OpinionIn(_Body):
    task: UUID | None = None
    ref: str | None = Field(default=None, min_length=1, max_length=limits.MAX_REF_CHARS)
    label: dict[str, Any] | None = None
    probabilities: dict[str, float] | None = Field(default=None, max_length=limits.MAX_CLASSES)
    confidence: float | None = Field(default=None, ge=0, le=1)


class NewOpinions(_Body):
    model: Name
    model_version: Name
    opinions: list[OpinionIn] = Field(min_length=1, max_length=limits.MAX_OPINIONS)


@router.post("/api/projects/{project}/opinions", response_model=Kept, status_code=201)
async def post_opinions(request: Request, who: Manager, project: UUID, body: NewOpinions) -> Response:
    """Keep what one version of a model says of tasks; the same said again changes nothing.

    Predictions must be out of fold: of tasks that this version was not trained on.
    """
    given = [Given(one.task, one.ref, one.label, one.probabilities, one.confidence) for one in body.opinions]
    return await post(
        request,
        who,
        lambda conn: service.give(conn, who.tenant, project, body.model, body.model_version, given),
    )


@router.get("/api/projects/{project}/opinions", response_model=Listed[Opinion])
async def get_opinions(
    request: Request,
    who: Reviewer,
    project: UUID,
    limit: Limit = 50,
    cursor: Cursor = None,
    model: Annotated[str | None, Query(max_length=limits.MAX_NAME_CHARS)] = None,
    model_version: Annotated[str | None, Query(max_length=limits.MAX_NAME_CHARS, description="With `model`.")] = None,
    task: Annotated[UUID | None, Query()] = None,
) -> Response:
    """What models said of the project's tasks, oldest first."""
    after = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.opinions(
            conn,
            who.tenant,
            project,
            model=model,
            version=model_version,
            task=task,
            after=after,
            limit=limit + 1,
        )
    return listed(rows, limit, lambda row: row.id)


@router.get("/api/projects/{project}/opinions/models", response_model=Listed[HeardModel])
async def get_models(
    request: Request, who: Reviewer, project: UUID, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The versions of models that spoke in the project, and how far each is heard."""
    after = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await service.models(conn, who.tenant, project, after, limit + 1)
    return listed(rows, limit, lambda row: row.id)
