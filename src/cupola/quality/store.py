"""SQL of quality: judgements as columns, decisions, models, the doubtful queue. Of the dashboard: `figures.store`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class VoteRow:
    id: UUID
    task: UUID
    worker: UUID
    code: int | None
    label: LongText


@dataclass(frozen=True, slots=True)
class CodeRow:
    task: UUID
    worker: UUID
    code: int


@dataclass(frozen=True, slots=True)
class GoldVote:
    """Compared with gold (or a settled label): what a worker said and what is true."""

    task: UUID
    worker: UUID
    label: LongText
    truth: LongText


@dataclass(frozen=True, slots=True)
class GoldCode:
    task: UUID
    code: int


@dataclass(frozen=True, slots=True)
class GuidelineRow:
    task: UUID
    ref: str
    verdicts: int
    undecided: int
    labels: list[LongText] | None
    notes: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DecisionRow:
    id: UUID
    label: LongText | None
    version: int
    how: str
    method: str
    model_version: int | None
    judgements: list[UUID]
    opinions: list[UUID] | None
    confidence: float
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenTask:
    id: UUID
    open_slots: int
    leased: int
    judged: int
    settled_version: int
    stage: int
    about: UUID | None


@dataclass(frozen=True, slots=True)
class StageVote:
    """A judgement at any stage; about: the one that it reviews; rejects: that it says why it is not right."""

    id: UUID
    task: UUID
    worker: UUID
    code: int | None
    label: LongText
    stage: int
    about: UUID | None
    rejects: bool


@dataclass(frozen=True, slots=True)
class JudgedBytes:
    """How long the labels of a task's judgements are together."""

    task: UUID
    bytes: int


@dataclass(frozen=True, slots=True)
class ModelRow:
    version: int
    strategy: str
    state: bytes
    raters: bytes | None


@dataclass(frozen=True, slots=True)
class DoubtfulRow:
    task: UUID
    rank: int
    project: UUID
    project_name: str
    ref: str
    confidence: float | None
    judgements: int
    rejected: bool
    thumb: bytes | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TaskState:
    project: UUID
    state: int
    gold: bool
    settled_version: int
    ontology_version: UUID


@dataclass(frozen=True, slots=True)
class SkillRow:
    worker: UUID
    judgements: int
    gold_seen: int
    gold_right: int
    skill: float
    low: float
    high: float
    flags: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PreLabel:
    task: UUID
    pre_label: LongText


@dataclass(frozen=True, slots=True)
class WorkerCount:
    worker: UUID
    judgements: int


