"""SQL of callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from cupola.orders.callbacks.model import Delivery, Message
from cupola.platform.outbox import Due, TenantOf
from cupola.platform.pg.statement import Command, Statement


@dataclass(frozen=True, slots=True)
class Claimed:
    id: UUID
    task: UUID | None
    batch: UUID | None
    kind: str
    url: str
    body: str
    tries: int


_DELIVERY = "id, task, batch, kind, url, state, tries, last_status, last_error, next_at, created_at, delivered_at "
ADD = Command(
    "INSERT INTO order_callback (tenant, id, task, batch, kind, url, body, state, next_at, created_at) VALUES "
    "(%(tenant)s, %(id)s, %(task)s::uuid, %(batch)s::uuid, %(kind)s, %(url)s, %(body)s, 'waiting', %(now)s, %(now)s)"
)
# Role OPS, which sees when and for whom, not what; so many of each tenant, so that none holds up the others.
DUE = Statement(
    Due,
    "SELECT tenant, id FROM (SELECT tenant, id, next_at, "
    "row_number() OVER (PARTITION BY tenant ORDER BY next_at, id) AS place FROM ("
    "SELECT tenant, id, next_at FROM order_callback WHERE state = 'waiting' AND next_at <= %(now)s "
    "ORDER BY next_at LIMIT 5000) AS due) AS placed "
    "WHERE place <= %(each)s ORDER BY place, next_at LIMIT %(limit)s",
)
CLAIM = Statement(
    Claimed,
    "UPDATE order_callback SET tries = tries + 1, next_at = %(until)s WHERE tenant = %(tenant)s AND id = %(id)s "
    "AND state = 'waiting' AND next_at <= %(now)s RETURNING id, task, batch, kind, url, body, tries",
)
OUTCOME = Command(
    "UPDATE order_callback SET state = %(state)s, last_status = %(status)s::int, last_error = %(error)s::text, "
    "next_at = %(next_at)s::timestamptz, delivered_at = coalesce(%(delivered_at)s::timestamptz, delivered_at) "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
DELIVERIES = Statement(
    Delivery,
    "SELECT " + _DELIVERY + "FROM order_callback WHERE tenant = %(tenant)s "
    "AND (%(task)s::uuid IS NULL OR task = %(task)s::uuid) AND (%(state)s::text IS NULL OR state = %(state)s::text) "
    "AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid) ORDER BY id DESC LIMIT %(limit)s",
)
MESSAGE = Statement(
    Message, "SELECT " + _DELIVERY + ", body FROM order_callback WHERE tenant = %(tenant)s AND id = %(id)s"
)
RESEND = Statement(
    Delivery,
    "UPDATE order_callback SET state = 'waiting', tries = 0, next_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s RETURNING " + _DELIVERY,
)
# What is done is told of for a while (outbox.KEPT).
OUTDATED = Statement(
    TenantOf,
    "SELECT DISTINCT tenant FROM order_callback WHERE created_at < %(before)s AND state <> 'waiting' LIMIT 10000",
)
FORGET = Command(
    "DELETE FROM order_callback WHERE tenant = %(tenant)s AND created_at < %(before)s AND state <> 'waiting'"
)
