"""Webhooks: made and changed by a tenant, fed by events, delivered at least once.

A receiver may get an event twice (after a crash between the answer and its record) and in another order than events
happened; the body's `id` tells which one it is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from cupola.kernel import clock, dice, ids, limits
from cupola.kernel.errors import Kind, Problem, conflict, not_found
from cupola.platform import events
from cupola.platform.event_view import view
from cupola.platform.events import Event
from cupola.platform.net import Fetcher, Guard, check_literal, check_url
from cupola.platform.once import Once
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings
from cupola.platform.webhooks import model, store
from cupola.platform.webhooks.model import Delivery, DeliveryState, MadeWebhook, State, Webhook
from cupola.platform.webhooks.store import Claimed, Due

LAST_ID = UUID(int=(1 << 128) - 1)
CLAIM_S = 60.0  # longer than any one try: then another process may take it up
AT_ONCE = 16  # tries under way in one process
EACH = 50  # deliveries of one tenant in one pass
PASS_S = 5.0  # after which a pass begins no more tries
MAX_ERROR_CHARS = 300


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
    return await store.WEBHOOKS.all(conn, tenant=tenant, after=after or UUID(int=0), limit=limit)


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
    return await store.DELIVERIES.all(conn, tenant=tenant, webhook=webhook_id, before=before or LAST_ID, limit=limit)


async def resend(conn: Conn, tenant: UUID, delivery: UUID) -> Delivery:
    """Send a delivery again, with the whole schedule of tries before it. Raises Problem (NOT_FOUND)."""
    row = await store.RESEND.maybe(conn, tenant=tenant, id=delivery, now=clock.now())
    if row is None:
        raise not_found("delivery")
    return row


# ---------------------------------------------------------------- from events to deliveries
async def enqueue_all(run: Runtime, batch: Sequence[Event]) -> None:
    """Write the deliveries of a batch of events; events that come a second time write nothing."""
    by_tenant: dict[UUID, list[Event]] = {}
    for event in batch:
        by_tenant.setdefault(event.tenant, []).append(event)
    for tenant, its in by_tenant.items():
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            await enqueue(conn, tenant, its)


async def enqueue(conn: Conn, tenant: UUID, batch: Sequence[Event]) -> None:
    """The same for events of one tenant, in the caller's transaction.

    A webhook gets what happened since it was made: it may be fed by a consumer that is far behind.
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
async def deliver_due(run: Runtime) -> int:
    """Try what is due; returns how many tries were made. Any number of processes may do this at a time.

    A pass begins tries for PASS_S at most; what it did not come to stays due.
    Raises Problem (UNAVAILABLE) when the database is away.
    """
    async with run.db.tx(Role.OPS) as conn:
        due = deque(await store.DUE.all(conn, now=clock.now(), each=EACH, limit=1_000))
    if not due:
        return 0
    end_s = clock.monotonic_s() + PASS_S
    tried = 0

    async def some(fetcher: Fetcher) -> None:
        nonlocal tried
        while due and clock.monotonic_s() < end_s:
            made = await _try(run, fetcher, due.popleft())  # not `tried += await`: that reads before it waits
            tried += made

    async with Fetcher(Guard.of(run.settings.allowed_hosts), timeout_s=limits.WEBHOOK_TIMEOUT_S) as fetcher:
        hands = [some(fetcher) for _ in range(min(AT_ONCE, len(due)))]
        outcomes = await asyncio.gather(*hands, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return tried


async def _try(run: Runtime, fetcher: Fetcher, due: Due) -> bool:
    now = clock.now()
    async with run.db.tx(Role.APP, tenant=due.tenant) as conn:
        claimed = await store.CLAIM.maybe(
            conn, tenant=due.tenant, id=due.id, now=now, until=now + timedelta(seconds=CLAIM_S)
        )
    if claimed is None:
        return False  # another process has it
    status, error = await _send(run, fetcher, due.tenant, claimed)
    done = clock.now()
    pause = model.pause(claimed.tries, dice.unit()) if claimed.state == "on" else None
    state: DeliveryState = "delivered" if error is None else "waiting" if pause is not None else "failed"
    async with run.db.tx(Role.APP, tenant=due.tenant) as conn:
        await store.OUTCOME.run(
            conn,
            tenant=due.tenant,
            id=claimed.id,
            state=state,
            status=status,
            error=error,
            next_at=done + pause if state == "waiting" and pause is not None else None,
            delivered_at=done if state == "delivered" else None,
        )
    return True


async def _send(run: Runtime, fetcher: Fetcher, tenant: UUID, claimed: Claimed) -> tuple[int | None, str | None]:
    """One POST: (status of the answer, what went wrong)."""
    if claimed.state != "on":
        return None, "The webhook is switched off."
    body = claimed.body.encode()
    secret = _secret(run.settings, tenant, claimed.webhook, claimed.salt)
    headers = {
        "Content-Type": "application/json",
        "Cupola-Event": claimed.kind,
        "Cupola-Delivery": str(claimed.id),
        model.SIGNATURE_HEADER: model.signature(secret, clock.now(), body),
    }
    try:
        # The answer's body is not read: only its status counts.
        async with fetcher.stream(claimed.url, max_bytes=1 << 40, method="POST", headers=headers, content=body) as (
            response,
            _,
        ):
            status = response.status_code
    except Problem as problem:
        return None, problem.detail[:MAX_ERROR_CHARS]
    return status, None if 200 <= status < 300 else f"The receiver answered {status}."
