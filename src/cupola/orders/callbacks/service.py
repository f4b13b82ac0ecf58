"""Callbacks: written in the transaction of what they tell, delivered at least once, up to 20 tries in 24 h."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from cupola.catalog.addresses import encoded
from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem, invalid, not_found
from cupola.orders import store as orders
from cupola.orders.callbacks import model, store
from cupola.orders.callbacks.model import Delivery, Message, State
from cupola.orders.callbacks.store import Claimed
from cupola.platform import mail, outbox
from cupola.platform.net import Fetcher, Guard, check_literal
from cupola.platform.outbox import Attempt, Lane
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime
from cupola.platform.webhooks.model import SIGNATURE_HEADER, signature


def check_receiver(run: Runtime, given: str, place: str) -> str:
    """The receiver as it is called: without what stands around it, its letters encoded.

    Raises Problem (INVALID) for what is neither an e-mail address nor a URL that may be called.
    """
    receiver = encoded(given.strip())
    if "\0" in receiver or len(receiver) > 8_000:
        raise invalid("url-invalid", f"{place}: is no address that can be kept", place=place)
    if model.is_email(receiver):
        if run.settings.smtp_url is None:
            raise invalid(
                "no-mail",
                f"{place}: this instance sends no mail",
                place=place,
                remedy="Give a URL; or ask the operator to set CUPOLA_SMTP_URL.",
            )
        if not model.can_be_mailed(receiver):
            raise invalid("email-invalid", f"{place}: {receiver[:100]!r} is no e-mail address", place=place)
        return receiver
    try:
        check_literal(receiver, Guard.of(run.settings.allowed_hosts))
    except Problem as problem:
        raise invalid(problem.code, f"{place}: {problem.detail}", place=place, remedy=problem.remedy) from problem
    return receiver


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
    return await store.DELIVERIES.all(
        conn, tenant=tenant, task=task, state=state, before=before or ids.LAST, limit=limit
    )


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


# ---------------------------------------------------------------- out
class _Callbacks:
    """The callbacks of orders, for `outbox`."""

    async def lanes(self, conn: Conn, now: datetime) -> list[Lane]:
        return await store.LANES.all(conn, now=now)

    async def claim(self, conn: Conn, lane: Lane, now: datetime, until: datetime, limit: int) -> list[Claimed]:
        return await store.CLAIM.all(conn, tenant=lane.tenant, lane=lane.lane, now=now, until=until, limit=limit)

    async def send(
        self, run: Runtime, fetcher: Fetcher, tenant: UUID, message: Claimed
    ) -> tuple[int | None, outbox.Wrong | None]:
        if model.is_email(message.url):
            return None, await _mail(run, message)
        body = message.body.encode()
        secret = auth(run, tenant)
        headers = {
            model.AUTH_HEADER: secret,
            "Cupola-Delivery": str(message.id),
            "Cupola-Event": f"order.{message.kind}",
            SIGNATURE_HEADER: signature(secret, clock.now(), body),
        }
        return await outbox.post(fetcher, message.url, body, headers)

    def again(self, message: Claimed, unit: float) -> timedelta | None:
        return outbox.pause(message.tries, unit)

    async def note(self, conn: Conn, tenant: UUID, tried: Sequence[tuple[Claimed, Attempt]]) -> None:
        await store.OUTCOMES.run(
            conn,
            tenant=tenant,
            ids=[message.id for message, _ in tried],
            untils=[message.until for message, _ in tried],
            **outbox.columns([one for _, one in tried]),
        )
        for message, attempt in tried:
            if message.task is not None and attempt.state != "waiting":
                done = attempt.state == "delivered"
                await orders.CALLED_BACK.run(conn, tenant=tenant, id=message.task, succeeded=done)


OUTBOX = _Callbacks()


async def deliver_due(run: Runtime) -> int:
    """Try what is due; returns how many tries were made."""
    return await outbox.deliver_due(run, OUTBOX)


async def _mail(run: Runtime, message: Claimed) -> outbox.Wrong | None:
    """Mail the body to a person; what went wrong, or None."""
    if run.settings.smtp_url is None:
        return outbox.Wrong("mail-off", "This instance sends no mail any more; give a URL.")
    subject = model.subject_of(message.kind, message.task or message.batch)
    headers = {"Cupola-Delivery": str(message.id), "Cupola-Event": f"order.{message.kind}"}
    text = msgspec.json.format(message.body, indent=2)
    said = await mail.send(run.settings.smtp_url, message.url, subject, text, headers)
    return None if said is None else outbox.Wrong("mail-refused", said)
