"""Routes of work, for contributors. Labels pass as bytes: msgspec decodes and checks them once."""

from __future__ import annotations

from typing import Any, get_args
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.kernel import limits
from cupola.platform.web import (
    Contributor,
    Cursor,
    Limit,
    Listed,
    decode_cursor,
    idempotency_key,
    listed,
    nothing,
    read_body,
    reply,
    runtime,
)
from cupola.tasks import drafting, work
from cupola.tasks.model import Assignment, Rejection, RejectReason, ReturnReason, Submitted

router = APIRouter(tags=["work"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ClaimIn(_Body):
    tasks: int | None = Field(default=None, ge=1, le=50, description="At most so many; the project's page by default.")
    stage: int = Field(default=0, ge=0, le=3, description="The stage of the project that the offer was for.")


class Fenced(_Body):
    fence: int = Field(ge=0, le=limits.MAX_FENCE)


class ReturnIn(Fenced):
    reason: ReturnReason
    note: str = Field(default="", max_length=2_000)


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


_UUID = {"type": "string", "format": "uuid"}
_LABEL = {"type": "object", "description": "A label of the project's kind.", "required": ["kind"]}
_FENCE = {"type": "integer", "minimum": 0, "maximum": limits.MAX_FENCE}
_SUBMIT = {
    "type": "object",
    "required": ["fence", "judgements"],
    "additionalProperties": False,
    "properties": {
        "fence": _FENCE,
        "judgements": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "type": "object",
                "required": ["task"],
                "additionalProperties": False,
                "properties": {
                    "task": _UUID,
                    "label": _LABEL,
                    "accept": {
                        "type": "boolean",
                        "description": "Of a review, instead of a label: the label under review is right as it is.",
                    },
                    "reject": {
                        "type": "object",
                        "description": "Of a review, instead of a label: why the label under review is not right.",
                        "required": ["reason"],
                        "additionalProperties": False,
                        "properties": {
                            "reason": {"enum": list(get_args(RejectReason))},
                            "note": {"type": "string", "maxLength": limits.MAX_REJECTION_NOTE},
                        },
                    },
                    "seconds": {"type": "number", "minimum": 0},
                },
            },
        },
    },
}
_REVISION = {"type": "integer", "minimum": 1, "maximum": limits.MAX_REVISION}
_WRITER = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]*$"}
_DRAFT = {
    "type": "object",
    "required": ["fence", "label", "rev"],
    "additionalProperties": False,
    "properties": {
        "fence": _FENCE,
        "label": _LABEL,
        "rev": _REVISION,
        "writer": _WRITER,
    },
}
_CHANGE = {
    "type": "object",
    "required": ["fence", "writer", "base", "rev", "change"],
    "additionalProperties": False,
    "properties": {
        "fence": _FENCE,
        "writer": _WRITER,
        "base": _REVISION,
        "rev": _REVISION,
        "change": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["is", "put", "gone"],
                    "additionalProperties": False,
                    "properties": {
                        "is": {"const": "objects"},
                        "put": {
                            "type": "array",
                            "items": {
                                "type": "array",
                                "prefixItems": [{"type": "integer", "minimum": 0}, {"type": "object"}],
                                "items": False,
                                "minItems": 2,
                            },
                        },
                        "gone": {"type": "array", "items": {"type": "string"}},
                    },
                },
                {
                    "type": "object",
                    "required": ["is", "from", "drop", "put"],
                    "additionalProperties": False,
                    "properties": {
                        "is": {"const": "text"},
                        "from": {"type": "integer", "minimum": 0},
                        "drop": {"type": "integer", "minimum": 0},
                        "put": {"type": "string"},
                    },
                },
            ]
        },
    },
}


@router.post(
    "/api/work/projects/{project}/claim",
    response_model=Assignment,
    responses={204: {"description": "Nothing to do here at the moment."}},
)
async def post_claim(request: Request, person: Contributor, project: UUID, body: ClaimIn | None = None) -> Response:
    """Lease a page of tasks; its money is reserved before you see it."""
    asked = body or ClaimIn()
    page = await work.claim(runtime(request), person, project, asked.tasks, idempotency_key(request), stage=asked.stage)
    return nothing() if page is None else reply(page)


@router.get("/api/work/assignments", response_model=list[Assignment])
async def get_assignments(request: Request, person: Contributor) -> Response:
    """The pages you hold (at most 100)."""
    return reply(await work.open_pages(runtime(request), person))


@router.get("/api/work/assignments/{assignment}", response_model=Assignment)
async def get_assignment(request: Request, person: Contributor, assignment: UUID) -> Response:
    """One of your pages, with your drafts and fresh image URLs."""
    return reply(await work.one_page(runtime(request), person, assignment))


@router.post("/api/work/assignments/{assignment}/heartbeat")
async def post_heartbeat(request: Request, person: Contributor, assignment: UUID, body: Fenced) -> Response:
    """Keep the page for longer."""
    return reply({"expires_at": await work.heartbeat(runtime(request), person, assignment, body.fence)})


@router.post("/api/work/assignments/{assignment}/submit", response_model=Submitted, openapi_extra=_body(_SUBMIT))
async def post_submit(request: Request, person: Contributor, assignment: UUID) -> Response:
    """Submit judgements of the page and be paid, in one transaction. Sent twice, the first answer stands."""
    return reply(await work.submit(runtime(request), person, assignment, await read_body(request)))


@router.post("/api/work/assignments/{assignment}/return", response_model=Assignment)
async def post_return(request: Request, person: Contributor, assignment: UUID, body: ReturnIn) -> Response:
    """Give the page back. It never counts against you."""
    run = runtime(request)
    return reply(await work.give_back(run, person, assignment, body.fence, body.reason, body.note))


@router.get("/api/work/rejections", response_model=Listed[Rejection])
async def get_rejections(request: Request, person: Contributor, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """What reviewers rejected of your work and why, the newest first. It stays paid."""
    before = decode_cursor(cursor, UUID)
    rows = await work.rejections(runtime(request), person, before, limit + 1)
    return listed(rows, limit, lambda row: row.id)


@router.put("/api/work/assignments/{assignment}/drafts/{task}", openapi_extra=_body(_DRAFT))
async def put_draft(request: Request, person: Contributor, assignment: UUID, task: UUID) -> Response:
    """Keep unfinished work on the server."""
    return reply(await drafting.keep(runtime(request), person, assignment, task, await read_body(request)))


@router.patch("/api/work/assignments/{assignment}/drafts/{task}", openapi_extra=_body(_CHANGE))
async def patch_draft(request: Request, person: Contributor, assignment: UUID, task: UUID) -> Response:
    """Keep what has changed since the draft that you sent before. 409 "draft-base-missing": send the whole."""
    return reply(await drafting.change(runtime(request), person, assignment, task, await read_body(request)))
