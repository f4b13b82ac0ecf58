"""Routes of files that people hand in as answers to a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from cupola.kernel import limits
from cupola.platform.web import Contributor, Reviewer, reply, runtime
from cupola.tasks.handing_in import service

router = APIRouter(tags=["work"])
Name = Annotated[str, Query(min_length=1, max_length=limits.MAX_NAME_CHARS, description="The file's own.")]
_BYTES = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file as an answer of a form names it."""

    type: Literal["file"]
    sha256: str
    name: str
    media_type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where bytes are read for some minutes, by whoever asked for it."""

    url: str


@router.post(
    "/api/work/assignments/{assignment}/tasks/{task}/files",
    response_model=GivenFile,
    status_code=201,
    openapi_extra=_BYTES,
)
async def post_file_of_work(
    request: Request, person: Contributor, assignment: UUID, task: UUID, name: Name
) -> Response:
    """Hand in a file for a task on your page; what comes back is the answer to put into the form."""
    run = runtime(request)
    return reply(await service.hand_in_work(run, person, assignment, task, name, request.stream()), 201)


@router.get("/api/work/assignments/{assignment}/tasks/{task}/files/{sha256}", response_model=Address)
async def get_file_of_work(
    request: Request, person: Contributor, assignment: UUID, task: UUID, sha256: str
) -> Response:
    """Where you read a file of yours, or of the label that you review."""
    return reply(Address(await service.address_for_work(runtime(request), person, assignment, task, sha256)))


@router.post("/api/items/{item}/files", response_model=GivenFile, status_code=201, openapi_extra=_BYTES)
async def post_file(request: Request, who: Reviewer, item: UUID, name: Name) -> Response:
    """Hand in a file for an item that you adjudicate or audit."""
    return reply(await service.hand_in(runtime(request), who, item, name, request.stream()), 201)


@router.get("/api/items/{item}/files/{sha256}", response_model=Address)
async def get_file(request: Request, who: Reviewer, item: UUID, sha256: str) -> Response:
    """Where you read a file that was handed in for an item."""
    return reply(Address(await service.address(runtime(request), who, item, sha256)))
