"""SQL of the sweeper. What is old enough is decided by `sweep_found` (schema/functions/sweep.sql), for both."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.platform.pg.statement import Scalar, Statement


@dataclass(frozen=True, slots=True)
class TenantRow:
    id: UUID


@dataclass(frozen=True, slots=True)
class DueRow:
    kind: str
    due: int


TENANTS = Statement(TenantRow, "SELECT id FROM tenant WHERE id > %(after)s ORDER BY id LIMIT %(limit)s")


@dataclass(frozen=True, slots=True)
class NamedRow:
    sha256: str


NAMED = Statement(NamedRow, "SELECT blobs_named(%(sha256s)s::text[], %(sizes)s::bigint[]) AS sha256")
SWEEP = Scalar(int, "SELECT sweep(%(kind)s, %(before)s, %(limit)s)")
DUE = Statement(
    DueRow,
    "SELECT k.kind, (SELECT count(*) FROM sweep_found(k.kind, k.before, %(limit)s))::int AS due "
    "FROM unnest(%(kinds)s::text[], %(befores)s::timestamptz[]) AS k (kind, before)",
)
