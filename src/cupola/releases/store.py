"""SQL of releases, audits and exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    id: UUID
    project: UUID
    name: str
    state: str
    licence: str
    items: int
    plan: str
    plan_sha256: bytes
    rows_sha256: bytes
    seed_commitment: bytes
    seed: bytes | None
    certificate: str | None
    created_at: datetime
    certified_at: datetime | None
    auditors: int
    drawn: int
    judged: int
    errors: int
    undecidable: int


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """One row of a release with everything an export or an audit needs."""

    position: int
    task: UUID
    ref: str
    label: str
    confidence: float
    how: str
    settlement: UUID
    judgements: list[UUID]
    asset: bytes | None
    url: str | None
    body: str | None
    media_type: str
    bytes: int
    width_px: int | None
    height_px: int | None
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PositionRow:
    position: int
    task: UUID


@dataclass(frozen=True, slots=True)
class AuditItemRow:
    """A drawn item. judged: by how many so far; people: those of them with a name; settled: nobody else is needed."""

    id: UUID
    draw: int
    task: UUID
    position: int
    label: str
    judged: int
    people: list[UUID]
    settled: bool


@dataclass(frozen=True, slots=True)
class SaidRow:
    """What one auditor said of a drawn item; `label` is the released one."""

    draw: int
    task: UUID
    ref: str
    label: str
    round: int
    said: str | None
    undecidable: bool
    correct: bool | None
    person: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class QueueRow:
    release: UUID
    project: UUID
    name: str
    drawn: int
    judged: int
    for_you: int


@dataclass(frozen=True, slots=True)
class ExportRow:
    id: UUID
    release: UUID
    format: str
    state: str
    rows: int
    size_bytes: int | None
    sha256: bytes | None
    media_type: str | None
    file_name: str | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    tenant: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class JudgementOut:
    id: UUID
    task: UUID
    worker: UUID
    label: str
    seconds: float
    at: datetime


ADD = Command(
    "INSERT INTO release (tenant, id, project, name, state, licence, items, plan, plan_sha256, rows_sha256, "
    "seed_commitment, auditors, "
    "created_at) VALUES (%(tenant)s, %(id)s, %(project)s, %(name)s, 'frozen', %(licence)s, 0, %(plan)s, "
    "%(plan_sha256)s, "
    "%(rows_sha256)s, %(seed_commitment)s, %(auditors)s, %(now)s)"
)
# The rows are those of this moment: later settlements are later versions and leave them alone.
FREEZE = Command(
    "INSERT INTO release_row (tenant, release, position, task, settlement) "
    "SELECT t.tenant, %(release)s, row_number() OVER (ORDER BY t.rank) - 1, t.id, s.id FROM task t "
    "JOIN settlement s ON s.tenant = t.tenant AND s.task = t.id AND s.version = t.settled_version "
    "WHERE t.tenant = %(tenant)s AND t.project = %(project)s AND t.state = 3 AND NOT t.gold AND s.label IS NOT NULL"
)
_FROZEN = (
    "SELECT r.position, r.task, i.ref, s.label, s.confidence, s.how, s.id AS settlement, s.judgements, i.asset, "
    "i.url, i.body, "
    "i.media_type, i.bytes, coalesce(i.width_px, b.width_px) AS width_px, coalesce(i.height_px, b.height_px) AS "
    "height_px, "
    "i.metadata FROM release_row r JOIN settlement s ON s.tenant = r.tenant AND s.id = r.settlement "
    "JOIN task t ON t.tenant = r.tenant AND t.id = r.task JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
    "LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset WHERE r.tenant = %(tenant)s AND r.release = "
    "%(release)s "
)
ROWS = Statement(FrozenRow, _FROZEN + "ORDER BY r.position")
ROW = Statement(FrozenRow, _FROZEN + "AND r.position = %(position)s")
FROZEN = Command(
    "UPDATE release SET items = %(items)s, rows_sha256 = %(rows_sha256)s, seed = %(seed)s, state = %(state)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
DRAWN_ADD = Command(
    "INSERT INTO audit_item (tenant, release, id, draw, row) SELECT %(tenant)s, %(release)s, x.id, x.draw, r.position "
    "FROM unnest(%(ids)s::uuid[], %(draws)s::int[], %(tasks)s::uuid[]) AS x (id, draw, task) "
    "JOIN release_row r ON r.tenant = %(tenant)s AND r.release = %(release)s AND r.task = x.task"
)
_RELEASE = (
    "SELECT r.id, r.project, r.name, r.state, r.licence, r.items, r.plan, r.plan_sha256, r.rows_sha256, "
    "r.seed_commitment, r.seed, "
    "r.certificate, r.created_at, r.certified_at, r.auditors, (SELECT count(*) FROM audit_item a WHERE a.tenant = "
    "r.tenant AND a.release = r.id) AS drawn, coalesce(j.judged, 0) AS judged, coalesce(j.errors, 0) AS errors, "
    "coalesce(j.undecidable, 0) AS undecidable "
    "FROM release r LEFT JOIN LATERAL (SELECT count(*) AS judged, count(*) FILTER (WHERE NOT v.correct) AS errors, "
    "count(*) FILTER (WHERE v.undecidable) AS undecidable FROM audit_verdict v "
    "WHERE v.tenant = r.tenant AND v.release = r.id AND v.settled) j ON true WHERE r.tenant = %(tenant)s "
)
RELEASE = Statement(ReleaseRow, _RELEASE + "AND r.id = %(id)s")
RELEASES = Statement(
    ReleaseRow,
    _RELEASE + "AND r.project = %(project)s AND (%(before)s::uuid IS NULL OR r.id < %(before)s::uuid) "
    "ORDER BY r.id DESC LIMIT %(limit)s",
)
LOCK = Scalar(str, "SELECT state FROM release WHERE tenant = %(tenant)s AND id = %(id)s FOR UPDATE")
CERTIFY = Command(
    "UPDATE release SET state = %(state)s, certificate = %(certificate)s, certified_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)

# ---------------------------------------------------------------- audit
QUEUE = Statement(
    QueueRow,
    "SELECT r.id AS release, r.project, r.name, count(*) AS drawn, count(*) FILTER (WHERE v.settled) AS judged, "
    "count(*) FILTER (WHERE NOT v.settled AND NOT coalesce(%(person)s::uuid = ANY (v.people), false)) AS for_you "
    "FROM release r JOIN audit_verdict v ON v.tenant = r.tenant AND v.release = r.id "
    "WHERE r.tenant = %(tenant)s AND r.state = 'auditing' GROUP BY r.tenant, r.id "
    "HAVING count(*) FILTER (WHERE NOT v.settled) > 0 ORDER BY r.id LIMIT 100",
)
_DRAWN = (
    "SELECT v.id, v.draw, r.task, r.position, s.label, v.judged, v.people, v.settled FROM audit_verdict v "
    "JOIN release_row r ON r.tenant = v.tenant AND r.release = v.release AND r.position = v.row "
    "JOIN settlement s ON s.tenant = r.tenant AND s.id = r.settlement "
    "WHERE v.tenant = %(tenant)s AND v.release = %(release)s "
)
# What waits for somebody who has not spoken of it yet; what two differ on comes first, its adjudicator is the rarest.
NEXT = Statement(
    AuditItemRow,
    _DRAWN + "AND NOT v.settled AND NOT coalesce(%(person)s::uuid = ANY (v.people), false) "
    "ORDER BY v.differ DESC, v.draw LIMIT %(limit)s",
)
ITEM = Statement(AuditItemRow, _DRAWN + "AND v.id = %(id)s")
# Two who speak at once for the same round: the first stands.
JUDGE = Command(
    "INSERT INTO audit_judgement (tenant, id, audit_item, round, person, label, undecidable, correct, seconds, at) "
    "VALUES (%(tenant)s, %(id)s, %(audit_item)s, %(round)s, %(person)s::uuid, %(label)s, %(undecidable)s, %(correct)s, "
    "%(seconds)s, %(now)s) ON CONFLICT (tenant, audit_item, round) DO NOTHING"
)
SAID = Statement(
    SaidRow,
    "SELECT a.draw, r.task, i.ref, s.label, u.round, u.label AS said, u.undecidable, u.correct, u.person, u.at FROM "
    "audit_item a "
    "JOIN audit_judgement u ON u.tenant = a.tenant AND u.audit_item = a.id "
    "JOIN release_row r ON r.tenant = a.tenant AND r.release = a.release AND r.position = a.row "
    "JOIN settlement s ON s.tenant = r.tenant AND s.id = r.settlement "
    "JOIN task t ON t.tenant = r.tenant AND t.id = r.task JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
    "WHERE a.tenant = %(tenant)s AND a.release = %(release)s ORDER BY a.draw, u.round",
)
USED_JUDGEMENTS = Statement(
    JudgementOut,
    "SELECT j.id, j.task, j.worker, j.label, j.seconds, j.at FROM release_row r "
    "JOIN judgement j ON j.tenant = r.tenant AND j.task = r.task "
    "WHERE r.tenant = %(tenant)s AND r.release = %(release)s ORDER BY r.position, j.id",
)

# ---------------------------------------------------------------- exports
EXPORT_ADD = Command(
    "INSERT INTO export (tenant, id, release, format, state, created_at) VALUES "
    "(%(tenant)s, %(id)s, %(release)s, %(format)s, 'waiting', %(now)s)"
)
_EXPORT = (
    "SELECT id, release, format, state, rows, bytes AS size_bytes, sha256, media_type, file_name, error, created_at, "
    "finished_at "
    "FROM export "
    "WHERE tenant = %(tenant)s "
)
EXPORT = Statement(ExportRow, _EXPORT + "AND id = %(id)s")
EXPORTS = Statement(
    ExportRow,
    _EXPORT + "AND release = %(release)s AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid) "
    "ORDER BY id DESC LIMIT %(limit)s",
)
EXPORT_STATE = Command(
    "UPDATE export SET state = %(state)s, error = %(error)s WHERE tenant = %(tenant)s AND id = %(id)s"
)
EXPORT_DONE = Command(
    "UPDATE export SET state = 'done', rows = %(rows)s, bytes = %(bytes)s, sha256 = %(sha256)s, media_type = "
    "%(media_type)s, "
    "file_name = %(file_name)s, error = NULL, finished_at = %(now)s WHERE tenant = %(tenant)s AND id = %(id)s"
)
EXPORTS_WAITING = Statement(
    Waiting, "SELECT tenant, id FROM export WHERE state IN ('waiting', 'running') ORDER BY id LIMIT 100"
)
BLOB_ADD = Command(
    "INSERT INTO blob (tenant, sha256, bytes, media_type, created_at) VALUES "
    "(%(tenant)s, %(sha256)s, %(bytes)s, %(media_type)s, %(now)s) ON CONFLICT DO NOTHING"
)