VOTES = Statement(
    VoteRow,
    # of a task that is done again only what was judged since counts
    "SELECT j.id, j.task, j.worker, j.code, j.label FROM judgement j "
    "JOIN task t ON t.tenant = j.tenant AND t.id = j.task WHERE j.tenant = %(tenant)s AND j.task = ANY (%(tasks)s) "
    "AND j.stage = 0 AND (t.heard_since IS NULL OR j.at >= t.heard_since) ORDER BY j.id",
)
# The same for labels that are settled by their codes: the labels themselves stay where they are.
CODED_VOTES = Statement(
    VoteRow,
    "SELECT j.id, j.task, j.worker, j.code, '' AS label FROM judgement j "
    "JOIN task t ON t.tenant = j.tenant AND t.id = j.task WHERE j.tenant = %(tenant)s AND j.task = ANY (%(tasks)s) "
    "AND j.stage = 0 AND (t.heard_since IS NULL OR j.at >= t.heard_since) ORDER BY j.id",
)
# How much is to be read of each task before it is decided on; tasks nobody has judged have no row.
JUDGED_BYTES = Statement(
    JudgedBytes,
    "SELECT j.task, sum(label_bytes(j.label))::bigint AS bytes FROM judgement j WHERE j.tenant = %(tenant)s "
    "AND j.task = ANY (%(tasks)s) GROUP BY j.task",
)
# Of a project with reviews: whatever was said at any stage.
STAGE_VOTES = Statement(
    StageVote,
    "SELECT j.id, j.task, j.worker, j.code, j.label, j.stage, j.about, j.stage > 0 AND EXISTS (SELECT FROM rejection r "
    "WHERE r.tenant = j.tenant AND r.judgement = j.id) AS rejects FROM judgement j "
    "JOIN task t ON t.tenant = j.tenant AND t.id = j.task WHERE j.tenant = %(tenant)s AND j.task = ANY (%(tasks)s) "
    "AND (t.heard_since IS NULL OR j.at >= t.heard_since) ORDER BY j.id",
)
# Who holds the task next judges what was said: the judgement it is about.
NEXT_STAGE = Command(
    "UPDATE task t SET stage = x.stage, about = x.about, open_slots = 1 "
    "FROM unnest(%(tasks)s::uuid[], %(about)s::uuid[], %(stages)s::smallint[]) AS x (task, about, stage) "
    "WHERE t.tenant = %(tenant)s AND t.id = x.task"
)
# The newest, as far as they fit into what a fit may hold: bytes are counted where they lie, read only where wanted.
NEWEST_LABELS = Statement(
    VoteRow,
    "SELECT id, task, worker, code, label FROM (SELECT id, task, worker, code, label, "
    "sum(label_bytes(label)) OVER (ORDER BY id DESC) AS held FROM judgement WHERE tenant = %(tenant)s "
    "AND project = %(project)s AND stage = 0 ORDER BY id DESC LIMIT 100000) x WHERE held <= %(max_bytes)s "
    "ORDER BY id DESC",
)
CODES = Statement(
    CodeRow,
    "SELECT task, worker, code FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s AND code IS NOT "
    "NULL AND stage = 0 ORDER BY id",
)
GOLD_CODES = Statement(
    GoldCode,
    "SELECT g.task, g.code FROM gold g JOIN task t ON t.tenant = g.tenant AND t.id = g.task "
    "WHERE g.tenant = %(tenant)s AND t.project = %(project)s AND g.code IS NOT NULL",
)
# What an expert said counts as known truth for the workers' tables, like gold.
ADJUDICATED_CODES = Statement(
    GoldCode,
    "SELECT s.task, s.code FROM settlement s WHERE s.tenant = %(tenant)s AND s.project = %(project)s "
    "AND s.how = 'adjudicated' AND s.code IS NOT NULL",
)
GOLD_VOTES = Statement(
    GoldVote,
    "SELECT task, worker, label, truth FROM (SELECT j.id, j.task, j.worker, j.label, g.label AS truth, "
    "sum(label_bytes(j.label) + label_bytes(g.label)) OVER (ORDER BY j.id DESC) AS held FROM judgement j "
    "JOIN gold g ON g.tenant = j.tenant AND g.task = j.task WHERE j.tenant = %(tenant)s AND j.project = %(project)s "
    "AND j.gold ORDER BY j.id DESC LIMIT 200000) x WHERE held <= %(max_bytes)s ORDER BY id DESC",
)
SETTLED_VOTES = Statement(
    GoldVote,
    "SELECT task, worker, label, truth FROM (SELECT s.id AS settled, j.id, j.task, j.worker, j.label, "
    "s.label AS truth, sum(label_bytes(j.label) + label_bytes(s.label)) OVER (ORDER BY s.id DESC, j.id) AS held "
    "FROM settlement s JOIN judgement j ON j.tenant = s.tenant AND j.task = s.task "
    "WHERE s.tenant = %(tenant)s AND s.project = %(project)s AND s.label IS NOT NULL AND cardinality(s.judgements) > 1 "
    "AND j.stage = 0 ORDER BY s.id DESC, j.id LIMIT 20000) x WHERE held <= %(max_bytes)s ORDER BY settled DESC, id",
)
COUNT = Scalar(int, "SELECT count(*) FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s")
WORKER_COUNTS = Statement(
    WorkerCount,
    "SELECT worker, count(*) AS judgements FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND stage = 0 GROUP BY worker",
)
# Tasks a decision may be made on, locked in id order. Who waits for a judgement that is under way is left alone.
DECIDABLE = Statement(
    OpenTask,
    "SELECT id, open_slots, leased, judged, settled_version, stage, about FROM task WHERE tenant = %(tenant)s "
    "AND id = ANY (%(tasks)s) AND NOT gold AND state IN ({task.open}, {task.collecting}) AND leased = 0 AND judged > 0 "
    "ORDER BY id FOR NO KEY UPDATE",
)
WAITING = Statement(
    OpenTask,
    "SELECT id, open_slots, leased, judged, settled_version, stage, about FROM task WHERE tenant = %(tenant)s "
    "AND project = %(project)s AND NOT gold AND state = {task.collecting} AND leased = 0 AND judged > 0 "
    "AND id > %(after)s ORDER BY id LIMIT %(limit)s",
)
UNASKED = Statement(
    OpenTask,
    "SELECT id, open_slots, leased, judged, settled_version, stage, about FROM task t WHERE tenant = %(tenant)s "
    "AND project = %(project)s AND NOT gold AND state IN ({task.open}, {task.collecting}) AND leased = 0 AND "
    "open_slots > 0 AND id > %(after)s AND NOT EXISTS ("
    "SELECT FROM invite i WHERE i.tenant = t.tenant AND i.task = t.id AND i.state = {invite.asked}) ORDER BY id LIMIT "
    "%(limit)s",
)
# Tasks that nobody has judged, has taken or is asked for: by rank, which the index of states has.
UNTOUCHED = Statement(
    OpenTask,
    "SELECT id, open_slots, leased, judged, settled_version, stage, about FROM task t WHERE tenant = %(tenant)s "
    "AND project = %(project)s AND NOT gold AND state = {task.open} AND leased = 0 AND judged = 0 "
    "AND NOT EXISTS (SELECT FROM invite i WHERE i.tenant = t.tenant AND i.task = t.id AND i.state = {invite.asked}) "
    "ORDER BY rank LIMIT %(limit)s FOR NO KEY UPDATE OF t",
)
# Labels as bytes: as words of an array each of their many quotes would be escaped.
SETTLE = Command(
    "WITH x AS (SELECT * FROM unnest(%(ids)s::uuid[], %(tasks)s::uuid[], %(labels)b::text[], %(codes)s::smallint[], "
    "%(confidences)s::real[], %(votes)b::text[], %(opinions)s::text[]) "
    "AS x (id, task, label, code, confidence, votes, opinions)), "
    "made AS (INSERT INTO settlement (tenant, id, task, project, version, label, code, confidence, how, method, "
    "model_version, "
    "judgements, opinions, person, at) SELECT t.tenant, x.id, t.id, t.project, t.settled_version + 1, x.label, x.code, "
    "x.confidence, %(how)s, %(method)s, %(model_version)s::int, x.votes::uuid[], x.opinions::uuid[], %(person)s::uuid, "
    "%(now)s FROM x JOIN task t ON t.tenant = %(tenant)s AND t.id = x.task RETURNING task) "
    "UPDATE task t SET state = {task.settled}, open_slots = 0, settled_version = t.settled_version + 1, confidence = "
    "x.confidence, settled_at = %(now)s FROM x WHERE t.tenant = %(tenant)s AND t.id = x.task",
    keeps=("labels",),
)
PARTS = Command(
    "INSERT INTO settlement_part (tenant, settlement, unit, unit_kind, label, confidence, judgements) "
    "SELECT %(tenant)s, x.settlement, x.unit, %(kind)s, x.label, x.confidence, x.votes::uuid[] "
    "FROM unnest(%(settlements)s::uuid[], %(units)b::text[], %(labels)b::text[], %(confidences)s::real[], "
    "%(votes)b::text[]) AS x (settlement, unit, label, confidence, votes)",
    keeps=("labels",),
)
MORE = Command(
    "UPDATE task t SET open_slots = 1, confidence = x.confidence FROM unnest(%(tasks)s::uuid[], "
    "%(confidences)s::real[]) AS x (task, confidence) WHERE t.tenant = %(tenant)s AND t.id = x.task"
)
ESCALATE = Command(
    "UPDATE task t SET state = {task.escalated}, open_slots = 0, confidence = x.confidence FROM "
    "unnest(%(tasks)s::uuid[], %(confidences)s::real[]) "
    "AS x (task, confidence) WHERE t.tenant = %(tenant)s AND t.id = x.task"
)
EVENTS = Command(
    "INSERT INTO event (tenant, kind, subject, project, data, at) SELECT %(tenant)s, %(kind)s, x.task, %(project)s, "
    "jsonb_build_object('confidence', round(x.confidence::numeric, 4), 'how', %(how)s::text), %(now)s "
    "FROM unnest(%(tasks)s::uuid[], %(confidences)s::real[]) AS x (task, confidence)"
)
STAGE_EVENTS = Command(
    "INSERT INTO event (tenant, kind, subject, project, data, at) SELECT %(tenant)s, 'task.stage', x.task, "
    "%(project)s, '{}', %(now)s FROM unnest(%(tasks)s::uuid[]) AS x (task)"
)
SKILLS_KEEP = Command(
    "INSERT INTO skill (tenant, project, worker, judgements, gold_seen, gold_right, skill, low, high, flags, at) "
    "SELECT %(tenant)s, %(project)s, x.*, %(now)s FROM unnest(%(workers)s::uuid[], %(judgements)s::bigint[], "
    "%(gold_seen)s::int[], "
    "%(gold_right)s::int[], %(skills)s::real[], %(lows)s::real[], %(highs)s::real[], %(flags)s::jsonb[]) AS x "
    "ON CONFLICT (tenant, project, worker) DO UPDATE SET judgements = excluded.judgements, gold_seen = "
    "excluded.gold_seen, "
    "gold_right = excluded.gold_right, skill = excluded.skill, low = excluded.low, high = excluded.high, "
    "flags = excluded.flags, at = excluded.at"
)
# How much gold each of them meets from now on.
GOLD_RATES = Command(
    "UPDATE queue_cursor q SET gold_rate = x.rate "
    "FROM unnest(%(workers)s::uuid[], %(rates)s::real[]) AS x (worker, rate) "
    "WHERE q.tenant = %(tenant)s AND q.project = %(project)s AND q.worker = x.worker "
    "AND q.gold_rate IS DISTINCT FROM x.rate"
)
# What a model said beforehand, of tasks that people judged: to see who only repeats it.
PRE_LABELS = Statement(
    PreLabel,
    "SELECT t.id AS task, i.pre_label FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
    "WHERE t.tenant = %(tenant)s AND t.project = %(project)s AND t.judged > 0 AND i.pre_label IS NOT NULL LIMIT 50000",
)
SKILLS = Statement(
    SkillRow,
    "SELECT worker, judgements, gold_seen, gold_right, skill, low, high, flags FROM skill "
    "WHERE tenant = %(tenant)s AND project = %(project)s ORDER BY judgements DESC LIMIT 1000",
)
# What the last fit said of everybody, without a bound: the crowd of a project.
MODEL = Statement(
    ModelRow,
    "SELECT version, strategy, state, raters FROM model_version WHERE tenant = %(tenant)s AND project = %(project)s "
    "ORDER BY version DESC LIMIT 1",
)
MODEL_VERSION = Scalar(
    int,
    "SELECT coalesce(max(version), 0) FROM model_version WHERE tenant = %(tenant)s AND project = %(project)s",
)
MODEL_KEEP = Command(
    "INSERT INTO model_version (tenant, project, version, strategy, method, rho, judgements, state, raters, at) VALUES "
    "(%(tenant)s, %(project)s, %(version)s, %(strategy)s, %(method)s, %(rho)s, %(judgements)s, %(state)s, %(raters)s, "
    "%(now)s) ON CONFLICT (tenant, project, version) DO NOTHING"
)

