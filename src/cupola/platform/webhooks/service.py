"""Webhooks: made and changed by a tenant, fed by events, delivered at least once.

A receiver may get an event twice (after a crash between the answer and its record) and in another order than events
happened; the body's `id` tells which one it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from cupola.kernel import clock, ids
from cupola.kernel.errors import Kind, Problem, conflict, not_found
from cupola.platform import events, outbox
from cupola.platform.event_view import view
from cupola.platform.events import Event
from cupola.platform.net import Fetcher, Guard, check_literal, check_url
from cupola.platform.once import Once
from cupola.platform.outbox import Attempt, Lane
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.platform.webhooks import model, store
from cupola.platform.webhooks.model import Delivery, MadeWebhook, State, Webhook
from cupola.platform.webhooks.store import Claimed


# ---------------------------------------------------------------- the tenant's side
async def check_receiver(settings: Settings, url: str) -> None:
    """Refuse a URL that leads to a private address now; each delivery checks again.

    A name that cannot be looked up is let pass: it may come to be, and until then its deliveries say so.
    Raises Problem (INVALID): "url-invalid", "url-private".
    """
    guard = Guard.of(settings.allowed_hosts)
    check_literal(url, guard)
    try:
        await check_url(url, guard)
    except Problem as problem:
        if problem.kind is not Kind.UNAVAILABLE:
            raise


async def create(
    conn: Conn, made: Once, settings: Settings, tenant: UUID, url: str, kinds: Sequence[str]
) -> MadeWebhook:
    """A new webhook; the caller has checked the receiver. Raises Problem: INVALID, CONFLICT "too-many-webhooks"."""
    wanted = model.check_kinds(kinds)
    new = made.uuid("webhook")
    if not made.again:
        if await store.WEBHOOKS_COUNT.one(conn, tenant=tenant) >= model.MAX_WEBHOOKS:
            raise conflict(
                "too-many-webhooks",
                f"A tenant has at most {model.MAX_WEBHOOKS} webhooks.",
                remedy="Delete one that is not used, or let one receiver take more kinds of events.",
            )
        await store.WEBHOOK_ADD.run(
            conn, tenant=tenant, id=new, url=url, salt=made.token("salt"), events=wanted, now=clock.now()
        )
        await events.emit(conn, tenant, "webhook.created", new)
    row = await store.WEBHOOK.maybe(conn, tenant=tenant, id=new)
    salt = await store.WEBHOOK_SALT.maybe(conn, tenant=tenant, id=new)
    if row is None or salt is None:
        raise conflict(
            "webhook-deleted", "The webhook that this request made was deleted.", remedy="Use a new Idempotency-Key."
        )
    return MadeWebhook(row.id, row.url, row.events, row.state, row.created_at, _secret(settings, tenant, row.id, salt))


def _secret(settings: Settings, tenant: UUID, webhook: UUID, salt: str) -> str:
    return model.secret_of(settings.derive("webhook secret"), tenant, webhook, salt)


async def webhooks(conn: Conn, tenant: UUID, after: UUID | None, limit: int) -> list[Webhook]:
    return await store.WEBHOOKS.all(conn, tenant=tenant, after=after or ids.FIRST, limit=limit)


async def webhook(conn: Conn, tenant: UUID, webhook_id: UUID) -> Webhook:
    """Raises Problem (NOT_FOUND)."""
    row = await store.WEBHOOK.maybe(conn, tenant=tenant, id=webhook_id)
    if row is None:
        raise not_found("webhook")
    return row


async def change(
    conn: Conn,
    tenant: UUID,
    webhook_id: UUID,
    *,
    url: str | None = None,
    kinds: Sequence[str] | None = None,
    state: State | None = None,
) -> Webhook:
    """Change what is given. Raises Problem: NOT_FOUND, INVALID."""
    wanted = None if kinds is None else model.check_kinds(kinds)
    row = await store.WEBHOOK_CHANGE.maybe(conn, tenant=tenant, id=webhook_id, url=url, events=wanted, state=state)
    if row is None:
        raise not_found("webhook")
    await events.emit(conn, tenant, "webhook.changed", webhook_id)
    return row


async def delete(conn: Conn, tenant: UUID, webhook_id: UUID) -> None:
    """Delete a webhook with its log. Raises Problem (NOT_FOUND)."""
    await store.DELIVERIES_DELETE.run(conn, tenant=tenant, webhook=webhook_id)
    if not await store.WEBHOOK_DELETE.run(conn, tenant=tenant, id=webhook_id):
        raise not_found("webhook")
    await events.emit(conn, tenant, "webhook.deleted", webhook_id)


async def deliveries(conn: Conn, tenant: UUID, webhook_id: UUID, before: UUID | None, limit: int) -> list[Delivery]:
    """The log, newest first. Raises Problem (NOT_FOUND)."""
    await webhook(conn, tenant, webhook_id)
    return await store.DELIVERIES.all(conn, tenant=tenant, webhook=webhook_id, before=before or ids.LAST, limit=limit)


async def resend(conn: Conn, tenant: UUID, delivery: UUID) -> Delivery:
    """Send a delivery again, with the whole schedule of tries before it. Raises Problem (NOT_FOUND)."""
    row = await store.RESEND.maybe(conn, tenant=tenant, id=delivery, now=clock.now())
    if row is None:
        raise not_found("delivery")
    return row


# ---------------------------------------------------------------- from events to deliveries
async def enqueue(conn: Conn, tenant: UUID, batch: Sequence[Event]) -> None:
    """Write the deliveries of some events of a tenant, in the caller's transaction.

    Events that come a second time write nothing. A webhook gets what happened since it was made: it may be fed by a
    consumer that is far behind.
    """
    listeners = await store.LISTENERS.all(conn, tenant=tenant)
    pairs = [
        (listener, event)
        for event in batch
        for listener in listeners
        if event.at >= listener.created_at and model.wants(listener.events, event.kind)
    ]
    if not pairs:
        return
    bodies = {event.seq: msgspec.json.encode(view(event)).decode() for _, event in pairs}
    await store.ENQUEUE.run(
        conn,
        tenant=tenant,
        ids=[ids.uuid7() for _ in pairs],
        webhooks=[listener.id for listener, _ in pairs],
        events=[event.seq for _, event in pairs],
        kinds=[event.kind for _, event in pairs],
        bodies=[bodies[event.seq] for _, event in pairs],
        now=clock.now(),
    )


# ---------------------------------------------------------------- out
class _Webhooks:
    """The deliveries of webhooks, for `outbox`."""

    async def lanes(self, conn: Conn, now: datetime) -> list[Lane]:
        return await store.LANES.all(conn, now=now)

    async def claim(self, conn: Conn, lane: Lane, now: datetime, until: datetime, limit: int) -> list[Claimed]:
        return await store.CLAIM.all(conn, tenant=lane.tenant, lane=lane.lane, now=now, until=until, limit=limit)

    async def send(
        self, run: Runtime, fetcher: Fetcher, tenant: UUID, message: Claimed
    ) -> tuple[int | None, outbox.Wrong | None]:
        if message.state != "on":
            return None, outbox.Wrong("webhook-off", "The webhook is switched off.")
        body = message.body.encode()
        secret = _secret(run.settings, tenant, message.webhook, message.salt)
        headers = {
            "Cupola-Event": message.kind,
            "Cupola-Delivery": str(message.id),
            model.SIGNATURE_HEADER: model.signature(secret, clock.now(), body),
        }
        return await outbox.post(fetcher, message.url, body, headers)

    def again(self, message: Claimed, unit: float) -> timedelta | None:
        return outbox.pause(message.tries, unit) if message.state == "on" else None

    async def note(self, conn: Conn, tenant: UUID, tried: Sequence[tuple[Claimed, Attempt]]) -> None:
        await store.OUTCOMES.run(
            conn,
            tenant=tenant,
            ids=[message.id for message, _ in tried],
            untils=[message.until for message, _ in tried],
            **outbox.columns([one for _, one in tried]),
        )


OUTBOX = _Webhooks()


async def deliver_due(run: Runtime) -> int:
    """Try what is due; returns how many tries were made."""
    return await outbox.deliver_due(run, OUTBOX)
