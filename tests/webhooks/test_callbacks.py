"""Callbacks of orders go the same way out: a receiver that hangs holds up nobody, of its own tenant or another."""

from __future__ import annotations

import asyncio
from uuid import UUID

import psycopg
import pytest

from cupola.kernel import limits
from cupola.orders.callbacks import service
from cupola.platform import outbox
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from tests.serving import Serving
from tests.webhooks.test_webhooks import heard, receiver, wait_for

MESSAGES = 100


def ordered(served: Serving, tenant: str, url: str) -> None:
    async def work(run: Runtime) -> None:
        async with run.db.tx(Role.APP, tenant=UUID(tenant)) as conn:
            for number in range(MESSAGES):
                await service.enqueue(conn, UUID(tenant), "completed", url, b'{"n":%d}' % number)

    served.call(work)


def test_a_callback_asked_for_anew_while_it_is_on_its_way_is_sent_once_more(served: Serving) -> None:
    owner = served.owner("Asking anew")
    tenant = UUID(owner.tenant)

    async def ask(run: Runtime) -> UUID:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            return await service.enqueue(conn, tenant, "completed", there.url, b"{}")

    async def resend(run: Runtime) -> None:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            await service.resend(conn, tenant, message)

    async def state(run: Runtime) -> tuple[str, int]:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            found = await service.message(conn, tenant, message)
            return found.state, found.tries

    with receiver() as there:
        message = served.call(ask)
        there.meanwhile = lambda: served.call(resend)
        assert served.call(service.deliver_due) == 1
        assert served.call(state) == ("waiting", 0)
        assert served.call(service.deliver_due) == 1
        assert (served.call(state), len(there.got)) == (("delivered", 1), 2)
    with psycopg.connect(served.admin_url) as conn:
        conn.execute("DELETE FROM cupola.order_callback")


def test_a_hanging_receiver_of_callbacks_holds_up_no_other_receiver_nor_tenant(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The healthy ones have all of theirs while the hanging one, whose messages were there first, had one volley."""
    monkeypatch.setattr(limits, "WEBHOOK_TIMEOUT_S", 5.0)
    monkeypatch.setattr(outbox, "FIRST_REST_S", 3_600.0)
    monkeypatch.setattr(outbox, "LONGEST_REST_S", 3_600.0)
    owner, other = served.owner("Ordering"), served.owner("Ordering too")
    with receiver(pause_s=30.0) as hanging, receiver() as mine, receiver() as theirs:
        ordered(served, owner.tenant, hanging.url)
        ordered(served, owner.tenant, mine.url)
        ordered(served, other.tenant, theirs.url)

        async def deliver_on(run: Runtime) -> None:
            stop = asyncio.Event()
            courier = asyncio.create_task(outbox.Courier(run, service.OUTBOX).run(stop))
            await asyncio.to_thread(wait_for, lambda: heard(mine) == heard(theirs) == MESSAGES, 100)
            stop.set()
            await courier

        served.call(deliver_on)
        assert (heard(mine), heard(theirs)) == (MESSAGES, MESSAGES)
        assert 0 < len(hanging.got) <= outbox.AT_ONCE
        with psycopg.connect(served.admin_url) as conn:
            states = dict(
                conn.execute(
                    "SELECT url, array_agg(DISTINCT state) FROM cupola.order_callback WHERE url = ANY(%s) GROUP BY url",
                    ([hanging.url, mine.url, theirs.url],),
                ).fetchall()
            )
            conn.execute("DELETE FROM cupola.order_callback")
        assert states == {hanging.url: ["waiting"], mine.url: ["delivered"], theirs.url: ["delivered"]}
