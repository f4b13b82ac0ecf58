"""SQL of webhooks and their deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cupola.platform.outbox import Due, TenantOf
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

# ---------------------------------------------------------------- deliveries (APP, but for DUE)
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
# Role OPS, which sees when and for whom, not what. So many of each tenant at a time: one tenant's flood or dead
# receiver does not hold up the others.
DUE = Statement(
    Due,
    "SELECT tenant, id FROM (SELECT tenant, id, next_at, "
    "row_number() OVER (PARTITION BY tenant ORDER BY next_at, id) AS place FROM ("
    "SELECT tenant, id, next_at FROM webhook_delivery WHERE state = 'waiting' AND next_at <= %(now)s "
    "ORDER BY next_at LIMIT 5000) AS due) AS placed "
    "WHERE place <= %(each)s ORDER BY place, next_at LIMIT %(limit)s",
)
CLAIM = Statement(
    Claimed,
    "UPDATE webhook_delivery d SET tries = d.tries + 1, next_at = %(until)s FROM webhook w "
    "WHERE d.tenant = %(tenant)s AND d.id = %(id)s AND d.state = 'waiting' AND d.next_at <= %(now)s "
    "AND w.tenant = d.tenant AND w.id = d.webhook "
    "RETURNING d.id, d.webhook, d.kind, d.body, d.tries, w.url, w.secret AS salt, w.state",
)
OUTCOME = Command(
    "UPDATE webhook_delivery SET state = %(state)s, last_status = %(status)s, last_error = %(error)s, "
    "next_at = %(next_at)s, delivered_at = coalesce(%(delivered_at)s, delivered_at) "
    "WHERE tenant = %(tenant)s AND id = %(id)s"
)
DELIVERIES = Statement(
    Delivery,
    "SELECT id, kind AS event, state, tries, last_status, last_error, next_at, created_at, delivered_at "
    "FROM webhook_delivery WHERE tenant = %(tenant)s AND webhook = %(webhook)s AND id < %(before)s "
    "ORDER BY id DESC LIMIT %(limit)s",
)
RESEND = Statement(
    Delivery,
    "UPDATE webhook_delivery SET state = 'waiting', tries = 0, next_at = %(now)s "
    "WHERE tenant = %(tenant)s AND id = %(id)s "
    "RETURNING id, kind AS event, state, tries, last_status, last_error, next_at, created_at, delivered_at",
)
# What is done is told of for a while (outbox.KEPT).
OUTDATED = Statement(
    TenantOf,
    "SELECT DISTINCT tenant FROM webhook_delivery WHERE created_at < %(before)s AND state <> 'waiting' LIMIT 10000",
)
FORGET = Command(
    "DELETE FROM webhook_delivery WHERE tenant = %(tenant)s AND created_at < %(before)s AND state <> 'waiting'"
)
