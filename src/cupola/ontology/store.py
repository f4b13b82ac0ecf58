"""SQL of ontologies and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class VersionRow:
    id: UUID
    name: str
    version: int
    version_id: UUID
    kind: str
    spec: str
    guidelines: dict[str, str]
    created_at: datetime


ADD = Command(
    "INSERT INTO ontology (tenant, id, name, created_at) VALUES (%(tenant)s, %(id)s, %(name)s, %(now)s)",
)
NEXT_VERSION = Scalar(
    int,
    "SELECT coalesce((SELECT max(version) FROM ontology_version WHERE tenant = %(tenant)s AND ontology = %(id)s), 0) "
    "+ 1 "
    "FROM ontology WHERE tenant = %(tenant)s AND id = %(id)s FOR UPDATE",
)
ADD_VERSION = Command(
    "INSERT INTO ontology_version (tenant, id, ontology, version, kind, spec, guidelines, created_at) VALUES "
    "(%(tenant)s, %(version_id)s, %(id)s, %(version)s, %(kind)s, %(spec)s, %(guidelines)s::jsonb, %(now)s)"
)
VERSION = Statement(
    VersionRow,
    "SELECT o.id, o.name, v.version, v.id AS version_id, v.kind, v.spec, v.guidelines, v.created_at "
    "FROM ontology_version v JOIN ontology o ON o.tenant = v.tenant AND o.id = v.ontology "
    "WHERE v.tenant = %(tenant)s AND v.id = %(version_id)s",
)
NEWEST = Statement(
    VersionRow,
    "SELECT o.id, o.name, v.version, v.id AS version_id, v.kind, v.spec, v.guidelines, v.created_at "
    "FROM ontology o JOIN LATERAL (SELECT * FROM ontology_version v WHERE v.tenant = o.tenant AND v.ontology = o.id "
    "ORDER BY v.version DESC LIMIT 1) v ON true WHERE o.tenant = %(tenant)s AND o.id = %(id)s",
)
LIST = Statement(
    VersionRow,
    "SELECT o.id, o.name, v.version, v.id AS version_id, v.kind, v.spec, v.guidelines, v.created_at "
    "FROM ontology o JOIN LATERAL (SELECT * FROM ontology_version v WHERE v.tenant = o.tenant AND v.ontology = o.id "
    "ORDER BY v.version DESC LIMIT 1) v ON true "
    "WHERE o.tenant = %(tenant)s AND o.id < %(before)s::uuid "
    "ORDER BY o.id DESC LIMIT %(limit)s",
)
# A contributor's side reads a version by itself, without the ontology's own row.
SPEC = Statement(
    VersionRow,
    "SELECT ontology AS id, '' AS name, version, id AS version_id, kind, spec, guidelines, created_at "
    "FROM ontology_version WHERE tenant = %(tenant)s AND id = %(version_id)s",
)
