"""SQL of models, versions and runs, and of what a run reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.models.model import RunState, Source, Step, Verb
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class ModelRow:
    id: UUID
    name: str
    source: Source
    versions: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class VersionRow:
    model: UUID
    version: int
    card: str
    sha256: bytes
    size_bytes: int
    run: UUID | None
    made_from: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RunRow:
    id: UUID
    project: UUID
    model: UUID
    model_name: str
    verb: Verb
    version: int | None
    state: RunState
    step: Step
    seed: int
    features: str | None
    labels_until: UUID
    attempt: int
    labels_sha256: bytes | None
    learned_from: int | None
    out_of_fold: bytes | None
    last_rank: int
    tasks_done: int
    tasks_total: int
    opinions: int
    left_out: int
    cpu_s: float
    metrics: str | None
    environment: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class SettledCode:
    id: UUID
    task: UUID
    code: int


@dataclass(frozen=True, slots=True)
class GoldCode:
    task: UUID
    code: int


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A task and what models read of its item."""

    task: UUID
    rank: int
    ref: str
    media_type: str
    body: str | None
    asset: bytes | None
    thumb: bytes | None
    metadata: str


@dataclass(frozen=True, slots=True)
class SharesRow:
    """What a version says of a task, of every class."""

    task: UUID
    probabilities: list[float]


# ---------------------------------------------------------------- models and versions
MODEL_ADD = Command(
    "INSERT INTO learned_model (tenant, id, name, source, created_at) VALUES (%(tenant)s, %(id)s, %(name)s, "
    "%(source)s, %(now)s) ON CONFLICT (tenant, name) DO NOTHING"
)
_MODEL = (
    "SELECT m.id, m.name, m.source, (SELECT count(*) FROM learned_version v WHERE v.tenant = m.tenant "
    "AND v.model = m.id)::int AS versions, m.created_at FROM learned_model m WHERE m.tenant = %(tenant)s "
)
MODEL = Statement(ModelRow, _MODEL + "AND m.id = %(id)s")
MODEL_NAMED = Statement(ModelRow, _MODEL + "AND m.name = %(name)s")
MODEL_LOCK = Scalar(UUID, "SELECT id FROM learned_model WHERE tenant = %(tenant)s AND id = %(id)s FOR UPDATE")
MODELS = Statement(ModelRow, _MODEL + "AND m.id < %(before)s::uuid ORDER BY m.id DESC LIMIT %(limit)s")
_VERSION = (
    "SELECT model, version, card, sha256, size_bytes, run, made_from, created_at FROM learned_version "
    "WHERE tenant = %(tenant)s AND model = %(model)s "
)
VERSION = Statement(VersionRow, _VERSION + "AND version = %(version)s")
VERSIONS = Statement(VersionRow, _VERSION + "AND version < %(before)s ORDER BY version DESC LIMIT %(limit)s")
NEWEST = Statement(VersionRow, _VERSION + "ORDER BY version DESC LIMIT 1")
VERSION_ADD = Scalar(
    int,
    "INSERT INTO learned_version (tenant, model, version, card, sha256, size_bytes, run, made_from, created_at) "
    "SELECT %(tenant)s, %(model)s, coalesce(max(version), 0) + 1, %(card)s, %(sha256)s, %(size_bytes)s, %(run)s::uuid, "
    "%(made_from)s::int, %(now)s FROM learned_version WHERE tenant = %(tenant)s AND model = %(model)s "
    "RETURNING version",
)

