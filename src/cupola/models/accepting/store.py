"""SQL of models that settle alone, and of the watch over them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.models.model import AcceptState, JudgedBy
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class AcceptRow:
    id: UUID
    project: UUID
    model: UUID
    model_name: str
    version: int
    state: AcceptState
    error_limit: float
    confidence: float
    sample: int
    judged_by: JudgedBy
    slice_by: str | None
    later: bool
    audit_share: float
    commitment: bytes
    seed: bytes | None
    certificate: str | None
    tasks: int
    why: str | None
    created_at: datetime
    drawn_at: datetime | None
    certified_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class AskedRow:
    """A task that nobody has begun, and what the version says of it. slice: what its item's metadata say."""

    task: UUID
    rank: int
    opinion: UUID
    code: int
    score: float
    slice: str | None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """seen_at: the settlement that told whether the model was wrong."""

    task: UUID
    opinion: UUID
    slice: str
    score: float
    code: int
    use: int
    wrong: bool | None
    seen_at: UUID | None


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What became of a task that people settle alone. settlement: None where it was cancelled."""

    task: UUID
    settlement: UUID | None
    code: int | None


@dataclass(frozen=True, slots=True)
class UseCount:
    use: int
    tasks: int
    known: int
    wrong: int


@dataclass(frozen=True, slots=True)
class RankRow:
    task: UUID
    rank: int


ADD = Command(
    "INSERT INTO auto_accept (tenant, id, project, model, version, state, error_limit, confidence, sample, judged_by, "
    "slice_by, later, audit_share, commitment, created_at) VALUES (%(tenant)s, %(id)s, %(project)s, %(model)s, "
    "%(version)s, 'drawing', %(error_limit)s, %(confidence)s, %(sample)s, %(judged_by)s, %(slice_by)s, %(later)s, "
    "%(audit_share)s, %(commitment)s, %(now)s)"
)
_ACCEPT = (
    "SELECT a.id, a.project, a.model, m.name AS model_name, a.version, a.state, a.error_limit, a.confidence, a.sample, "
    "a.judged_by, a.slice_by, a.later, a.audit_share, a.commitment, a.seed, a.certificate, a.tasks, a.why, "
    "a.created_at, a.drawn_at, a.certified_at, a.ended_at FROM auto_accept a JOIN learned_model m "
    "ON m.tenant = a.tenant AND m.id = a.model WHERE a.tenant = %(tenant)s "
)
ACCEPT = Statement(AcceptRow, _ACCEPT + "AND a.id = %(id)s")
LOCK = Statement(AcceptRow, _ACCEPT + "AND a.id = %(id)s FOR UPDATE OF a")
ACCEPTS = Statement(
    AcceptRow,
    _ACCEPT + "AND a.project = %(project)s AND a.id < %(before)s::uuid ORDER BY a.id DESC LIMIT %(limit)s",
)
ACTIVE = Statement(
    RankRow,
    "SELECT a.id AS task, 0::bigint AS rank FROM auto_accept a WHERE a.tenant = %(tenant)s "
    "AND a.project = ANY (%(projects)s::uuid[]) AND a.state IN ('drawing', 'calibrating', 'on')",
)
DRAWN = Command(
    "UPDATE auto_accept SET state = 'calibrating', tasks = %(tasks)s, drawn_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state = 'drawing'"
)
CERTIFIED = Command(
    "UPDATE auto_accept SET state = %(state)s, certificate = %(certificate)s, seed = %(seed)s, why = %(why)s, "
    "certified_at = %(now)s, ended_at = %(ended_at)s WHERE tenant = %(tenant)s AND id = %(id)s "
    "AND state = 'calibrating'"
)
OFF = Command(
    "UPDATE auto_accept SET state = 'off', why = %(why)s, ended_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state IN ('drawing', 'calibrating', 'on')"
)

# ---------------------------------------------------------------- the batch
# Tasks that nobody has, or had: what somebody has begun, people finish.
UNTOUCHED = Statement(
    AskedRow,
    "SELECT t.id AS task, t.rank, o.id AS opinion, o.code, coalesce(o.confidence, 0)::float8 AS score, x.slice FROM "
    "(SELECT tenant, id, item, rank FROM task WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND state = {task.open} AND rank > %(after)s AND judged = 0 AND leased = 0 AND NOT gold AND NOT alone "
    "ORDER BY rank LIMIT %(limit)s) t CROSS JOIN LATERAL (SELECT id, code, confidence FROM opinion "
    "WHERE tenant = t.tenant AND task = t.id AND rater = %(rater)s AND code IS NOT NULL LIMIT 1) o "
    "CROSS JOIN LATERAL (SELECT metadata ->> %(slice_by)s::text AS slice FROM item WHERE tenant = t.tenant "
    "AND id = t.item LIMIT 1) x ORDER BY t.rank",
)
BATCH_ADD = Command(
    "INSERT INTO auto_accept_task (tenant, auto_accept, task, opinion, slice, score, code, use, later) "
    "SELECT %(tenant)s, %(id)s, x.task, x.opinion, x.slice, x.score, x.code, x.use, %(later)s FROM "
    "unnest(%(tasks)s::uuid[], %(opinions)s::uuid[], %(slices)s::text[], %(scores)s::real[], %(codes)s::smallint[], "
    "%(uses)s::smallint[]) AS x (task, opinion, slice, score, code, use) ON CONFLICT DO NOTHING"
)
_BATCH = (
    "SELECT task, opinion, slice, score, code, use, wrong, seen_at FROM auto_accept_task WHERE tenant = %(tenant)s "
    "AND auto_accept = %(id)s "
)
BATCH = Statement(BatchRow, _BATCH + "AND NOT later AND task > %(after)s ORDER BY task LIMIT %(limit)s")
WAITING = Statement(BatchRow, _BATCH + "AND use = {accepting.batch} AND task > %(after)s ORDER BY task LIMIT %(limit)s")
WATCHED = Statement(BatchRow, _BATCH + "AND use = {accepting.watched} AND wrong IS NOT NULL ORDER BY seen_at, task")
USE = Command(
    "UPDATE auto_accept_task a SET use = x.use FROM unnest(%(tasks)s::uuid[], %(uses)s::smallint[]) AS x (task, use) "
    "WHERE a.tenant = %(tenant)s AND a.auto_accept = %(id)s AND a.task = x.task"
)
COUNTS = Statement(
    UseCount,
    "SELECT use::int AS use, count(*)::int AS tasks, count(wrong)::int AS known, "
    "(count(*) FILTER (WHERE wrong))::int AS wrong FROM auto_accept_task WHERE tenant = %(tenant)s "
    "AND auto_accept = %(id)s GROUP BY use ORDER BY use",
)
# What people made of the sample and of what is watched: of a task that is settled, or is no more.
OUTCOMES = Statement(
    OutcomeRow,
    "SELECT a.task, s.id AS settlement, s.code FROM auto_accept_task a JOIN task t ON t.tenant = a.tenant "
    "AND t.id = a.task LEFT JOIN LATERAL (SELECT id, code FROM settlement WHERE tenant = t.tenant AND task = t.id "
    "ORDER BY version DESC LIMIT 1) s ON t.state = {task.settled} WHERE a.tenant = %(tenant)s "
    "AND a.auto_accept = %(id)s AND a.use IN ({accepting.sample}, {accepting.watched}) AND a.wrong IS NULL "
    "AND t.state IN ({task.settled}, {task.cancelled})",
)
OUTCOME = Command(
    "UPDATE auto_accept_task a SET wrong = x.code IS NULL OR x.code <> a.code, seen_at = x.settlement "
    "FROM unnest(%(tasks)s::uuid[], %(settlements)s::uuid[], %(codes)s::smallint[]) AS x (task, settlement, code) "
    "WHERE a.tenant = %(tenant)s AND a.auto_accept = %(id)s AND a.task = x.task AND a.wrong IS NULL"
)

# ---------------------------------------------------------------- tasks
ALONE = Command("UPDATE task SET alone = true WHERE tenant = %(tenant)s AND id = ANY (%(tasks)s)")
# Locked in the order of their identifiers; whoever was quicker keeps the task.
FREE = Statement(
    RankRow,
    "SELECT id AS task, rank FROM task WHERE tenant = %(tenant)s AND id = ANY (%(tasks)s) AND state = {task.open} "
    "AND judged = 0 AND leased = 0 AND NOT gold AND NOT alone ORDER BY id FOR NO KEY UPDATE SKIP LOCKED",
)
# The ranks of what nobody has begun, dealt out anew in another order; each within its band.
RANKS = Statement(
    RankRow,
    "SELECT id AS task, rank FROM task WHERE tenant = %(tenant)s AND project = %(project)s AND state = {task.open} "
    "AND judged = 0 AND leased = 0 AND open_slots > 0 ORDER BY rank LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED",
)
RANK = Command(
    "UPDATE task t SET rank = x.rank FROM unnest(%(tasks)s::uuid[], %(ranks)s::bigint[]) AS x (task, rank) "
    "WHERE t.tenant = %(tenant)s AND t.id = x.task AND t.rank <> x.rank"
)
EPOCH = Command("UPDATE project SET queue_epoch = queue_epoch + 1 WHERE tenant = %(tenant)s AND id = %(project)s")
# What it settled, and no person has looked at since, goes back to people.
SETTLED_BY = Statement(
    RankRow,
    "SELECT a.task, 0::bigint AS rank FROM auto_accept_task a JOIN task t ON t.tenant = a.tenant AND t.id = a.task "
    "AND t.state = {task.settled} JOIN settlement s ON s.tenant = t.tenant AND s.task = t.id "
    "AND s.version = t.settled_version AND s.how = 'model' WHERE a.tenant = %(tenant)s AND a.auto_accept = %(id)s "
    "AND a.use = {accepting.settled} ORDER BY a.task LIMIT %(limit)s FOR NO KEY UPDATE OF t",
)
REOPEN = Command(
    "UPDATE task t SET state = {task.collecting}, open_slots = p.min_judgements, heard_since = %(now)s, "
    "settled_at = NULL, alone = true FROM project p WHERE t.tenant = %(tenant)s AND t.id = ANY (%(tasks)s) "
    "AND p.tenant = t.tenant AND p.id = t.project AND t.state = {task.settled}"
)
LABELS = Scalar(
    int,
    "SELECT count(*) FROM auto_accept_task WHERE tenant = %(tenant)s AND auto_accept = %(id)s "
    "AND use = {accepting.settled}",
)
