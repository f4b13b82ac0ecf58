"""SQL of exams. What a worker is told comes from functions of the database, which tell nothing before it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class Expected:
    """A judgement made in an exam with the label that is right, both JSON text."""

    judgement: UUID
    label: LongText
    expected: LongText


@dataclass(frozen=True, slots=True)
class Marked:
    id: UUID
    state: int
    answered: int
    rights: int
    confidence: float
    tasks: list[UUID]


@dataclass(frozen=True, slots=True)
class AttemptRow:
    id: UUID
    project: UUID
    skill: str
    title: str
    state: int
    items: int
    answered: int
    rights: int
    low: float | None
    high: float | None
    at_least: float
    confidence: float
    retake_days: int
    at: datetime
    ended_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    task: UUID
    item: str
    label: LongText
    expected: LongText | None
    is_right: bool


@dataclass(frozen=True, slots=True)
class ExamRow:
    project: UUID
    name: str
    skill: str
    source: UUID | None
    state: str
    items: int
    at_least: float
    confidence: float
    retake_days: int
    valid_days: int
    tells: bool
    pool: int
    passed: int
    failed: int
    under_way: int


@dataclass(frozen=True, slots=True)
class GoldRow:
    item: UUID
    label: LongText


@dataclass(frozen=True, slots=True)
class HomeRow:
    tenant: UUID
    worker: UUID


# ---------------------------------------------------------------- workers (GATEWAY)
IS_EXAM = Scalar(bool, "SELECT is_exam FROM project WHERE tenant = %(tenant)s AND id = %(project)s")
EXPECTED = Statement(Expected, "SELECT * FROM exam_expected(%(tenant)s, %(worker)s, %(judgements)s::uuid[])")
MARK = Statement(
    Marked,
    "SELECT id, state, answered, rights, confidence, tasks FROM exam_mark(%(tenant)s, %(project)s, %(worker)s, "
    "%(judgements)s::uuid[], %(right)s::boolean[], %(now)s)",
)
END = Command("SELECT FROM exam_end(%(tenant)s, %(attempt)s, %(low)s::real, %(high)s::real, %(now)s)")
_ATTEMPT = (
    "SELECT a.id, a.project, e.skill, p.name AS title, a.state, cardinality(a.tasks) AS items, a.answered, a.rights, "
    "a.low, a.high, a.at_least, a.confidence, e.retake_days, a.at, a.ended_at, a.expires_at FROM exam_attempt a "
    "JOIN exam e ON e.tenant = a.tenant AND e.project = a.project "
    "JOIN project p ON p.tenant = a.tenant AND p.id = a.project "
    "WHERE a.tenant = %(tenant)s AND a.worker = %(worker)s "
)
ATTEMPTS = Statement(AttemptRow, _ATTEMPT + "ORDER BY a.id DESC LIMIT 100")
ATTEMPT = Statement(AttemptRow, _ATTEMPT + "AND a.id = %(attempt)s")
ANSWERS = Statement(AnswerRow, "SELECT * FROM exam_answers(%(tenant)s, %(worker)s, %(attempt)s)")
HOMES = Statement(HomeRow, "SELECT tenant, worker FROM contributor WHERE person = %(person)s ORDER BY tenant")
VERSION = Scalar(UUID, "SELECT ontology_version FROM project WHERE tenant = %(tenant)s AND id = %(project)s")

# ---------------------------------------------------------------- requesters (APP)
GOLD = Statement(
    GoldRow,
    "SELECT t.item, g.label FROM task t JOIN gold g ON g.tenant = t.tenant AND g.task = t.id "
    "WHERE t.tenant = %(tenant)s AND t.project = %(project)s AND t.gold AND t.state < {task.cancelled} "
    "ORDER BY t.id LIMIT %(limit)s",
)
MAKE = Command(
    "INSERT INTO exam (tenant, project, skill, source, items, at_least, confidence, retake_days, valid_days, tells, "
    "created_at) VALUES (%(tenant)s, %(project)s, %(skill)s, %(source)s, %(items)s, %(at_least)s, %(confidence)s, "
    "%(retake_days)s, %(valid_days)s, %(tells)s, %(now)s)"
)
MARK_EXAM = Command(
    "UPDATE project SET is_exam = true WHERE tenant = %(tenant)s AND id = %(project)s AND state = 'draft'"
)
TAKEN = Scalar(bool, "SELECT EXISTS (SELECT FROM exam WHERE tenant = %(tenant)s AND skill = %(skill)s)")
OPEN = Scalar(
    str,
    "UPDATE project SET state = 'live', launched_at = coalesce(launched_at, %(now)s) WHERE tenant = %(tenant)s "
    "AND id = %(project)s AND is_exam AND state IN ('draft', 'paused') RETURNING state",
)
_EXAM = (
    "SELECT e.project, p.name, e.skill, e.source, p.state, e.items, e.at_least, e.confidence, e.retake_days, "
    "e.valid_days, e.tells, (SELECT count(*)::int FROM task t WHERE t.tenant = e.tenant AND t.project = e.project "
    "AND t.gold AND t.state < {task.cancelled}) AS pool, n.passed, n.failed, n.under_way FROM exam e "
    "JOIN project p ON p.tenant = e.tenant AND p.id = e.project CROSS JOIN LATERAL (SELECT "
    "count(*) FILTER (WHERE a.state = {attempt.passed})::int AS passed, "
    "count(*) FILTER (WHERE a.state = {attempt.failed})::int AS failed, "
    "count(*) FILTER (WHERE a.state = {attempt.open})::int AS under_way FROM exam_attempt a "
    "WHERE a.tenant = e.tenant AND a.project = e.project) n WHERE e.tenant = %(tenant)s "
)
EXAMS = Statement(ExamRow, _EXAM + "ORDER BY e.skill LIMIT 200")
EXAM = Statement(ExamRow, _EXAM + "AND e.project = %(project)s")
