"""The verbs of ontologies, and the decoded versions that every label is checked against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cupola.kernel import clock, ids
from cupola.kernel.errors import conflict, not_found
from cupola.labels import Ontology, decode_ontology, encode_ontology
from cupola.ontology import store
from cupola.ontology.model import OntologyVersion
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Database, Role


@dataclass(frozen=True, slots=True)
class Decoded:
    """A version ready for use."""

    version_id: UUID
    ontology: Ontology
    guidelines: dict[str, str]


# Versions never change, so what was decoded once holds for ever; the bound keeps a flood of versions out of memory.
_decoded: dict[tuple[UUID, UUID], Decoded] = {}
_KEEP = 512


async def create(
    conn: Conn, tenant: UUID, name: str, spec: dict[str, Any], guidelines: dict[str, str]
) -> OntologyVersion:
    """A new ontology with its first version. Raises Problem for a spec that does not hold together."""
    decoded = decode_ontology(spec)
    ontology = ids.uuid7()
    try:
        await store.ADD.run(conn, tenant=tenant, id=ontology, name=name, now=clock.now())
    except psycopg.errors.UniqueViolation as error:
        raise conflict("name-taken", f"There is an ontology named {name!r}.", remedy="Choose another name.") from error
    return await _add(conn, tenant, ontology, decoded, guidelines)


async def add_version(
    conn: Conn, tenant: UUID, ontology: UUID, spec: dict[str, Any], guidelines: dict[str, str]
) -> OntologyVersion:
    """A further version; projects keep theirs until they are told to take it."""
    return await _add(conn, tenant, ontology, decode_ontology(spec), guidelines)


async def _add(conn: Conn, tenant: UUID, ontology: UUID, spec: Ontology, guidelines: dict[str, str]) -> OntologyVersion:
    version = await store.NEXT_VERSION.maybe(conn, tenant=tenant, id=ontology)
    if version is None:
        raise not_found("ontology")
    version_id = ids.uuid7()
    await store.ADD_VERSION.run(
        conn,
        tenant=tenant,
        version_id=version_id,
        id=ontology,
        version=version,
        kind=spec.kind,
        spec=encode_ontology(spec).decode(),
        guidelines=msgspec.json.encode(guidelines).decode(),
        now=clock.now(),
    )
    await events.emit(conn, tenant, "ontology.versioned", version_id, version=version)
    row = await store.VERSION.one(conn, tenant=tenant, version_id=version_id)
    return shown(row)


def shown(row: store.VersionRow) -> OntologyVersion:
    return OntologyVersion(
        row.id,
        row.name,
        row.version,
        row.version_id,
        row.kind,
        msgspec.json.decode(row.spec),
        row.guidelines,
        row.created_at,
    )


async def version(conn: Conn, tenant: UUID, version_id: UUID) -> OntologyVersion:
    """The version as it is shown. Raises Problem(NOT_FOUND)."""
    row = await store.VERSION.maybe(conn, tenant=tenant, version_id=version_id)
    if row is None:
        raise not_found("ontology version")
    return shown(row)


async def decoded(conn: Conn, tenant: UUID, version_id: UUID) -> Decoded:
    """The version, decoded; from memory when it was used before. Raises Problem(NOT_FOUND)."""
    key = (tenant, version_id)
    known = _decoded.get(key)
    if known is None:
        row = await store.SPEC.maybe(conn, tenant=tenant, version_id=version_id)
        if row is None:
            raise not_found("ontology version")
        if len(_decoded) >= _KEEP:
            _decoded.pop(next(iter(_decoded)))
        known = _decoded[key] = Decoded(version_id, decode_ontology(row.spec), row.guidelines)
    return known


async def known(db: Database, tenant: UUID, worker: UUID, version_id: UUID) -> Decoded:
    """The same for a contributor's side: a transaction is only opened for a version not seen before."""
    have = _decoded.get((tenant, version_id))
    if have is not None:
        return have
    async with db.tx(Role.GATEWAY, tenant=tenant, worker=worker) as conn:
        return await decoded(conn, tenant, version_id)
