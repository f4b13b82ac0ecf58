"""SQL of releases, audits and exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Pages, Scalar, Statement
from cupola.releases.model import ReleaseState


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    id: UUID
    project: UUID
    name: str
    state: ReleaseState
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
    frozen_at: datetime | None
    earlier: str | None
    drawn: int
    judged: int
    errors: int
    undecidable: int
    freezing_of: int | None
    freezing_rows: int
    trouble: str
    ids_sha256: bytes | None
    labels_sha256: bytes | None


@dataclass(frozen=True, slots=True)
class TakenRow:
    """What one step of freezing did. read: settled tasks it looked at; last_rank: of the last of them."""

    read: int
    added: int
    last_rank: int | None


@dataclass(frozen=True, slots=True)
class EarlierRow:
    """An audit before this one. shared_rows: rows of this release that it was about as well, under the same label."""

    release: UUID
    name: str
    came: str
    plan_sha256: bytes
    rows_sha256: bytes
    drawn: int
    shared_rows: int


@dataclass(frozen=True, slots=True)
class LabelRow:
    task: UUID
    label: LongText


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """One row of a release with everything an export or an audit needs."""

    position: int
    task: UUID
    ref: str
    label: LongText
    confidence: float
    how: str
    settlement: UUID
    judgements: list[UUID]
    units: dict[str, float] | None
    asset: bytes | None
    url: str | None
    body: str | None
    media_type: str
    bytes: int
    width_px: int | None
    height_px: int | None
    metadata: dict[str, Any]
    parts: str | None


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
    label: LongText
    judged: int
    people: list[UUID]
    settled: bool


@dataclass(frozen=True, slots=True)
class SaidRow:
    """What one auditor said of a drawn item; `label` is the released one."""

    draw: int
    task: UUID
    ref: str
    label: LongText
    round: int
    said: LongText | None
    undecidable: bool
    correct: bool | None
    wrong_units: list[str] | None
    missing_units: int | None
    person: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What one auditor's answer about a drawn item came to."""

    draw: int
    task: UUID
    round: int
    undecidable: bool
    correct: bool | None
    released_units: int | None
    wrong_units: int | None
    missing_units: int | None


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
    error_code: str | None
    created_at: datetime
    finished_at: datetime | None
    dropped: str | None


@dataclass(frozen=True, slots=True)
class JudgementOut:
    id: UUID
    task: UUID
    position: int
    worker: UUID
    label: LongText
    seconds: float
    stage: int
    about: UUID | None
    rejected: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OpinionOut:
    """What a model said that a released label rests on."""

    id: UUID
    task: UUID
    position: int
    model: str
    model_version: str
    label: LongText
    at: datetime


