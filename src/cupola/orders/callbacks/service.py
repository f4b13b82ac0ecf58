"""Callbacks: written in the transaction of what they tell, delivered at least once, up to 20 tries in 24 h."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from uuid import UUID

from cupola.kernel import clock, dice, ids, limits
from cupola.kernel.errors import Problem, invalid, not_found
from cupola.orders import store as orders
from cupola.orders.callbacks import model, store
from cupola.orders.callbacks.model import Delivery, Message, State
from cupola.orders.callbacks.store import Claimed, Due
from cupola.platform.net import Fetcher, Guard, check_literal
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.platform.webhooks.model import SIGNATURE_HEADER, pause, signature

CLAIM_S = 60.0
AT_ONCE = 16
EACH = 50
PASS_S = 5.0
MAX_ERROR_CHARS = 300


def check_receiver(run: Runtime, receiver: str, place: str) -> None:
    """Raises Problem (INVALID) for what is neither an e-mail address nor a URL that may be called."""
    if "\0" in receiver or len(receiver) > 8_000:
        raise invalid("url-invalid", f"{place}: is no address that can be kept", place=place)
    if model.is_email(receiver):
        return
    try:
        check_literal(receiver, Guard.of(run.settings.allowed_hosts))
    except Problem as problem:
        raise invalid(problem.code, f"{place}: {problem.detail}", place=place, remedy=problem.remedy) from problem


def auth(run: Runtime, tenant: UUID) -> str:
    """The value of `scale-callback-auth` for a world."""
    return model.auth_of(run.settings.derive("order callback auth"), tenant)


async def enqueue(
    conn: Conn, tenant: UUID, kind: str, url: str, body: bytes, *, task: UUID | None = None, batch: UUID | None = None
) -> UUID:
    """Put a message on its way; it leaves when the transaction is committed."""
    new = ids.uuid7()
    await store.ADD.run(
        conn, tenant=tenant, id=new, task=task, batch=batch, kind=kind, url=url, body=body.decode(), now=clock.now()
    )
    return new


async def deliveries(
    conn: Conn, tenant: UUID, *, task: UUID | None, state: State | None = None, before: UUID | None, limit: int
) -> list[Delivery]:
    """The log, newest first."""
    return await store.DELIVERIES.all(conn, tenant=tenant, task=task, state=state, before=before, limit=limit)


async def message(conn: Conn, tenant: UUID, delivery: UUID) -> Message:
    """One message with its body. Raises Problem (NOT_FOUND)."""
    row = await store.MESSAGE.maybe(conn, tenant=tenant, id=delivery)
    if row is None:
        raise not_found("callback")
    return row


async def resend(conn: Conn, tenant: UUID, delivery: UUID) -> Delivery:
    """Send a message again, with the whole schedule of tries before it. Raises Problem (NOT_FOUND)."""
    row = await store.RESEND.maybe(conn, tenant=tenant, id=delivery, now=clock.now())
    if row is None:
        raise not_found("callback")
    return row


async def deliver_due(run: Runtime) -> int:
    """Try what is due; returns how many tries were made. Any number of processes may do this at a time.

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
        outcomes = await asyncio.gather(*(some(fetcher) for _ in range(min(AT_ONCE, len(due)))), return_exceptions=True)
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
    wait = None if model.is_email(claimed.url) else pause(claimed.tries, dice.unit())
    state: State = "delivered" if error is None else "waiting" if wait is not None else "failed"
    async with run.db.tx(Role.APP, tenant=due.tenant) as conn:
        await store.OUTCOME.run(
            conn,
            tenant=due.tenant,
            id=claimed.id,
            state=state,
            status=status,
            error=error,
            next_at=done + wait if state == "waiting" and wait is not None else None,
            delivered_at=done if state == "delivered" else None,
        )
        if claimed.task is not None and state != "waiting":
            await orders.CALLED_BACK.run(conn, tenant=due.tenant, id=claimed.task, succeeded=state == "delivered")
    return True


async def _send(run: Runtime, fetcher: Fetcher, tenant: UUID, claimed: Claimed) -> tuple[int | None, str | None]:
    """One POST: (status of the answer, what went wrong)."""
    if model.is_email(claimed.url):
        return None, "This instance sends no mail; give a URL."
    body = claimed.body.encode()
    secret = auth(run, tenant)
    headers = {
        "Content-Type": "application/json",
        model.AUTH_HEADER: secret,
        "Cupola-Delivery": str(claimed.id),
        "Cupola-Event": f"order.{claimed.kind}",
        SIGNATURE_HEADER: signature(secret, clock.now(), body),
    }
    try:
        async with fetcher.stream(claimed.url, max_bytes=1 << 40, method="POST", headers=headers, content=body) as (
            response,
            _,
        ):
            status = response.status_code
    except Problem as problem:
        return None, problem.detail[:MAX_ERROR_CHARS]
    return status, None if 200 <= status < 300 else f"The receiver answered {status}."