# ---------------------------------------------------------------- adjudication
# A page of each project by its own index, then the first of them all: no project's tasks are read to be left out.
DOUBTFUL = Statement(
    DoubtfulRow,
    "SELECT t.id AS task, t.rank, t.project, t.project_name, x.ref, t.confidence, t.judged AS judgements, "
    "t.stage > 0 AND EXISTS (SELECT FROM rejection r JOIN judgement j ON j.tenant = r.tenant AND j.id = r.judgement "
    "WHERE j.tenant = t.tenant AND j.task = t.id AND j.stage = t.stage) AS rejected, x.thumb, "
    "t.created_at FROM (SELECT d.*, p.name AS project_name FROM project p CROSS JOIN LATERAL (SELECT tenant, id, rank, "
    "project, item, confidence, judged, stage, created_at FROM task WHERE tenant = p.tenant AND project = p.id "
    "AND state = {task.escalated} AND id > %(after)s::uuid ORDER BY id LIMIT %(limit)s) d "
    "WHERE p.tenant = %(tenant)s AND (%(project)s::uuid IS NULL OR p.id = %(project)s::uuid) "
    "ORDER BY d.id LIMIT %(limit)s) t CROSS JOIN LATERAL (SELECT i.ref, b.thumb_sha256 AS thumb FROM item i "
    "LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset WHERE i.tenant = t.tenant AND i.id = t.item "
    "LIMIT 1) x ORDER BY t.id",
)
TASK_STATE = Statement(
    TaskState,
    "SELECT t.project, t.state, t.gold, t.settled_version, p.ontology_version FROM task t "
    "JOIN project p ON p.tenant = t.tenant AND p.id = t.project "
    "WHERE t.tenant = %(tenant)s AND t.id = %(task)s FOR NO KEY UPDATE OF t",
)
ADJUDICATE = Command(
    "INSERT INTO adjudication (tenant, id, task, person, label, undecidable, note, at) VALUES "
    "(%(tenant)s, %(id)s, %(task)s, %(person)s::uuid, %(label)s, %(undecidable)s, %(note)s, %(now)s)",
    keeps=("label",),
)
JUDGEMENT_IDS = Scalar(
    list,
    "SELECT coalesce(array_agg(id::text ORDER BY id), '{}') FROM judgement WHERE tenant = %(tenant)s AND task = "
    "%(task)s",
)