# ---------------------------------------------------------------- runs
RUN_ADD = Command(
    "INSERT INTO learning_run (tenant, id, project, model, verb, version, state, seed, features, labels_until, "
    "created_at) VALUES (%(tenant)s, %(id)s, %(project)s, %(model)s, %(verb)s, %(version)s, 'waiting', %(seed)s, "
    "%(features)s, %(labels_until)s, %(now)s)"
)
_RUN = (
    "SELECT r.id, r.project, r.model, m.name AS model_name, r.verb, r.version, r.state, r.step, r.seed, r.features, "
    "r.labels_until, r.attempt, r.labels_sha256, r.learned_from, r.out_of_fold, r.last_rank, r.tasks_done, "
    "r.tasks_total, r.opinions, r.left_out, r.cpu_s, r.metrics, r.environment, "
    "r.error, r.created_at, r.started_at, r.finished_at "
    "FROM learning_run r JOIN learned_model m ON m.tenant = r.tenant AND m.id = r.model WHERE r.tenant = %(tenant)s "
)
RUN = Statement(RunRow, _RUN + "AND r.id = %(id)s")
RUN_LOCK = Statement(RunRow, _RUN + "AND r.id = %(id)s FOR UPDATE OF r")
ACTIVE = Scalar(
    UUID,
    "SELECT id FROM learning_run WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND state IN ('waiting', 'running')",
)
RUNS = Statement(
    RunRow,
    _RUN + "AND r.project = %(project)s AND r.id < %(before)s::uuid ORDER BY r.id DESC LIMIT %(limit)s",
)
RUN_BEGIN = Command(
    "UPDATE learning_run SET state = 'running', step = CASE WHEN version IS NULL THEN 'reading' ELSE 'predicting' END, "
    "attempt = attempt + 1, started_at = coalesce(started_at, %(now)s), error = NULL "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
_MINE = "WHERE tenant = %(tenant)s AND id = %(id)s AND state = 'running' AND attempt = %(attempt)s"
RUN_STEP = Command("UPDATE learning_run SET step = %(step)s, cpu_s = cpu_s + %(cpu_s)s " + _MINE)
RUN_FITTED = Command(
    "UPDATE learning_run SET step = 'predicting', version = %(version)s, labels_sha256 = %(labels_sha256)s, "
    "learned_from = %(learned_from)s, out_of_fold = %(out_of_fold)s, metrics = %(metrics)s, "
    "environment = %(environment)s, cpu_s = cpu_s + %(cpu_s)s " + _MINE
)
RUN_TOTAL = Command("UPDATE learning_run SET tasks_total = %(tasks)s " + _MINE)
RUN_WENT_ON = Command(
    "UPDATE learning_run SET last_rank = %(last_rank)s, tasks_done = tasks_done + %(tasks)s, "
    "opinions = opinions + %(opinions)s, left_out = left_out + %(left_out)s, cpu_s = cpu_s + %(cpu_s)s " + _MINE
)
RUN_DONE = Command("UPDATE learning_run SET state = 'done', step = '', finished_at = %(now)s " + _MINE)
RUN_FAILED = Command(
    "UPDATE learning_run SET state = 'failed', step = '', error = %(error)s, finished_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state IN ('waiting', 'running')"
)
RUN_CANCELLED = Command(
    "UPDATE learning_run SET state = 'cancelled', step = '', finished_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state IN ('waiting', 'running')"
)

# ---------------------------------------------------------------- what a run reads
# What people and experts settled, oldest first: of a task that was settled again the later one counts. What a model
# settled teaches no model.
SETTLED = Statement(
    SettledCode,
    "SELECT s.id, s.task, s.code FROM settlement s WHERE s.tenant = %(tenant)s AND s.project = %(project)s "
    "AND s.id > %(after)s::uuid AND s.id <= %(upto)s::uuid AND s.code IS NOT NULL "
    "AND s.how IN ('crowd', 'adjudicated', 'reviewed') ORDER BY s.id LIMIT %(limit)s",
)
GOLDS = Statement(
    GoldCode,
    "SELECT g.task, g.code FROM task t JOIN gold g ON g.tenant = t.tenant AND g.task = t.id "
    "WHERE t.tenant = %(tenant)s AND t.project = %(project)s AND t.gold AND g.code IS NOT NULL "
    "AND g.at <= %(until)s ORDER BY g.task LIMIT %(limit)s",
)
TASKS = Scalar(
    int,
    "SELECT count(*) FROM task WHERE tenant = %(tenant)s AND project = %(project)s AND state < {task.cancelled}",
)
# Looked up row by row, whatever the planner believes of how many there are.
_ITEM = (
    "SELECT t.id AS task, t.rank, i.ref, i.media_type, i.body, i.asset, b.thumb_sha256 AS thumb, "
    "i.metadata::text AS metadata FROM (SELECT tenant, id, item, rank FROM task WHERE tenant = %(tenant)s "
)
_ITEM_WITH = (
    ") t CROSS JOIN LATERAL (SELECT ref, media_type, body, asset, metadata FROM item WHERE tenant = t.tenant "
    "AND id = t.item LIMIT 1) i LEFT JOIN LATERAL (SELECT thumb_sha256 FROM blob WHERE tenant = t.tenant "
    "AND sha256 = i.asset LIMIT 1) b ON true "
)
ITEMS_AFTER = Statement(
    ItemRow,
    _ITEM
    + "AND project = %(project)s AND rank > %(after)s AND state < {task.cancelled} ORDER BY rank LIMIT %(limit)s"
    + _ITEM_WITH
    + "ORDER BY t.rank",
)
ITEMS = Statement(ItemRow, _ITEM + "AND id = ANY (%(tasks)s)" + _ITEM_WITH + "ORDER BY t.id")
SHARES = Statement(
    SharesRow,
    "SELECT o.task, o.probabilities FROM opinion o WHERE o.tenant = %(tenant)s AND o.rater = %(rater)s "
    "AND o.task = ANY (%(tasks)s) AND o.probabilities IS NOT NULL",
)