ADD = Command(
    "INSERT INTO release (tenant, id, project, name, state, licence, items, plan, plan_sha256, rows_sha256, "
    "seed_commitment, auditors, "
    "created_at) VALUES (%(tenant)s, %(id)s, %(project)s, %(name)s, 'declared', %(licence)s, 0, %(plan)s, "
    "%(plan_sha256)s, %(rows_sha256)s, %(seed_commitment)s, %(auditors)s, %(now)s)"
)
# Some rows after those that are in, without a gap of positions: the settlements of now, for later ones are later
# versions and leave these alone. The release is locked by whoever asks.
TAKE = Statement(
    TakenRow,
    "WITH had AS (SELECT r.position, t.rank FROM (SELECT tenant, position, task FROM release_row "
    "WHERE tenant = %(tenant)s AND release = %(release)s ORDER BY position DESC LIMIT 1) r "
    "JOIN task t ON t.tenant = r.tenant AND t.id = r.task), "
    "found AS MATERIALIZED (SELECT tenant, id, rank, gold, settled_version FROM task WHERE tenant = %(tenant)s "
    "AND project = %(project)s AND state = {task.settled} AND rank > greatest(%(after)s::bigint, (SELECT rank FROM "
    "had)) ORDER BY rank LIMIT %(limit)s), "
    "added AS (INSERT INTO release_row (tenant, release, position, task, settlement) "
    "SELECT t.tenant, %(release)s, coalesce((SELECT position FROM had), -1) + row_number() OVER (ORDER BY t.rank), "
    "t.id, s.id FROM found t CROSS JOIN LATERAL (SELECT id FROM settlement WHERE tenant = t.tenant AND task = t.id "
    "AND version = t.settled_version AND label IS NOT NULL LIMIT 1) s WHERE NOT t.gold AND NOT EXISTS "
    "(SELECT FROM release_row o WHERE o.tenant = t.tenant AND o.release = %(release)s AND o.task = t.id) RETURNING 1) "
    "SELECT (SELECT count(*) FROM found) AS read, (SELECT count(*) FROM added) AS added, "
    "(SELECT max(rank) FROM found) AS last_rank",
)
SETTLED = Scalar(
    int,
    "SELECT coalesce(sum(tasks_settled), 0)::bigint FROM tally WHERE tenant = %(tenant)s AND subject = %(project)s",
)
FREEZING = Command(
    "UPDATE release SET state = 'freezing', freezing_of = %(of)s, trouble = '' "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
NOT_FROZEN = Command(
    "UPDATE release SET state = 'declared', freezing_of = NULL, trouble = %(trouble)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state = 'freezing'"
)
# Audits of one project are opened one after the other, so that each knows of those before it.
ONE_AT_A_TIME = Scalar(UUID, "SELECT id FROM project WHERE tenant = %(tenant)s AND id = %(project)s FOR NO KEY UPDATE")
AUDITED = Scalar(
    list,
    "SELECT coalesce(array_agg(id::text ORDER BY id), '{}') FROM release WHERE tenant = %(tenant)s "
    "AND project = %(project)s AND state IN ('auditing', 'certified', 'failed')",
)
# What a page of rows costs is the page, whatever the statistics say: its rows are chosen first, by their index, and
# what belongs to one is looked up row by row. LIMIT and OFFSET keep the planner from turning that into a join of whole
# tables, as it does where it believes that they are small still.
_FROZEN = (
    "SELECT r.position, r.task, x.ref, x.label, x.confidence, x.how, r.settlement, x.judgements, x.asset, x.url, "
    "x.body, x.media_type, x.bytes, x.width_px, x.height_px, x.metadata, x.parts, x.units "
    "FROM (SELECT tenant, position, task, "
    "settlement FROM release_row WHERE tenant = %(tenant)s AND release = %(release)s "
)
_FROZEN_WITH = (
    ") r CROSS JOIN LATERAL (SELECT i.ref, s.label, s.confidence, s.how, s.judgements, i.asset, i.url, i.body, "
    "i.media_type, i.bytes, coalesce(i.width_px, b.width_px) AS width_px, "
    "coalesce(i.height_px, b.height_px) AS height_px, i.metadata, "
    "CASE WHEN i.parts > 0 THEN item_parts(i.tenant, i.id)::text END AS parts, "
    "(SELECT jsonb_object_agg(p.unit, p.confidence) FROM settlement_part p WHERE p.tenant = s.tenant "
    "AND p.settlement = s.id) AS units FROM settlement s "
    "JOIN task t ON t.tenant = r.tenant AND t.id = r.task JOIN item i ON i.tenant = r.tenant AND i.id = t.item "
    "LEFT JOIN blob b ON b.tenant = r.tenant AND b.sha256 = i.asset "
    "WHERE s.tenant = r.tenant AND s.id = r.settlement LIMIT 1) x ORDER BY r.position"
)
# In the order in which a certificate hashes and draws: a uuid sorts as its text does.
LABELS_AFTER = Pages(
    LabelRow,
    "SELECT r.task, x.label FROM (SELECT tenant, task, settlement FROM release_row WHERE tenant = %(tenant)s "
    "AND release = %(release)s AND task > %(task)s::uuid ORDER BY task LIMIT %(limit)s) r CROSS JOIN LATERAL "
    "(SELECT label FROM settlement WHERE tenant = r.tenant AND id = r.settlement AND label IS NOT NULL LIMIT 1) x "
    "ORDER BY r.task",
)
EARLIER = Statement(
    EarlierRow,
    "SELECT r.id AS release, r.name, CASE r.state WHEN 'auditing' THEN 'open' ELSE r.state END AS came, "
    "r.plan_sha256, r.rows_sha256, "
    "(SELECT count(*) FROM audit_item a WHERE a.tenant = r.tenant AND a.release = r.id) AS drawn, "
    "(SELECT count(*) FROM release_row m JOIN release_row o ON o.tenant = m.tenant AND o.release = r.id "
    "AND o.task = m.task LEFT JOIN settlement x ON x.tenant = m.tenant AND x.id = m.settlement "
    "LEFT JOIN settlement y ON y.tenant = o.tenant AND y.id = o.settlement "
    "WHERE m.tenant = r.tenant AND m.release = %(release)s AND (m.settlement = o.settlement "
    "OR x.label_sha256 = y.label_sha256)) AS shared_rows "
    "FROM release r WHERE r.tenant = %(tenant)s AND r.project = %(project)s AND r.id <> %(release)s "
    "AND r.state IN ('auditing', 'certified', 'failed') ORDER BY r.frozen_at, r.id",
)
ROWS_AFTER = Pages(
    FrozenRow,
    _FROZEN + "AND position > %(position)s::bigint ORDER BY position LIMIT %(limit)s" + _FROZEN_WITH,
)
FROZEN = Command(
    "UPDATE release SET items = %(items)s, rows_sha256 = %(rows_sha256)s, ids_sha256 = %(ids_sha256)s, "
    "labels_sha256 = %(labels_sha256)s, seed = %(seed)s, state = %(state)s, earlier = %(earlier)s, frozen_at = %(now)s "
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
    "r.certificate, r.created_at, r.certified_at, r.auditors, r.frozen_at, r.earlier, r.freezing_of, r.trouble, "
    "r.ids_sha256, r.labels_sha256, CASE WHEN r.state = 'freezing' THEN (SELECT coalesce(max(f.position) + 1, 0) "
    "FROM release_row f WHERE f.tenant = r.tenant AND f.release = r.id) ELSE 0 END AS freezing_rows, "
    "(SELECT count(*) FROM audit_item a WHERE a.tenant = "
    "r.tenant AND a.release = r.id) AS drawn, coalesce(j.judged, 0) AS judged, coalesce(j.errors, 0) AS errors, "
    "coalesce(j.undecidable, 0) AS undecidable "
    "FROM release r LEFT JOIN LATERAL (SELECT count(*) AS judged, count(*) FILTER (WHERE NOT v.correct) AS errors, "
    "count(*) FILTER (WHERE v.undecidable) AS undecidable FROM audit_verdict v "
    "WHERE v.tenant = r.tenant AND v.release = r.id AND v.settled) j ON true WHERE r.tenant = %(tenant)s "
)
RELEASE = Statement(ReleaseRow, _RELEASE + "AND r.id = %(id)s")
RELEASES = Statement(
    ReleaseRow,
    _RELEASE + "AND r.project = %(project)s AND r.id < %(before)s::uuid ORDER BY r.id DESC LIMIT %(limit)s",
)
OPENED = Scalar(bool, "SELECT release_opened(%(release)s, %(reader)s::uuid)")
# Under the lock of whoever is about to read: whether this person has read what the audit drew.
AUDIT_SIDE = Command("SELECT audit_side_lock(%(release)s, %(person)s)")
HAS_READ = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM audit_reader WHERE tenant = %(tenant)s AND release = %(release)s "
    "AND person = %(person)s::uuid)",
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
    "count(*) FILTER (WHERE NOT v.settled AND NOT coalesce(%(person)s::uuid = ANY (v.people), false) "
    "AND NOT EXISTS (SELECT FROM audit_reader d WHERE d.tenant = r.tenant AND d.release = r.id "
    "AND d.person = %(person)s::uuid)) AS for_you "
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
    "INSERT INTO audit_judgement (tenant, id, audit_item, round, person, key, label, undecidable, correct, "
    "wrong_units, missing_units, released_units, seconds, at) "
    "VALUES (%(tenant)s, %(id)s, %(audit_item)s, %(round)s, %(person)s::uuid, %(key)s::uuid, %(label)s, "
    "%(undecidable)s, %(correct)s, "
    "%(wrong_units)s, %(missing_units)s, %(released_units)s, %(seconds)s, %(now)s) "
    "ON CONFLICT (tenant, audit_item, round) DO NOTHING",
    keeps=("label",),
)
_SAID_WITH = (
    # the first row from there on is the row itself; asked so, no other index of the release's rows will do
    ") a CROSS JOIN LATERAL (SELECT task, settlement FROM release_row WHERE tenant = a.tenant AND release = a.release "
    "AND position >= a.row ORDER BY position LIMIT 1) r CROSS JOIN LATERAL (SELECT i.ref, s.label FROM settlement s "
    "JOIN task t ON t.tenant = a.tenant AND t.id = r.task JOIN item i ON i.tenant = a.tenant AND i.id = t.item "
    "WHERE s.tenant = a.tenant AND s.id = r.settlement LIMIT 1) x "
    "CROSS JOIN LATERAL (SELECT u.round, u.label AS said, u.undecidable, u.correct, "
    "u.wrong_units, u.missing_units, u.released_units, u.person, u.at "
    "FROM audit_judgement u WHERE u.tenant = a.tenant AND u.audit_item = a.id ORDER BY u.round OFFSET 0) u "
    "ORDER BY a.draw, u.round"
)
# In the order of the index that finds them, whatever order they are wanted in: the planner may not take another then.
# Draws are numbered without a gap, as are the positions of a release: a page is all that was said of some of them.
SAID_OF = Pages(
    SaidRow,
    "SELECT a.draw, r.task, x.ref, x.label, u.round, u.said, u.undecidable, u.correct, "
    "u.wrong_units, u.missing_units, u.person, u.at FROM "
    "(SELECT tenant, release, id, draw, row FROM audit_item WHERE tenant = %(tenant)s AND release = %(release)s "
    "AND draw >= %(since)s AND draw < %(until)s ORDER BY draw LIMIT %(limit)s" + _SAID_WITH,
)
OUTCOMES_OF = Pages(
    OutcomeRow,
    "SELECT a.draw, r.task, u.round, u.undecidable, u.correct, u.released_units, "
    "cardinality(u.wrong_units) AS wrong_units, u.missing_units FROM "
    "(SELECT tenant, release, id, draw, row FROM audit_item WHERE tenant = %(tenant)s AND release = %(release)s "
    "AND draw >= %(since)s AND draw < %(until)s ORDER BY draw LIMIT %(limit)s" + _SAID_WITH,
)
USED_JUDGEMENTS_OF = Pages(
    JudgementOut,
    "SELECT j.id, j.task, r.position, j.worker, j.label, j.seconds, j.stage, j.about, CASE WHEN j.stage > 0 THEN "
    "(SELECT r.reason FROM rejection r WHERE r.tenant = j.tenant AND r.judgement = j.id) END AS rejected, j.at FROM "
    "(SELECT tenant, position, task FROM release_row WHERE tenant = %(tenant)s AND release = %(release)s "
    "AND position >= %(since)s "
    "AND position < %(until)s ORDER BY position LIMIT %(limit)s) r CROSS JOIN LATERAL (SELECT * FROM judgement j "
    "WHERE j.tenant = r.tenant AND j.task = r.task ORDER BY j.worker OFFSET 0) j ORDER BY r.position, j.id",
)

