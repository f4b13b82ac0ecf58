"""SQL of projects, tasks, pages and judgements. What moves money is a function of the database, called here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cupola.platform.pg.statement import Command, Scalar, Statement
from cupola.tasks.model import Offer


@dataclass(frozen=True, slots=True)
class ProjectRow:
    id: UUID
    name: str
    kind: str
    state: str
    dataset: UUID
    ontology_version: UUID
    target_accuracy: float
    confidence: float
    min_judgements: int
    max_judgements: int
    gold_rate: float
    audit_items: int
    currency: str
    offer_version: int
    page_size: int
    lease_s: int
    routing: str
    tasks_total: int
    created_at: datetime
    launched_at: datetime | None


@dataclass(frozen=True, slots=True)
class StateCount:
    state: int
    gold: bool
    tasks: int


@dataclass(frozen=True, slots=True)
class MoneyRow:
    judgements: int
    spent_minor: int
    reserved_minor: int
    budget_minor: int


@dataclass(frozen=True, slots=True)
class GoldItem:
    item: UUID
    ref: str
    gold_label: str


@dataclass(frozen=True, slots=True)
class GoldTask:
    task: UUID
    ref: str


@dataclass(frozen=True, slots=True)
class TaskRow:
    id: UUID
    rank: int
    project: UUID
    item: UUID
    ref: str
    state: int
    judgements: int
    confidence: float | None
    settled_label: str | None
    gold: bool
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskItemRow:
    id: UUID
    project: UUID
    state: int
    gold: bool
    confidence: float | None
    kind: str
    ontology_version: UUID
    item: UUID
    ref: str
    media_type: str
    asset: bytes | None
    url: str | None
    body: str | None
    width_px: int | None
    height_px: int | None
    thumb: bytes | None
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JudgementRow:
    id: UUID
    task: UUID
    worker: UUID
    label: str
    code: int | None
    seconds: float
    gold: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class SettlementRow:
    id: UUID
    task: UUID
    version: int
    label: str | None
    confidence: float
    how: str
    method: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PageRow:
    task: UUID
    position: int
    state: int
    item: UUID
    ref: str
    media_type: str
    asset: bytes | None
    url: str | None
    body: str | None
    width_px: int | None
    height_px: int | None
    thumb: bytes | None
    metadata: str
    pre_label: str | None
    draft: str | None
    draft_rev: int | None


@dataclass(frozen=True, slots=True)
class ClaimedRow(PageRow):
    """A task of a page with the page it belongs to."""

    assignment: UUID
    project_name: str
    kind: str
    ontology_version: UUID
    fence: int
    page_state: int
    offer_version: int
    price_minor: int
    currency: str
    claimed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    id: UUID
    project: UUID
    project_name: str
    kind: str
    ontology_version: UUID
    fence: int
    state: int
    offer_version: int
    price_minor: int
    currency: str
    claimed_at: datetime
    expires_at: datetime
    trains: UUID | None


@dataclass(frozen=True, slots=True)
class ProjectHome:
    """Where a project on offer lives; trains: the project it is training for."""

    tenant: UUID
    trains: UUID | None


@dataclass(frozen=True, slots=True)
class Home:
    """Where an assignment or a project lives: what every write needs to know and what never changes."""

    tenant: UUID
    worker: UUID
    project: UUID
    ontology_version: UUID
    currency: str
    trains: UUID | None


@dataclass(frozen=True, slots=True)
class SubmitRow:
    task: UUID
    judgement: UUID | None
    outcome: str
    paid_minor: int
    remaining: int
    state: int


@dataclass(frozen=True, slots=True)
class Size:
    task: UUID
    width_px: int | None
    height_px: int | None


@dataclass(frozen=True, slots=True)
class Admitted:
    tenant: UUID
    worker: UUID


@dataclass(frozen=True, slots=True)
class Due:
    tenant: UUID
    id: UUID


# ---------------------------------------------------------------- projects
_PROJECT = (
    "id, name, kind, state, dataset, ontology_version, target_accuracy, confidence, min_judgements, max_judgements, "
    "gold_rate, audit_items, currency, offer_version, page_size, lease_s, routing, tasks_total, "
    "created_at, launched_at"
)
PROJECT_ADD = Command(
    "INSERT INTO project (tenant, id, name, dataset, ontology_version, kind, state, target_accuracy, confidence, "
    "min_judgements, max_judgements, gold_rate, audit_items, currency, page_size, lease_s, routing, created_at) VALUES "
    "(%(tenant)s, %(id)s, %(name)s, %(dataset)s, %(ontology_version)s, %(kind)s, 'draft', %(target_accuracy)s, "
    "%(confidence)s, "
    "%(min_judgements)s, %(max_judgements)s, %(gold_rate)s, %(audit_items)s, %(currency)s, %(page_size)s, %(lease_s)s, "
    "%(routing)s, %(now)s)"
)
PROJECT = Statement(ProjectRow, "SELECT " + _PROJECT + " FROM project WHERE tenant = %(tenant)s AND id = %(id)s")
PROJECT_LOCK = Statement(
    ProjectRow, "SELECT " + _PROJECT + " FROM project WHERE tenant = %(tenant)s AND id = %(id)s FOR UPDATE"
)
PROJECTS = Statement(
    ProjectRow,
    "SELECT " + _PROJECT + " FROM project WHERE tenant = %(tenant)s "
    "AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid) ORDER BY id DESC LIMIT %(limit)s",
)
PROJECT_STATE = Command(
    "UPDATE project SET state = %(state)s, launched_at = coalesce(launched_at, %(launched_at)s::timestamptz) "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
# Of the project and of the training that stands beside it.
PROJECT_VERSION = Command(
    "UPDATE project SET ontology_version = %(version_id)s WHERE tenant = %(tenant)s "
    "AND (id = %(id)s OR trains = %(id)s)"
)
OFFER_ADD = Command(
    "INSERT INTO offer (tenant, project, version, price_minor, fee_bp, insurance_bp, currency, median_s, p75_s, "
    "effective_at, "
    "created_at) VALUES (%(tenant)s, %(project)s, %(version)s, %(price_minor)s, %(fee_bp)s, %(insurance_bp)s, "
    "%(currency)s, "
    "%(median_s)s, %(p75_s)s, %(effective_at)s, %(now)s)"
)
OFFER_VERSION = Command("UPDATE project SET offer_version = %(version)s WHERE tenant = %(tenant)s AND id = %(project)s")
_OFFER = "project, version, price_minor, fee_bp, insurance_bp, currency, median_s, p75_s, effective_at"
OFFER = Statement(
    Offer,
    "SELECT " + _OFFER + " FROM offer WHERE tenant = %(tenant)s AND project = %(project)s AND effective_at <= %(now)s "
    "ORDER BY version DESC LIMIT 1",
)
OFFERS = Statement(
    Offer,
    "SELECT "
    + _OFFER
    + " FROM offer WHERE tenant = %(tenant)s AND project = %(project)s ORDER BY version DESC LIMIT 100",
)
TRAINING_OF = Scalar(
    UUID,
    "SELECT id FROM project WHERE tenant = %(tenant)s AND trains = %(project)s AND state <> 'stopped'",
)
COUNTS = Statement(
    StateCount,
    "SELECT state, gold, count(*) AS tasks FROM task WHERE tenant = %(tenant)s AND project = %(project)s GROUP BY "
    "state, gold",
)
MONEY = Statement(
    MoneyRow,
    "SELECT (SELECT count(*) FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s) AS judgements, "
    "(SELECT coalesce(sum(j.price_minor + a.fee_minor + a.insurance_minor), 0)::bigint FROM judgement j "
    "JOIN assignment a ON a.tenant = j.tenant AND a.id = j.assignment "
    "WHERE j.tenant = %(tenant)s AND j.project = %(project)s) AS spent_minor, "
    "(SELECT coalesce(sum(balance_minor), 0)::bigint FROM account WHERE tenant = %(tenant)s AND type = 'escrow' "
    "AND project = %(project)s) AS reserved_minor, "
    "(SELECT coalesce(sum(balance_minor), 0)::bigint FROM account WHERE tenant = %(tenant)s AND type = "
    "'project_budget' "
    "AND project = %(project)s) AS budget_minor",
)

# ---------------------------------------------------------------- tasks
GOLD_ITEMS = Statement(
    GoldItem,
    "SELECT i.id AS item, i.ref, i.gold_label FROM item i WHERE i.tenant = %(tenant)s AND i.dataset = %(dataset)s "
    "AND i.gold_label IS NOT NULL AND NOT EXISTS (SELECT FROM task t WHERE t.tenant = i.tenant AND t.project = "
    "%(project)s "
    "AND t.item = i.id) ORDER BY i.id",
)
# Ranks follow the order of import, after what the project has already.
TASKS_ADD = Scalar(
    int,
    "WITH base AS (SELECT coalesce(max(rank), 0) AS top FROM task WHERE tenant = %(tenant)s AND project = "
    "%(project)s), "
    "made AS (INSERT INTO task (tenant, id, project, item, rank, gold, open_slots, created_at) "
    "SELECT i.tenant, uuidv7(), %(project)s, i.id, base.top + row_number() OVER (ORDER BY i.id), i.id = ANY "
    "(%(gold)s::uuid[]), "
    "CASE WHEN i.id = ANY (%(gold)s::uuid[]) THEN 0 ELSE %(slots)s END, %(now)s FROM item i, base "
    "WHERE i.tenant = %(tenant)s AND i.dataset = %(dataset)s "
    "ON CONFLICT (tenant, project, item) DO NOTHING RETURNING 1) SELECT count(*) FROM made",
)
GOLD_TASKS = Statement(
    GoldTask,
    "SELECT t.id AS task, i.ref FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
    "WHERE t.tenant = %(tenant)s AND t.project = %(project)s AND i.ref = ANY (%(refs)s) AND t.judged = 0 AND "
    "t.leased = 0",
)
GOLD_MARK = Command(
    "UPDATE task SET gold = true, open_slots = 0 WHERE tenant = %(tenant)s AND id = ANY (%(tasks)s) AND judged = 0 "
    "AND leased = 0"
)
GOLD_ADD = Command(
    "INSERT INTO gold (tenant, task, label, code, at) SELECT %(tenant)s, t.id, x.label, x.code, %(now)s "
    "FROM unnest(%(items)s::uuid[], %(labels)s::text[], %(codes)s::smallint[]) AS x (item, label, code) "
    "JOIN task t ON t.tenant = %(tenant)s AND t.project = %(project)s AND t.item = x.item AND t.gold "
    "ON CONFLICT (tenant, task) DO NOTHING"
)
GOLD_ADD_TASKS = Command(
    "INSERT INTO gold (tenant, task, label, code, at) SELECT %(tenant)s, x.task, x.label, x.code, %(now)s "
    "FROM unnest(%(tasks)s::uuid[], %(labels)s::text[], %(codes)s::smallint[]) AS x (task, label, code) "
    "ON CONFLICT (tenant, task) DO NOTHING"
)
INVITES_ADD = Command(
    "INSERT INTO invite (tenant, task, worker, project, state) SELECT t.tenant, t.id, c.worker, t.project, 0 "
    "FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item CROSS JOIN LATERAL unnest(i.eligible) AS e "
    "(worker) "
    "JOIN contributor c ON c.tenant = t.tenant AND c.worker = e.worker "
    "WHERE t.tenant = %(tenant)s AND t.project = %(project)s ON CONFLICT DO NOTHING"
)
PROJECT_TOTAL = Command(
    "UPDATE project SET tasks_total = (SELECT count(*) FROM task WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND NOT gold), "
    "queue_epoch = queue_epoch + 1 WHERE tenant = %(tenant)s AND id = %(project)s"
)
TASKS = Statement(
    TaskRow,
    "SELECT t.id, t.rank, t.project, t.item, i.ref, t.state, t.judged AS judgements, t.confidence, s.label AS "
    "settled_label, t.gold, "
    "t.created_at, t.settled_at FROM task t JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
    "LEFT JOIN settlement s ON s.tenant = t.tenant AND s.task = t.id AND s.version = t.settled_version "
    "WHERE t.tenant = %(tenant)s AND t.project = %(project)s AND t.rank > %(after)s "
    "AND (%(state)s::smallint IS NULL OR t.state = %(state)s::smallint) "
    "AND (%(gold)s::boolean IS NULL OR t.gold = %(gold)s::boolean) "
    "AND (%(ref)s::text IS NULL OR starts_with(i.ref, %(ref)s::text)) "
    "ORDER BY t.rank LIMIT %(limit)s",
)
TASK = Statement(
    TaskItemRow,
    "SELECT t.id, t.project, t.state, t.gold, t.confidence, p.kind, p.ontology_version, i.id AS item, i.ref, "
    "i.media_type, i.asset, "
    "i.url, i.body, coalesce(i.width_px, b.width_px) AS width_px, coalesce(i.height_px, b.height_px) AS height_px, "
    "b.thumb_sha256 AS thumb, i.metadata FROM task t JOIN project p ON p.tenant = t.tenant AND p.id = t.project "
    "JOIN item i ON i.tenant = t.tenant AND i.id = t.item LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = "
    "i.asset "
    "WHERE t.tenant = %(tenant)s AND t.id = %(id)s",
)
_JUDGEMENT = "id, task, worker, label, code, seconds, gold, at"
JUDGEMENTS_OF = Statement(
    JudgementRow,
    "SELECT " + _JUDGEMENT + " FROM judgement WHERE tenant = %(tenant)s AND task = ANY (%(tasks)s) ORDER BY task, id",
)
JUDGEMENTS_OF_PROJECT = Statement(
    JudgementRow,
    "SELECT " + _JUDGEMENT + " FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s ORDER BY id",
)
SETTLEMENTS_OF = Statement(
    SettlementRow,
    "SELECT id, task, version, label, confidence, how, method, at FROM settlement "
    "WHERE tenant = %(tenant)s AND task = %(task)s ORDER BY version",
)

# ---------------------------------------------------------------- work
PROJECT_HOME = Statement(ProjectHome, "SELECT tenant, trains FROM project WHERE id = %(id)s AND state = 'live'")
CLAIM = Statement(
    ClaimedRow,
    "SELECT * FROM work_claim_page(%(tenant)s, %(project)s, %(worker)s, %(person)s, %(admit)s, %(tasks)s, "
    "%(assignment)s, %(hold)s, %(idem)s, %(dice)s, %(now)s)",
)
PAGE = Statement(PageRow, "SELECT * FROM work_page(%(tenant)s, %(worker)s, %(assignment)s)")
SIZES = Statement(Size, "SELECT * FROM work_sizes(%(tenant)s, %(worker)s, %(assignment)s)")
_ASSIGNMENT = (
    "a.id, a.project, p.name AS project_name, p.kind, p.ontology_version, a.fence, a.state, a.offer_version, "
    "a.price_minor, "
    "a.currency, a.claimed_at, a.expires_at, p.trains FROM assignment a JOIN project p ON p.tenant = a.tenant "
    "AND p.id = a.project"
)
ASSIGNMENT = Statement(
    AssignmentRow, "SELECT " + _ASSIGNMENT + " WHERE a.tenant = %(tenant)s AND a.worker = %(worker)s AND a.id = %(id)s"
)
ASSIGNMENTS_OPEN = Statement(
    AssignmentRow,
    "SELECT "
    + _ASSIGNMENT
    + " WHERE a.tenant = %(tenant)s AND a.worker = %(worker)s AND a.state = 0 AND a.expires_at > %(now)s "
    "ORDER BY a.claimed_at LIMIT 100",
)
ASSIGNMENT_HOME = Statement(
    Home,
    "SELECT a.tenant, a.worker, a.project, p.ontology_version, a.currency, p.trains FROM assignment a "
    "JOIN project p ON p.tenant = a.tenant AND p.id = a.project "
    "WHERE a.tenant = %(tenant)s AND a.worker = %(worker)s AND a.id = %(id)s",
)
TENANTS_OF = Statement(Admitted, "SELECT tenant, worker FROM contributor WHERE person = %(person)s ORDER BY tenant")
SUBMIT = Statement(
    SubmitRow,
    "SELECT * FROM work_submit(%(tenant)s, %(assignment)s, %(worker)s, %(fence)s, %(tasks)s::uuid[], %(ids)s::uuid[], "
    "%(labels)s::text[], %(codes)s::smallint[], %(seconds)s::real[], %(transfers)s::uuid[], %(now)s)",
)
END = Scalar(
    int,
    "SELECT work_end(%(tenant)s, %(assignment)s, %(worker)s::uuid, %(state)s::smallint, %(reason)s, %(note)s, "
    "%(transfer)s, %(now)s)",
)
HEARTBEAT = Scalar(datetime, "SELECT work_heartbeat(%(tenant)s, %(assignment)s, %(worker)s, %(fence)s, %(now)s)")
DRAFT = Scalar(
    int, "SELECT work_draft(%(tenant)s, %(assignment)s, %(worker)s, %(fence)s, %(task)s, %(label)s, %(rev)s, %(now)s)"
)
DUE = Statement(Due, "SELECT tenant, id FROM assignment WHERE state = 0 AND expires_at < %(now)s LIMIT %(limit)s")
