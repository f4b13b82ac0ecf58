"""SQL of deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.orders.deliveries.model import Delivery, Row
from cupola.platform.pg.statement import Command, Scalar, Statement


@dataclass(frozen=True, slots=True)
class Dataset:
    id: UUID
    name: str


_DELIVERY = (
    "d.id, d.project, p.name AS project_name, d.name, d.release, d.tasks, d.delivered_at FROM order_delivery d "
    "JOIN order_project p ON p.tenant = d.tenant AND p.id = d.project WHERE d.tenant = %(tenant)s "
)
ADD = Command(
    "INSERT INTO order_delivery (tenant, id, project, name, release, tasks, delivered_at) SELECT %(tenant)s, %(id)s, "
    "%(project)s, %(name)s, %(release)s::uuid, count(*), %(now)s FROM order_task o WHERE o.tenant = %(tenant)s "
    "AND o.project = %(project)s AND o.role = {role.production} AND o.state = {order.completed} AND o.response IS NOT "
    "NULL AND (%(tasks)s::uuid[] IS NULL OR o.foundry_task = ANY (%(tasks)s::uuid[]))"
)
ROWS_ADD = Command(
    "INSERT INTO order_delivery_row (tenant, delivery, task, response, snapshot) SELECT %(tenant)s, %(id)s, o.id, "
    "o.response, json_build_object('metadata', o.metadata, 'completed_at', o.completed_at, 'batch', o.batch)::text "
    "FROM order_task o WHERE o.tenant = %(tenant)s AND o.project = %(project)s AND o.role = {role.production} AND "
    "o.state = {order.completed} "
    "AND o.response IS NOT NULL AND (%(tasks)s::uuid[] IS NULL OR o.foundry_task = ANY (%(tasks)s::uuid[]))"
)
DELIVERY = Statement(Delivery, "SELECT " + _DELIVERY + "AND d.id = %(id)s")
NAMED = Statement(
    Delivery,
    "SELECT " + _DELIVERY + "AND d.name = %(name)s AND (%(project)s::uuid IS NULL OR d.project = %(project)s::uuid) "
    "ORDER BY d.id LIMIT 1",
)
LIST = Statement(
    Delivery,
    "SELECT " + _DELIVERY + "AND (%(project)s::uuid IS NULL OR d.project = %(project)s::uuid) "
    "AND (%(delivered_from)s::timestamptz IS NULL OR d.delivered_at >= %(delivered_from)s::timestamptz) "
    "AND (%(delivered_to)s::timestamptz IS NULL OR d.delivered_at <= %(delivered_to)s::timestamptz) "
    "ORDER BY d.id DESC LIMIT 10000",
)
_WHERE = (
    "FROM order_delivery_row r JOIN order_delivery d ON d.tenant = r.tenant AND d.id = r.delivery "
    "JOIN order_task o ON o.tenant = r.tenant AND o.id = r.task WHERE r.tenant = %(tenant)s "
    "AND (%(delivery)s::uuid IS NULL OR r.delivery = %(delivery)s::uuid) "
    "AND (%(project)s::uuid IS NULL OR d.project = %(project)s::uuid) "
    "AND (%(task)s::uuid IS NULL OR r.task = %(task)s::uuid) AND NOT order_kept(o.foundry_task) "
    "AND (%(delivered_from)s::timestamptz IS NULL OR d.delivered_at >= %(delivered_from)s::timestamptz) "
    "AND (%(delivered_to)s::timestamptz IS NULL OR d.delivered_at <= %(delivered_to)s::timestamptz) "
)
ROWS = Statement(
    Row,
    "SELECT r.task, o.type, r.delivery, d.project, o.created_at, d.delivered_at, "
    "order_answer(o.foundry_task, r.response) AS response, r.snapshot "
    + _WHERE
    + "AND (r.delivery, r.task) > (%(after_delivery)s::uuid, %(after_task)s::uuid) "
    "ORDER BY r.delivery, r.task LIMIT %(limit)s",
)
DATASETS = Statement(
    Dataset,
    "SELECT DISTINCT p.id, p.name FROM order_delivery d JOIN order_project p ON p.tenant = d.tenant "
    "AND p.id = d.project WHERE d.tenant = %(tenant)s ORDER BY p.id DESC LIMIT 10000",
)
RELEASED = Scalar(UUID, "SELECT id FROM order_delivery WHERE tenant = %(tenant)s AND release = %(release)s LIMIT 1")
RELEASE_TASKS = Statement(
    Dataset,
    "SELECT r.task AS id, l.name FROM release_row r JOIN release l ON l.tenant = r.tenant AND l.id = r.release "
    "WHERE r.tenant = %(tenant)s AND r.release = %(release)s ORDER BY r.position LIMIT 1000000",
)
