"""Routes of profiles and credentials: for the person they are of, and for the operators who verify."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.platform.web import (
    Contributor,
    Operator,
    attachment,
    read_body,
    reply,
    runtime,
    sends,
)
from cupola.workforce.eligibility.model import CredentialKind
from cupola.workforce.profiles import model, service
from cupola.workforce.profiles.model import Claimed, Credential, Profile

router = APIRouter(tags=["work"])
_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_CSV = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}}}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ProfileIn(_Body):
    languages: list[str] = Field(default=[], max_length=20)
    fields: list[str] = Field(default=[], max_length=50)
    country: str | None = Field(default=None, max_length=40)


class CredentialIn(_Body):
    kind: CredentialKind
    subject: str = Field(min_length=1, max_length=100)
    issuer: str = Field(default="", max_length=200)
    issued_on: date | None = None
    expires_on: date | None = None


class DecisionIn(_Body):
    state: Literal["verified", "refused", "revoked"]
    verifier: str = Field(default="", max_length=200, description="Who looked at it, by name.")
    reason: str = Field(default="", max_length=1000, description="Why not; the person reads it.")
    expires_on: date | None = None


class Taken(_Body):
    lines: int


@router.get("/api/work/profile", response_model=Profile)
async def get_profile(request: Request, person: Contributor) -> Response:
    """What you say of yourself. No organisation reads it; it decides what you are offered."""
    return reply(await service.profile(runtime(request), person))


@router.put("/api/work/profile", response_model=Profile)
async def put_profile(request: Request, person: Contributor, body: ProfileIn) -> Response:
    """Say which languages you work in, what you know about, and where you are."""
    said = model.profile(body.languages, body.fields, body.country)
    return reply(await service.set_profile(runtime(request), person, said))


@router.get("/api/work/credentials", response_model=list[Credential])
async def get_credentials(request: Request, person: Contributor) -> Response:
    """Your degrees, licences, certificates and languages, each with who verified it and until when it holds."""
    return reply(await service.credentials(runtime(request), person))


@router.post("/api/work/credentials", response_model=Credential, status_code=201)
async def post_credential(request: Request, person: Contributor, body: CredentialIn) -> Response:
    """Say that you have one. Hand in its document next; it counts once somebody named has verified it."""
    run = runtime(request)
    return reply(
        await service.claim(run, person, body.kind, body.subject, body.issuer, body.issued_on, body.expires_on), 201
    )


@router.put("/api/work/credentials/{credential}/document", response_model=Credential, openapi_extra=_FILE)
async def put_document(
    request: Request,
    person: Contributor,
    credential: UUID,
    name: Annotated[str, Query(min_length=1, max_length=200)],
) -> Response:
    """Hand in the document, a PDF, PNG or JPEG of at most 5 MB. It is kept under lock for whoever verifies."""
    content = await read_body(request, model.MAX_DOCUMENT_BYTES)
    return reply(await service.add_document(runtime(request), person, credential, name, content))


@router.get("/api/operator/credentials", response_model=list[Claimed], tags=["operator"])
async def get_waiting(request: Request, who: Operator) -> Response:
    """What people claim and nobody has looked at, the oldest first (at most 200)."""
    return reply(await service.waiting(runtime(request)))


@router.get(
    "/api/operator/credentials/{credential}/document",
    tags=["operator"],
    response_class=Response,
    responses=sends("application/pdf", "image/png", "image/jpeg"),
)
async def get_document(request: Request, who: Operator, credential: UUID) -> Response:
    """The document of a claim, to be looked at."""
    name, media, content = await service.document(runtime(request), credential)
    return Response(content, media_type=media, headers={"Content-Disposition": attachment(name)})


@router.post("/api/operator/credentials/{credential}", response_model=Claimed, tags=["operator"])
async def post_decision(request: Request, who: Operator, credential: UUID, body: DecisionIn) -> Response:
    """Verify or refuse a claim, or revoke what was verified; never one's own."""
    assert who.person is not None
    return reply(
        await service.decide(
            runtime(request), who.person, credential, body.state, body.verifier, body.reason, body.expires_on
        )
    )


@router.post("/api/operator/credentials", response_model=Taken, status_code=201, tags=["operator"], openapi_extra=_CSV)
async def post_list(request: Request, who: Operator) -> Response:
    """Take a CSV of credentials that were verified elsewhere: email, kind, subject, issuer, verifier, issued_on,
    expires_on. They hold for whoever comes with these addresses."""
    assert who.person is not None
    return reply(
        Taken(lines=await service.take_list(runtime(request), who.person, await read_body(request))).model_dump(), 201
    )