OPINIONS_HEARD = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM release_row r JOIN settlement s ON s.tenant = r.tenant AND s.id = r.settlement "
    "WHERE r.tenant = %(tenant)s AND r.release = %(release)s AND s.opinions IS NOT NULL)",
)
USED_OPINIONS_OF = Pages(
    OpinionOut,
    "SELECT o.id, o.task, r.position, o.model, o.model_version, o.label, o.at FROM "
    "(SELECT tenant, position, settlement FROM release_row WHERE tenant = %(tenant)s AND release = %(release)s "
    "AND position >= %(since)s "
    "AND position < %(until)s ORDER BY position LIMIT %(limit)s) r CROSS JOIN LATERAL (SELECT opinions FROM settlement "
    "WHERE tenant = r.tenant AND id = r.settlement AND opinions IS NOT NULL LIMIT 1) s "
    "CROSS JOIN LATERAL unnest(s.opinions) AS used (id) CROSS JOIN LATERAL (SELECT * FROM opinion "
    "WHERE tenant = r.tenant AND id = used.id LIMIT 1) o ORDER BY r.position, o.id",
)

# ---------------------------------------------------------------- exports
EXPORT_ADD = Command(
    "INSERT INTO export (tenant, id, release, format, state, created_at) VALUES "
    "(%(tenant)s, %(id)s, %(release)s, %(format)s, 'waiting', %(now)s)"
)
_EXPORT = (
    "SELECT id, release, format, state, rows, bytes AS size_bytes, sha256, media_type, file_name, error, "
    "error_code, created_at, finished_at, dropped FROM export WHERE tenant = %(tenant)s "
)
EXPORT = Statement(ExportRow, _EXPORT + "AND id = %(id)s")
EXPORTS = Statement(
    ExportRow,
    _EXPORT + "AND release = %(release)s AND id < %(before)s::uuid ORDER BY id DESC LIMIT %(limit)s",
)
EXPORT_STATE = Command(
    "UPDATE export SET state = %(state)s, error = %(error)s, error_code = %(code)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
EXPORT_DONE = Command(
    "UPDATE export SET state = 'done', rows = %(rows)s, bytes = %(bytes)s, sha256 = %(sha256)s, media_type = "
    "%(media_type)s, "
    "file_name = %(file_name)s, dropped = %(dropped)s, error = NULL, error_code = NULL, finished_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
