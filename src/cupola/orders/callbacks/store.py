"""SQL of callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.orders.callbacks.model import Delivery, Message
from cupola.platform.outbox import Lane
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
    until: datetime  # whose it is until then


_DELIVERY = (
    "id, task, batch, kind, url, state, tries, last_status, last_error, last_error_code, next_at, created_at, "
    "delivered_at "
)
ADD = Command(
    "INSERT INTO order_callback (tenant, id, task, batch, kind, url, body, state, next_at, created_at) VALUES "
    "(%(tenant)s, %(id)s, %(task)s::uuid, %(batch)s::uuid, %(kind)s, %(url)s, %(body)s, 'waiting', %(now)s, %(now)s)"
)
# Role OPS, which sees for whom, not what. Receivers are found one after the other by the index.
LANES = Statement(
    Lane,
    "WITH RECURSIVE queueing AS ("
    "(SELECT tenant, lane FROM order_callback WHERE state = 'waiting' ORDER BY tenant, lane LIMIT 1) UNION ALL "
    "SELECT n.tenant, n.lane FROM queueing q CROSS JOIN LATERAL (SELECT d.tenant, d.lane FROM order_callback d "
    "WHERE d.state = 'waiting' AND (d.tenant, d.lane) > (q.tenant, q.lane) ORDER BY d.tenant, d.lane LIMIT 1) n) "
    "SELECT tenant, lane AS lane FROM queueing q WHERE EXISTS (SELECT FROM order_callback d "
    "WHERE d.tenant = q.tenant AND d.lane = q.lane AND d.state = 'waiting' AND d.next_at <= %(now)s) LIMIT 10000",
)
CLAIM = Statement(
    Claimed,
    "WITH due AS (SELECT id FROM order_callback WHERE tenant = %(tenant)s AND lane = %(lane)s AND state = 'waiting' "
    "AND next_at <= %(now)s ORDER BY next_at, id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED) "
    "UPDATE order_callback d SET tries = d.tries + 1, next_at = %(until)s FROM due "
    "WHERE d.tenant = %(tenant)s AND d.id = due.id RETURNING d.id, d.task, d.batch, d.kind, d.url, d.body, d.tries, "
    "d.next_at AS until",
)
# of a message that was asked for anew, or taken by another, while it was on its way, only how the try went is noted
OUTCOMES = Command(
    "UPDATE order_callback d SET last_status = o.status, last_error = o.error, last_error_code = o.code, "
    "state = CASE WHEN d.next_at = o.until THEN o.state ELSE d.state END, "
    "next_at = CASE WHEN d.next_at = o.until THEN o.next_at ELSE d.next_at END, "
    "tries = CASE WHEN d.next_at = o.until THEN d.tries - o.untried ELSE d.tries END, "
    "delivered_at = coalesce(o.delivered_at, d.delivered_at) "
    "FROM unnest(%(ids)s::uuid[], %(untils)s::timestamptz[], %(states)s::text[], %(statuses)s::int[], "
    "%(errors)s::text[], %(codes)s::text[], %(next_ats)s::timestamptz[], %(delivered_ats)s::timestamptz[], "
    "%(untried)s::int[]) "
    "AS o (id, until, state, status, error, code, next_at, delivered_at, untried) "
    "WHERE d.tenant = %(tenant)s AND d.id = o.id"
)
DELIVERIES = Statement(
    Delivery,
    "SELECT " + _DELIVERY + "FROM order_callback WHERE tenant = %(tenant)s "
    "AND (%(task)s::uuid IS NULL OR task = %(task)s::uuid) AND (%(state)s::text IS NULL OR state = %(state)s::text) "
    "AND id < %(before)s::uuid ORDER BY id DESC LIMIT %(limit)s",
)
MESSAGE = Statement(
    Message, "SELECT " + _DELIVERY + ", body FROM order_callback WHERE tenant = %(tenant)s AND id = %(id)s"
)
RESEND = Statement(
    Delivery,
    "UPDATE order_callback SET state = 'waiting', tries = 0, next_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s RETURNING " + _DELIVERY,
)
