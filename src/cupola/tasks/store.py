"""SQL of projects, offers, tasks and what was said of them, as requesters ask for it. (Work: `working.store`.)"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Pages, Scalar, Statement
from cupola.tasks.model import Offer, Opinions, ProjectState, Rejected, RejectReason, Routing, Stage


@dataclass(frozen=True, slots=True)
class ProjectRow:
    id: UUID
    name: str
    kind: str
    state: ProjectState
    dataset: UUID
    ontology_version: UUID
    target_accuracy: float
    confidence: float
    min_judgements: int
    max_judgements: int
    gold_rate: float
    audit_items: int
    expert_cost: float
    currency: str
    offer_version: int
    page_size: int
    lease_s: int
    routing: Routing
    tasks_total: int
    opinions: Opinions
    stages: list[Stage]
    review_first_s: int | None
    created_at: datetime
    launched_at: datetime | None
    adding_made: int | None
    adding_looked_at: int | None
    adding_items: int | None
    adding_trouble: str | None


@dataclass(frozen=True, slots=True)
class CountRow:
    """Tasks of a project by state (gold apart), and what was judged and spent."""

    project: UUID
    open: int
    collecting: int
    escalated: int
    settled: int
    cancelled: int
    gold: int
    judgements: int
    spent_minor: int


@dataclass(frozen=True, slots=True)
class MoneyRow:
    project: UUID
    reserved_minor: int
    budget_minor: int


@dataclass(frozen=True, slots=True)
class Tallied:
    tenant: UUID
    subject: UUID


@dataclass(frozen=True, slots=True)
class GivenPreLabel:
    ref: str
    pre_label: LongText
    media_type: str
    width_px: int | None
    height_px: int | None
    facts: str | None
    body: str | None


@dataclass(frozen=True, slots=True)
class GoldTask:
    task: UUID
    ref: str


@dataclass(frozen=True, slots=True)
class ListedTask:
    """A task of a list as a document (TaskView) that lacks `settled_label` and its closing brace."""

    rank: int
    document: str
    settled_label: LongText | None


@dataclass(frozen=True, slots=True)
class TaskItemRow:
    """A task and its item, a document (catalog.showing)."""

    id: UUID
    project: UUID
    state: int
    gold: bool
    confidence: float | None
    kind: str
    ontology_version: UUID
    item: str


@dataclass(frozen=True, slots=True)
class JudgementRow:
    id: UUID
    task: UUID
    worker: UUID
    label: LongText
    code: int | None
    seconds: float
    gold: bool
    stage: int
    about: UUID | None
    reason: RejectReason | None
    note: str | None
    at: datetime

    @property
    def rejected(self) -> Rejected | None:
        return None if self.reason is None else Rejected(self.reason, self.note or "")


@dataclass(frozen=True, slots=True)
class SettlementRow:
    id: UUID
    task: UUID
    version: int
    label: LongText | None
    confidence: float
    how: str
    method: str
    judgements: list[UUID]
    at: datetime


@dataclass(frozen=True, slots=True)
class PartRow:
    settlement: UUID
    unit: str
    confidence: float
    judgements: list[UUID]


@dataclass(frozen=True, slots=True)
class FactsRow:
    """What labels of a task are checked against. facts: beside the columns (labels.facts)."""

    task: UUID
    media_type: str
    width_px: int | None
    height_px: int | None
    facts: str | None
    body: str | None


# ---------------------------------------------------------------- projects
_PROJECT = (
    "SELECT p.id, p.name, p.kind, p.state, p.dataset, p.ontology_version, p.target_accuracy, p.confidence, "
    "p.min_judgements, p.max_judgements, p.gold_rate, p.audit_items, p.expert_cost, p.review_first_s, "
    "p.currency, p.offer_version, p.page_size, p.lease_s, p.routing, p.tasks_total, p.opinions, p.stages, "
    "p.created_at, p.launched_at, "
    "a.made AS adding_made, a.looked_at AS adding_looked_at, a.items AS adding_items, a.trouble AS adding_trouble "
    "FROM project p LEFT JOIN task_adding a ON a.tenant = p.tenant AND a.project = p.id WHERE p.tenant = %(tenant)s "
)
PROJECT_ADD = Command(
    "INSERT INTO project (tenant, id, name, dataset, ontology_version, kind, state, target_accuracy, confidence, "
    "min_judgements, max_judgements, gold_rate, audit_items, currency, page_size, lease_s, routing, opinions, stages, "
    "expert_cost, review_first_s, created_at) VALUES "
    "(%(tenant)s, %(id)s, %(name)s, %(dataset)s, %(ontology_version)s, %(kind)s, 'draft', %(target_accuracy)s, "
    "%(confidence)s, "
    "%(min_judgements)s, %(max_judgements)s, %(gold_rate)s, %(audit_items)s, %(currency)s, %(page_size)s, %(lease_s)s, "
    "%(routing)s, %(opinions)s, %(stages)s, %(expert_cost)s, "
    "%(review_first_s)s, %(now)s)"
)
PROJECT = Statement(ProjectRow, _PROJECT + "AND p.id = %(id)s")
ONTOLOGY_VERSION = Scalar(UUID, "SELECT ontology_version FROM project WHERE tenant = %(tenant)s AND id = %(id)s")
PROJECT_LOCK = Statement(ProjectRow, _PROJECT + "AND p.id = %(id)s FOR UPDATE OF p")
PROJECTS = Statement(ProjectRow, _PROJECT + "AND p.id < %(before)s::uuid ORDER BY p.id DESC LIMIT %(limit)s")
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
    "INSERT INTO offer (tenant, project, version, stage, price_minor, fee_bp, insurance_bp, currency, median_s, p75_s, "
    "effective_at, created_at) VALUES (%(tenant)s, %(project)s, %(version)s, %(stage)s, %(price_minor)s, %(fee_bp)s, "
    "%(insurance_bp)s, %(currency)s, %(median_s)s, %(p75_s)s, %(effective_at)s, %(now)s)"
)
OFFER_VERSION = Command("UPDATE project SET offer_version = %(version)s WHERE tenant = %(tenant)s AND id = %(project)s")
_OFFER = "project, version, stage, price_minor, fee_bp, insurance_bp, currency, median_s, p75_s, effective_at"
OFFER = Statement(
    Offer,
    "SELECT " + _OFFER + " FROM offer_in_force(%(tenant)s, %(project)s, %(stage)s::smallint, %(now)s)",
)
OFFERS = Statement(
    Offer,
    "SELECT "
    + _OFFER
    + " FROM offer WHERE tenant = %(tenant)s AND project = %(project)s ORDER BY version DESC LIMIT 100",
)
OFFERS_NOW = Statement(
    Offer,
    "SELECT o.project, o.version, o.stage, o.price_minor, o.fee_bp, o.insurance_bp, o.currency, o.median_s, o.p75_s, "
    "o.effective_at FROM project x CROSS JOIN generate_subscripts(x.stages, 1) AS n "
    "CROSS JOIN LATERAL offer_in_force(x.tenant, x.id, (n - 1)::smallint, %(now)s) o "
    "WHERE x.tenant = %(tenant)s AND x.id = ANY (%(projects)s::uuid[]) ORDER BY o.project, o.stage",
)
TRAINING_OF = Scalar(
    UUID,
    "SELECT id FROM project WHERE tenant = %(tenant)s AND trains = %(project)s AND state <> 'stopped'",
)
# Sums of differences that were written with what they count (table tally), for some projects at once.
COUNTS = Statement(
    CountRow,
    "SELECT x.project, coalesce(sum(c.tasks_open), 0)::bigint AS open, "
    "coalesce(sum(c.tasks_collecting), 0)::bigint AS collecting, "
    "coalesce(sum(c.tasks_escalated), 0)::bigint AS escalated, coalesce(sum(c.tasks_settled), 0)::bigint AS settled, "
    "coalesce(sum(c.tasks_cancelled), 0)::bigint AS cancelled, coalesce(sum(c.tasks_gold), 0)::bigint AS gold, "
    "coalesce(sum(c.judgements), 0)::bigint AS judgements, coalesce(sum(c.spent_minor), 0)::bigint AS spent_minor "
    "FROM unnest(%(projects)s::uuid[]) AS x (project) "
    "LEFT JOIN tally c ON c.tenant = %(tenant)s AND c.subject = x.project GROUP BY x.project",
)
MONEY = Statement(
    MoneyRow,
    "SELECT x.project, coalesce(sum(a.balance_minor) FILTER (WHERE a.type = 'escrow'), 0)::bigint AS reserved_minor, "
    "coalesce(sum(a.balance_minor) FILTER (WHERE a.type = 'project_budget'), 0)::bigint AS budget_minor "
    "FROM unnest(%(projects)s::uuid[]) AS x (project) LEFT JOIN account a ON a.tenant = %(tenant)s "
    "AND a.type IN ('escrow', 'project_budget') AND a.project = x.project GROUP BY x.project",
)
TO_FOLD = Statement(
    Tallied,
    "SELECT tenant, subject FROM tally GROUP BY tenant, subject HAVING count(*) > %(rows)s LIMIT %(limit)s",
)
FOLD = Command("SELECT tally_fold(%(tenant)s, %(subject)s)")

# ---------------------------------------------------------------- tasks
PRE_LABELS_GIVEN = Statement(
    GivenPreLabel,
    "SELECT i.ref, i.pre_label, i.media_type, coalesce(i.width_px, b.width_px) AS width_px, "
    "coalesce(i.height_px, b.height_px) AS height_px, i.facts, i.body FROM item i "
    "LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset "
    "WHERE i.tenant = %(tenant)s AND i.dataset = %(dataset)s AND i.pre_label IS NOT NULL ORDER BY i.id LIMIT %(limit)s",
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
GOLD_ADD_TASKS = Command(
    "INSERT INTO gold (tenant, task, label, code, at) SELECT %(tenant)s, x.task, x.label, x.code, %(now)s "
    "FROM unnest(%(tasks)s::uuid[], %(labels)s::text[], %(codes)s::smallint[]) AS x (task, label, code) "
    "ON CONFLICT (tenant, task) DO NOTHING",
    keeps=("labels",),
)
PROJECT_TOTAL = Command(
    "UPDATE project SET tasks_total = (SELECT count(*) FROM task WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND NOT gold), queue_epoch = queue_epoch + 1 WHERE tenant = %(tenant)s AND id = %(project)s"
)
# What is drawn for a blind audit has no confidence for its auditors either.
_BLIND_CONFIDENCE = "CASE WHEN t.id IN (SELECT blind_tasks()) THEN NULL ELSE t.confidence END"
_CONFIDENCE = _BLIND_CONFIDENCE + " AS confidence"
# Written by the database: rows that Python decodes, moves and encodes again take twice the time for a list of 100.
_TASKS = (
    "SELECT t.rank, rtrim(json_build_object('id', t.id, 'project', t.project, 'item', t.item, 'ref', i.ref, "
    "'state', CASE WHEN t.gold THEN 'gold' ELSE (%(words)s::text[])[t.state + 1] END, 'judgements', t.judged, "
    "'confidence', " + _BLIND_CONFIDENCE + ", 'gold', t.gold, 'created_at', t.created_at, "
    "'settled_at', t.settled_at)::text, '}') AS document, s.label AS settled_label FROM task t "
    # looked up row by row, whatever the planner believes of how many there are
    "CROSS JOIN LATERAL (SELECT ref FROM item WHERE tenant = t.tenant AND id = t.item LIMIT 1) i "
    "LEFT JOIN LATERAL (SELECT label FROM settlement WHERE tenant = t.tenant AND task = t.id "
    "AND version = t.settled_version LIMIT 1) s ON true WHERE t.tenant = %(tenant)s AND t.project = %(project)s "
    "AND t.rank > %(after)s AND (%(gold)s::boolean IS NULL OR t.gold = %(gold)s::boolean) "
    "AND (%(ref)s::text IS NULL OR starts_with(i.ref, %(ref)s::text)) "
)
TASKS = Statement(ListedTask, _TASKS + "ORDER BY t.rank LIMIT %(limit)s")
TASKS_IN_STATE = Statement(ListedTask, _TASKS + "AND t.state = %(state)s::smallint ORDER BY t.rank LIMIT %(limit)s")
TASK = Statement(
    TaskItemRow,
    "SELECT t.id, t.project, t.state, t.gold, " + _CONFIDENCE + ", p.kind, p.ontology_version, "
    "to_json(x)::text AS item FROM task t JOIN project p ON p.tenant = t.tenant AND p.id = t.project "
    "JOIN item i ON i.tenant = t.tenant AND i.id = t.item LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = "
    "i.asset CROSS JOIN LATERAL item_shown(i, i.id, b) x "
    "WHERE t.tenant = %(tenant)s AND t.id = %(id)s",
)
TASK_FACTS = Statement(
    FactsRow,
    "SELECT t.id AS task, i.media_type, coalesce(i.width_px, b.width_px) AS width_px, "
    "coalesce(i.height_px, b.height_px) AS height_px, i.facts, i.body FROM task t "
    "JOIN item i ON i.tenant = t.tenant AND i.id = t.item "
    "LEFT JOIN blob b ON b.tenant = i.tenant AND b.sha256 = i.asset WHERE t.tenant = %(tenant)s AND t.id = %(id)s",
)
_JUDGEMENT = (
    "id, task, worker, label, code, seconds, gold, stage, about, CASE WHEN stage > 0 THEN (SELECT r.reason "
    "FROM rejection r WHERE r.tenant = judgement.tenant AND r.judgement = judgement.id) END AS reason, "
    "CASE WHEN stage > 0 THEN (SELECT r.note FROM rejection r WHERE r.tenant = judgement.tenant "
    "AND r.judgement = judgement.id) END AS note, at"
)
JUDGEMENTS_OF = Statement(
    JudgementRow,
    "SELECT " + _JUDGEMENT + " FROM judgement WHERE tenant = %(tenant)s AND task = ANY (%(tasks)s) ORDER BY task, id",
)
JUDGEMENTS_OF_PROJECT = Pages(
    JudgementRow,
    "SELECT " + _JUDGEMENT + " FROM judgement WHERE tenant = %(tenant)s AND project = %(project)s "
    "AND id > %(id)s::uuid ORDER BY id LIMIT %(limit)s",
)
SETTLEMENTS_OF = Statement(
    SettlementRow,
    "SELECT id, task, version, label, confidence, how, method, judgements, at FROM settlement "
    "WHERE tenant = %(tenant)s AND task = %(task)s ORDER BY version",
)

PARTS_OF = Statement(
    PartRow,
    "SELECT settlement, unit, confidence, judgements FROM settlement_part WHERE tenant = %(tenant)s "
    "AND settlement = ANY (%(settlements)s)",
)
