"""Routes of ontologies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cupola.kernel import ids
from cupola.ontology import service, store
from cupola.ontology.model import OntologyVersion
from cupola.platform.pg.tx import Role
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
    post,
    reply,
    runtime,
)

router = APIRouter(tags=["ontologies"])


class Version(BaseModel):
    model_config = ConfigDict(extra="forbid")
    spec: dict[str, Any] = Field(description="kind, classes, attributes with conditions, limits on text.")
    guidelines: dict[str, str] = Field(default_factory=dict, description="Markdown by language: en, zh.")


class NewOntology(Version):
    name: Name


@router.get("/api/ontologies", response_model=Listed[OntologyVersion])
async def get_ontologies(request: Request, who: Reviewer, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The newest version of each ontology."""
    before = decode_cursor(cursor, UUID)
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        rows = await store.LIST.all(conn, tenant=who.tenant, before=before or ids.LAST, limit=limit + 1)
    return listed([service.shown(row) for row in rows], limit, lambda row: row.id)


@router.post("/api/ontologies", response_model=OntologyVersion, status_code=201)
async def post_ontology(request: Request, who: Manager, body: NewOntology) -> Response:
    """A new ontology with its first version."""
    return await post(
        request, who, lambda conn: service.create(conn, who.tenant, body.name, body.spec, body.guidelines)
    )


@router.get("/api/ontologies/{ontology}", response_model=OntologyVersion)
async def get_ontology(request: Request, who: Reviewer, ontology: UUID) -> Response:
    """The newest version of one ontology."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        row = found(await store.NEWEST.maybe(conn, tenant=who.tenant, id=ontology), "ontology")
    return reply(service.shown(row))


@router.post("/api/ontologies/{ontology}/versions", response_model=OntologyVersion, status_code=201)
async def post_version(request: Request, who: Manager, ontology: UUID, body: Version) -> Response:
    """A further version."""
    return await post(
        request, who, lambda conn: service.add_version(conn, who.tenant, ontology, body.spec, body.guidelines)
    )


@router.get("/api/ontology-versions/{version}", response_model=OntologyVersion)
async def get_version(request: Request, who: Reviewer, version: UUID) -> Response:
    """One version."""
    async with runtime(request).db.tx(Role.APP, tenant=who.tenant) as conn:
        row = found(await store.VERSION.maybe(conn, tenant=who.tenant, version_id=version), "ontology version")
    return reply(service.shown(row))
