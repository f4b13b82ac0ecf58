"""Routes of eligibility, for requesters. Contributors read it with what is on offer."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.platform.pg.tx import Role
from cupola.platform.web import Manager, Reviewer, post, reply, runtime
from cupola.workforce.eligibility import model, service
from cupola.workforce.eligibility.service import Look

router = APIRouter(tags=["projects"])


class EligibilityIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    expression: str | None = Field(
        max_length=model.MAX_CHARS,
        description='Whom it is for, e.g. `language = "zh" and exam("radiology") >= 0.9`; null: everybody.',
    )


@router.post("/api/eligibility/look", response_model=Look)
async def post_look(request: Request, who: Reviewer, body: EligibilityIn) -> Response:
    """How many contributors fit an expression, before anything is paid. Who they are is not told."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.look(conn, who.tenant, body.expression))


@router.get("/api/projects/{project}/eligibility", response_model=Look)
async def get_eligibility(request: Request, who: Reviewer, project: UUID) -> Response:
    """Whom a project is for, and how many people that are."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        return reply(await service.of_project(conn, who.tenant, project))


@router.put("/api/projects/{project}/eligibility", response_model=Look)
async def put_eligibility(request: Request, who: Manager, project: UUID, body: EligibilityIn) -> Response:
    """Say whom a project is for. It holds for pages claimed from now on."""
    return await post(request, who, lambda conn: service.ask(conn, who.tenant, project, body.expression), status=200)
