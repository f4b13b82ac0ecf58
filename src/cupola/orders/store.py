"""SQL of orders, their audits and the lines that make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.orders.model import Audit, Order, Terms
from cupola.platform.pg.long import LongText
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class Placing:
    """An order that no foundry task works on yet."""

    id: UUID
    type: str
    role: int
    project: UUID | None
    project_name: str | None
    batch: UUID | None
    batch_state: int | None
    batch_position: int | None
    priority: int
    work: str
    waits: str | None
    line: UUID | None


@dataclass(frozen=True, slots=True)
class Fetching(Placing):
    """An order whose attachment is fetched, since when."""

    line: UUID
    fetch_since: datetime


@dataclass(frozen=True, slots=True)
class Line:
    id: UUID
    dataset: UUID
    foundry: UUID
    judgements: int
    each_minor: int
    currency: str
    training: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    task: UUID
    id: UUID
    label: LongText | None
    how: str


@dataclass(frozen=True, slots=True)
class State:
    state: int
    orders: int


@dataclass(frozen=True, slots=True)
class Waits:
    id: UUID


@dataclass(frozen=True, slots=True)
class Queued:
    foundry_task: UUID
    position: int | None
    priority: int


@dataclass(frozen=True, slots=True)
class Held:
    foundry_task: UUID
    batch: UUID | None


# What is told of an order whose task the reader audits: that it is at work.
_ORDER = (
    "o.id, o.type, o.role, o.project, p.name AS project_name, o.project_version, o.batch, b.name AS batch_name, "
    "CASE WHEN o.state = {order.completed} AND order_kept(o.foundry_task) THEN {order.pending} ELSE o.state END "
    "AS state, "
    "o.review, o.unique_id, o.instruction, o.params, o.metadata, o.tags, o.priority, o.callback, "
    "o.callback_succeeded, o.waits, o.expected, o.initial, o.foundry_task, "
    "order_answer(o.foundry_task, o.response) AS response, o.error, o.created_at, "
    "o.updated_at, CASE WHEN NOT order_kept(o.foundry_task) THEN o.completed_at END AS completed_at"
)
_FROM = (
    " FROM order_task o LEFT JOIN order_project p ON p.tenant = o.tenant AND p.id = o.project "
    "LEFT JOIN order_batch b ON b.tenant = o.tenant AND b.id = o.batch "
)
_WHERE = (
    "WHERE o.tenant = %(tenant)s AND o.role = {role.production} "
    "AND (%(project)s::uuid IS NULL OR o.project = %(project)s::uuid) "
    "AND (%(batch)s::uuid IS NULL OR o.batch = %(batch)s::uuid) "
    "AND (NOT %(in_project)s OR o.project IS NOT NULL) "
    "AND (%(type)s::text IS NULL OR o.type = %(type)s::text) "
    "AND (%(states)s::smallint[] IS NULL OR o.state = ANY (%(states)s::smallint[])) "
    "AND (%(reviews)s::smallint[] IS NULL OR ((o.state = {order.completed} OR o.review > {review.pending}) "
    "AND o.review = ANY (%(reviews)s::smallint[]))) "
    "AND (%(unique_ids)s::text[] IS NULL OR o.unique_id = ANY (%(unique_ids)s::text[])) "
    "AND (%(tags)s::text[] IS NULL OR o.tags @> %(tags)s::text[]) "
    "AND (%(created_from)s::timestamptz IS NULL OR o.created_at >= %(created_from)s::timestamptz) "
    "AND (%(created_to)s::timestamptz IS NULL OR o.created_at <= %(created_to)s::timestamptz) "
    "AND (%(completed_from)s::timestamptz IS NULL OR o.completed_at >= %(completed_from)s::timestamptz) "
    "AND (%(completed_to)s::timestamptz IS NULL OR o.completed_at <= %(completed_to)s::timestamptz) "
    "AND (%(updated_from)s::timestamptz IS NULL OR o.updated_at >= %(updated_from)s::timestamptz) "
    "AND (%(updated_to)s::timestamptz IS NULL OR o.updated_at <= %(updated_to)s::timestamptz) "
)

# ---------------------------------------------------------------- orders
ADD = Command(
    "INSERT INTO order_task (tenant, id, type, role, project, project_version, batch, state, unique_id, "
    "free_unique_id_on_error, instruction, params, metadata, tags, priority, callback, work, waits, expected, initial, "
    "created_at, updated_at) VALUES (%(tenant)s, %(id)s, %(type)s, %(role)s, %(project)s, %(project_version)s, "
    "%(batch)s, {order.pending}, %(unique_id)s, %(free_unique_id_on_error)s, %(instruction)s, %(params)s, "
    "%(metadata)s, "
    "%(tags)s::text[], %(priority)s, %(callback)s, %(work)s, %(waits)s, %(expected)s, %(initial)s, %(now)s, %(now)s) "
    "ON CONFLICT (tenant, unique_id) DO NOTHING"
)
ORDER = Statement(Order, "SELECT " + _ORDER + _FROM + "WHERE o.tenant = %(tenant)s AND o.id = %(id)s")
LOCK = Scalar(UUID, "SELECT id FROM order_task WHERE tenant = %(tenant)s AND id = %(id)s FOR NO KEY UPDATE")
# Newest first: what is written while somebody reads page after page has a later id, so it moves nothing they read.
LIST = Statement(
    Order,
    "SELECT " + _ORDER + _FROM + _WHERE + "AND o.id < %(before)s::uuid ORDER BY o.id DESC LIMIT %(limit)s",
)
COUNT = Scalar(int, "SELECT count(*)" + " FROM order_task o " + _WHERE)
SET_METADATA = Command(
    "UPDATE order_task SET metadata = %(metadata)s, updated_at = %(now)s WHERE tenant = %(tenant)s AND id = %(id)s"
)
SET_TAGS = Command(
    "UPDATE order_task SET tags = %(tags)s::text[], updated_at = %(now)s WHERE tenant = %(tenant)s AND id = %(id)s"
)
SET_UNIQUE_ID = Command(
    "UPDATE order_task SET unique_id = %(unique_id)s::text, updated_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
CANCEL = Command(
    "UPDATE order_task SET state = {order.canceled}, waits = NULL, updated_at = %(now)s, "
    "unique_id = CASE WHEN %(clear)s THEN NULL ELSE unique_id END "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state = {order.pending}"
)
COMPLETE = Command(
    "UPDATE order_task SET state = {order.completed}, waits = NULL, response = %(response)s, error = NULL, "
    "review = {review.pending}, completed_at = %(now)s, updated_at = %(now)s, callback_succeeded = NULL "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state IN ({order.pending}, {order.completed})"
)
FAIL = Command(
    "UPDATE order_task SET state = {order.error}, waits = NULL, error = %(error)s, updated_at = %(now)s, "
    "unique_id = CASE WHEN free_unique_id_on_error THEN NULL ELSE unique_id END "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state = {order.pending}"
)
REVIEW = Command(
    "UPDATE order_task SET review = %(review)s, updated_at = %(now)s, "
    "response = coalesce(%(response)s::text, response) WHERE tenant = %(tenant)s AND id = %(id)s"
)
REOPEN = Command(
    "UPDATE order_task SET state = {order.pending}, waits = 'redo', completed_at = NULL, updated_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s AND state = {order.completed}"
)
AUDIT_ADD = Command(
    "INSERT INTO order_audit (tenant, id, task, review, comments, response, principal, at) "
    "VALUES (%(tenant)s, %(id)s, %(task)s, %(review)s, %(comments)s, %(response)s, %(principal)s, %(now)s)"
)
AUDITS = Statement(
    Audit,
    "SELECT review, comments, at FROM order_audit WHERE tenant = %(tenant)s AND task = %(task)s ORDER BY id LIMIT 100",
)
CALLED_BACK = Command(
    "UPDATE order_task SET callback_succeeded = %(succeeded)s WHERE tenant = %(tenant)s AND id = %(id)s"
)
PRIORITY = Command(
    "UPDATE order_task SET priority = %(priority)s, updated_at = %(now)s WHERE tenant = %(tenant)s AND id = %(id)s"
)

# ---------------------------------------------------------------- from orders to foundry tasks
_PLACING = (
    "SELECT o.id, o.type, o.role, o.project, p.name AS project_name, o.batch, b.state AS batch_state, "
    "b.position AS batch_position, o.priority, o.work, o.waits, o.line"
)
_PLACING_FROM = (
    " FROM order_task o LEFT JOIN order_project p ON p.tenant = o.tenant AND p.id = o.project "
    "LEFT JOIN order_batch b ON b.tenant = o.tenant AND b.id = o.batch "
)
FETCHING = Statement(
    Fetching,
    _PLACING
    + ", o.fetch_since"
    + _PLACING_FROM
    + "WHERE o.tenant = %(tenant)s AND o.id = %(id)s AND o.state = {order.pending} "
    "AND o.foundry_task IS NULL AND o.work IS NOT NULL AND o.waits = 'attachment' AND o.line IS NOT NULL "
    "AND o.fetch_since IS NOT NULL",
)
# An order gets the money of its line, and counts among the open ones of it; now: it waits for its attachment.
LINED = Command(
    "UPDATE order_task SET line = %(line)s, fetch_since = coalesce(%(now)s::timestamptz, fetch_since), "
    "waits = CASE WHEN %(now)s::timestamptz IS NULL THEN waits ELSE 'attachment' END "
    "WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::uuid[]) AND state = {order.pending} AND foundry_task IS NULL"
)
WAITING = Statement(
    Placing,
    _PLACING
    + _PLACING_FROM
    + "WHERE o.tenant = %(tenant)s AND o.state = {order.pending} AND o.foundry_task IS NULL AND o.work IS NOT NULL "
    "AND (%(unfunded)s OR o.waits <> 'budget') AND (o.waits <> 'attachment' OR o.fetch_since IS NULL) "
    "AND o.id > %(after)s AND coalesce(b.state, {batch.in_progress}) IN ({batch.in_progress}, {batch.completed}) "
    "ORDER BY o.id LIMIT %(limit)s",
)
WAITS = Command(
    "UPDATE order_task SET waits = %(waits)s WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::uuid[]) "
    "AND state = {order.pending} AND waits IS DISTINCT FROM %(waits)s"
)
WITH_FRAMES = Statement(
    Waits,
    "SELECT id FROM order_task WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::uuid[]) AND state = {order.pending} "
    "AND waits = 'frames'",
)
DOUBTFUL = Command(
    "UPDATE order_task SET waits = 'expert' WHERE tenant = %(tenant)s AND foundry_task = ANY (%(tasks)s::uuid[]) "
    "AND state = {order.pending}"
)
BATCH_WAITS = Command(
    "UPDATE order_task SET waits = %(waits)s WHERE tenant = %(tenant)s AND batch = %(batch)s "
    "AND state = {order.pending} AND foundry_task IS NULL AND work IS NOT NULL"
)
PLACED = Command(
    "UPDATE order_task o SET line = %(line)s, foundry_task = x.task, waits = 'work', updated_at = %(now)s "
    "FROM unnest(%(ids)s::uuid[], %(tasks)s::uuid[]) AS x (id, task) "
    "WHERE o.tenant = %(tenant)s AND o.id = x.id AND o.state = {order.pending}"
)
LINE_LOCK = Command("SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 5))")
_LINE = "id, dataset, foundry, judgements, each_minor, currency, training"
LINE = Statement(
    Line,
    "SELECT " + _LINE + " FROM order_line WHERE tenant = %(tenant)s AND project IS NOT DISTINCT FROM %(project)s::uuid "
    "AND type = %(type)s AND spec_sha256 = %(spec)s AND closed_at IS NULL",
)
LINE_BY_ID = Statement(Line, "SELECT " + _LINE + " FROM order_line WHERE tenant = %(tenant)s AND id = %(id)s")
LINES_OF = Statement(
    Line,
    "SELECT " + _LINE + " FROM order_line WHERE tenant = %(tenant)s AND foundry = %(foundry)s AND closed_at IS NULL",
)
LINES_BESIDE = Statement(
    Line,
    "SELECT " + _LINE + " FROM order_line WHERE tenant = %(tenant)s AND id <> %(id)s AND currency = %(currency)s "
    "AND NOT training AND closed_at IS NULL ORDER BY id LIMIT 10000",
)
UNLINED = Statement(
    Waits,
    "SELECT id FROM order_task WHERE tenant = %(tenant)s AND id = ANY (%(ids)s::uuid[]) AND state = {order.pending} "
    "AND line IS NULL AND foundry_task IS NULL",
)
LINE_CLOSE = Command("UPDATE order_line SET closed_at = %(now)s WHERE tenant = %(tenant)s AND id = %(id)s")
PENDING_ON_LINE = Statement(
    Waits,
    "SELECT id FROM order_task WHERE tenant = %(tenant)s AND line = %(line)s AND state = {order.pending} ORDER BY id",
)
WAITS_FOR_BUDGET = Scalar(
    bool,
    "SELECT EXISTS (SELECT FROM order_task WHERE tenant = %(tenant)s AND state = {order.pending} AND "
    "foundry_task IS NULL AND work IS NOT NULL AND waits = 'budget')",
)
LINE_OF = Statement(
    Line, "SELECT " + _LINE + " FROM order_line WHERE tenant = %(tenant)s AND foundry = %(foundry)s LIMIT 1"
)
# Lines that cost more than was allotted when their orders were placed: something is done again, or people are trained.
LINES_SPENDING = Statement(
    Line,
    "SELECT " + _LINE + " FROM order_line l WHERE l.tenant = %(tenant)s AND (l.training OR EXISTS (SELECT FROM "
    "order_task o WHERE o.tenant = l.tenant AND o.line = l.id AND o.state = {order.pending} AND o.waits = 'redo')) "
    "ORDER BY l.id LIMIT 1000",
)
LINE_ADD = Command(
    "INSERT INTO order_line (tenant, id, project, type, spec_sha256, dataset, foundry, judgements, each_minor, "
    "currency, training, created_at) VALUES (%(tenant)s, %(id)s, %(project)s, %(type)s, %(spec)s, %(dataset)s, "
    "%(foundry)s, %(judgements)s, %(each_minor)s, %(currency)s, %(training)s, %(now)s)"
)
LINE_PROJECTS = Scalar(
    UUID, "SELECT project FROM order_line WHERE tenant = %(tenant)s AND foundry = %(foundry)s LIMIT 1"
)
OPEN_ON_LINE = Scalar(
    int, "SELECT count(*) FROM order_task WHERE tenant = %(tenant)s AND line = %(line)s AND state = {order.pending}"
)
BY_FOUNDRY = Statement(
    Order,
    "SELECT " + _ORDER + _FROM + "WHERE o.tenant = %(tenant)s AND o.foundry_task = ANY (%(tasks)s::uuid[]) "
    "ORDER BY o.id FOR NO KEY UPDATE OF o",
)
HELD = Statement(
    Held,
    "SELECT foundry_task, batch FROM order_task WHERE tenant = %(tenant)s AND batch = %(batch)s "
    "AND state = {order.pending} AND foundry_task IS NOT NULL ORDER BY id",
)
CANCEL_UNPLACED = Command(
    "UPDATE order_task SET state = {order.canceled}, waits = NULL, updated_at = %(now)s "
    "WHERE tenant = %(tenant)s AND batch = %(batch)s AND state = {order.pending} "
    "AND (foundry_task IS NULL OR foundry_task = ANY (%(cancelled)s::uuid[]))"
)
BATCH_STATES = Statement(
    State,
    "SELECT state, count(*) AS orders FROM order_task WHERE tenant = %(tenant)s AND batch = %(batch)s "
    "AND role = {role.production} GROUP BY state ORDER BY state",
)
_QUEUED = (
    "SELECT o.foundry_task, b.position, o.priority FROM order_task o "
    "LEFT JOIN order_batch b ON b.tenant = o.tenant AND b.id = o.batch WHERE o.tenant = %(tenant)s "
    "AND o.state = {order.pending} AND o.foundry_task IS NOT NULL "
)
QUEUED = Statement(Queued, _QUEUED + "ORDER BY o.id LIMIT 200000")
QUEUED_ONE = Statement(Queued, _QUEUED + "AND o.id = %(id)s")
STILL = Scalar(
    UUID,
    "SELECT id FROM order_task WHERE tenant = %(tenant)s AND id = %(id)s AND state = {order.pending} AND foundry_task "
    "IS NULL FOR NO KEY UPDATE",
)
WORLD = Scalar(str, "SELECT world FROM tenant WHERE id = %(tenant)s")

# ---------------------------------------------------------------- terms
TERMS = Statement(
    Terms,
    "SELECT price_minor, currency, min_judgements, max_judgements, target_accuracy, page_size, callback "
    "FROM order_terms WHERE tenant = %(tenant)s",
)
TERMS_SET = Command(
    "INSERT INTO order_terms (tenant, price_minor, currency, min_judgements, max_judgements, target_accuracy, "
    "page_size, callback) VALUES (%(tenant)s, %(price_minor)s, %(currency)s, %(min_judgements)s, %(max_judgements)s, "
    "%(target_accuracy)s, %(page_size)s, %(callback)s) ON CONFLICT (tenant) DO UPDATE SET "
    "price_minor = excluded.price_minor, currency = excluded.currency, min_judgements = excluded.min_judgements, "
    "max_judgements = excluded.max_judgements, target_accuracy = excluded.target_accuracy, "
    "page_size = excluded.page_size, callback = excluded.callback"
)
