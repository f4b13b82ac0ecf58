"""SQL of webhooks and their deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.platform.outbox import Lane
from cupola.platform.pg.statement import Command, Scalar, Statement
from cupola.platform.webhooks.model import Delivery, State, Webhook


@dataclass(frozen=True, slots=True)
class Listener:
    id: UUID
    events: list[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    id: UUID
    webhook: UUID
    kind: str
    body: str
    tries: int
    url: str
    salt: str
    state: State
    until: datetime  # whose it is until then


# ---------------------------------------------------------------- webhooks (APP)
WEBHOOKS_COUNT = Scalar(int, "SELECT count(*)::int FROM webhook WHERE tenant = %(tenant)s")
WEBHOOK_ADD = Command(
    "INSERT INTO webhook (tenant, id, url, secret, events, created_at) "
    "VALUES (%(tenant)s, %(id)s, %(url)s, %(salt)s, %(events)s, %(now)s)"
)
WEBHOOK = Statement(
    Webhook,
    "SELECT id, url, events, state, created_at FROM webhook WHERE tenant = %(tenant)s AND id = %(id)s",
)
WEBHOOK_SALT = Scalar(str, "SELECT secret FROM webhook WHERE tenant = %(tenant)s AND id = %(id)s")
WEBHOOKS = Statement(
    Webhook,
    "SELECT id, url, events, state, created_at FROM webhook WHERE tenant = %(tenant)s AND id > %(after)s "
    "ORDER BY id LIMIT %(limit)s",
)
WEBHOOK_CHANGE = Statement(
    Webhook,
    "UPDATE webhook SET url = coalesce(%(url)s::text, url), events = coalesce(%(events)s::text[], events), "
    "state = coalesce(%(state)s::text, state) WHERE tenant = %(tenant)s AND id = %(id)s "
    "RETURNING id, url, events, state, created_at",
)
WEBHOOK_DELETE = Command("DELETE FROM webhook WHERE tenant = %(tenant)s AND id = %(id)s")
DELIVERIES_DELETE = Command("DELETE FROM webhook_delivery WHERE tenant = %(tenant)s AND webhook = %(webhook)s")

# ---------------------------------------------------------------- deliveries (APP, but for LANES)
# The key is shared, so that nobody deletes a webhook between this look and the deliveries that refer to it.
LISTENERS = Statement(
    Listener,
    "SELECT id, events, created_at FROM webhook WHERE tenant = %(tenant)s AND state = 'on' ORDER BY id FOR KEY SHARE",
)
ENQUEUE = Command(
    "INSERT INTO webhook_delivery (tenant, id, webhook, event, kind, body, state, next_at, created_at) "
    "SELECT %(tenant)s, id, webhook, event, kind, body, 'waiting', %(now)s, %(now)s "
    "FROM unnest(%(ids)s::uuid[], %(webhooks)s::uuid[], %(events)s::bigint[], %(kinds)s::text[], %(bodies)s::text[]) "
    "AS n (id, webhook, event, kind, body) ON CONFLICT (tenant, webhook, event) DO NOTHING"
)
# Role OPS, which sees for whom, not what. Receivers are found one after the other by the index.
LANES = Statement(
    Lane,
    "WITH RECURSIVE queueing AS ("
    "(SELECT tenant, webhook FROM webhook_delivery WHERE state = 'waiting' ORDER BY tenant, webhook LIMIT 1) UNION ALL "
    "SELECT n.tenant, n.webhook FROM queueing q CROSS JOIN LATERAL (SELECT d.tenant, d.webhook FROM webhook_delivery d "
    "WHERE d.state = 'waiting' AND (d.tenant, d.webhook) > (q.tenant, q.webhook) ORDER BY d.tenant, d.webhook "
    "LIMIT 1) n) SELECT tenant, webhook AS lane FROM queueing q WHERE EXISTS (SELECT FROM webhook_delivery d "
    "WHERE d.tenant = q.tenant AND d.webhook = q.webhook AND d.state = 'waiting' AND d.next_at <= %(now)s) LIMIT 10000",
)
CLAIM = Statement(
    Claimed,
    "WITH due AS (SELECT id FROM webhook_delivery WHERE tenant = %(tenant)s AND webhook = %(lane)s "
    "AND state = 'waiting' AND next_at <= %(now)s ORDER BY next_at, id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED) "
    "UPDATE webhook_delivery d SET tries = d.tries + 1, next_at = %(until)s FROM due, webhook w "
    "WHERE d.tenant = %(tenant)s AND d.id = due.id AND w.tenant = d.tenant AND w.id = d.webhook "
    "RETURNING d.id, d.webhook, d.kind, d.body, d.tries, w.url, w.secret AS salt, w.state, d.next_at AS until",
)
# of a message that was asked for anew, or taken by another, while it was on its way, only how the try went is noted
OUTCOMES = Command(
    "UPDATE webhook_delivery d SET last_status = o.status, last_error = o.error, last_error_code = o.code, "
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
    "SELECT id, kind AS event, state, tries, last_status, last_error, last_error_code, next_at, created_at, "
    "delivered_at "
    "FROM webhook_delivery WHERE tenant = %(tenant)s AND webhook = %(webhook)s AND id < %(before)s "
    "ORDER BY id DESC LIMIT %(limit)s",
)
RESEND = Statement(
    Delivery,
    "UPDATE webhook_delivery SET state = 'waiting', tries = 0, next_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s "
    "RETURNING id, kind AS event, state, tries, last_status, last_error, last_error_code, next_at, created_at, "
    "delivered_at",
)