# ---------------------------------------------------------------- where the guideline is silent
# Experts who could not decide, or who did not say the same: adjudications and blind audits of one task side by side.
GUIDELINE_QUEUE = Statement(
    GuidelineRow,
    "WITH said AS (SELECT d.task, d.label, d.label_sha256, d.undecidable, d.note, d.at FROM adjudication d "
    "JOIN task t ON t.tenant = d.tenant AND t.id = d.task WHERE d.tenant = %(tenant)s AND t.project = %(project)s "
    "UNION ALL SELECT r.task, u.label, u.label_sha256, u.undecidable, '', u.at FROM audit_judgement u "
    "JOIN audit_item a ON a.tenant = u.tenant AND a.id = u.audit_item "
    "JOIN release_row r ON r.tenant = a.tenant AND r.release = a.release AND r.position = a.row "
    "JOIN release e ON e.tenant = r.tenant AND e.id = r.release "
    "WHERE u.tenant = %(tenant)s AND e.project = %(project)s) "
    "SELECT s.task, i.ref, count(*) AS verdicts, count(*) FILTER (WHERE s.undecidable) AS undecided, "
    "array_agg(DISTINCT s.label) FILTER (WHERE s.label IS NOT NULL) AS labels, "
    "coalesce(string_agg(s.note, '; ') FILTER (WHERE s.note <> ''), '') AS notes, max(s.at) AS at FROM said s "
    "JOIN task t ON t.tenant = %(tenant)s AND t.id = s.task JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
    "WHERE s.task > %(after)s::uuid GROUP BY s.task, i.ref "
    "HAVING bool_or(s.undecidable) OR count(DISTINCT s.label_sha256) > 1 ORDER BY s.task LIMIT %(limit)s",
)

# ---------------------------------------------------------------- past decisions
TASK_PROJECT = Scalar(UUID, "SELECT project FROM task WHERE tenant = %(tenant)s AND id = %(task)s")
DECISIONS = Statement(
    DecisionRow,
    "SELECT id, label, version, how, method, model_version, judgements, opinions, confidence, at FROM settlement "
    "WHERE tenant = %(tenant)s AND task = %(task)s ORDER BY version DESC LIMIT 100",
)
VOTES_BY_ID = Statement(
    VoteRow,
    "SELECT id, task, worker, code, label FROM judgement WHERE tenant = %(tenant)s AND id = ANY (%(ids)s) ORDER BY id",
)
MODEL_AT = Statement(
    ModelRow,
    "SELECT version, strategy, state, raters FROM model_version WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND version = %(version)s",
)
