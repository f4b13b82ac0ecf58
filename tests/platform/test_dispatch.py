"""Consumers of events: once each, by tenant; what fails set aside; shared among processes; fair."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest

from cupola.kernel import clock, ids
from cupola.kernel.errors import unavailable
from cupola.platform import events
from cupola.platform.dispatch import Consumer, service
from cupola.platform.dispatch.service import Dispatcher
from cupola.platform.dispatch.turns import Turns
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from tests.foundry import Foundry, moved_clock


class Heard:
    """A consumer whose effect is an event of its own, written in its turn; `breaks` decides what it cannot handle."""

    def __init__(self, name: str, breaks: Callable[[Event], bool] = lambda _: False) -> None:
        self.name = name
        self.breaks = breaks
        self.turns: list[tuple[UUID, int]] = []
        self.forgot: list[UUID] = []

    async def handle(self, conn: Conn, tenant: UUID, heard: Sequence[Event]) -> None:
        for event in heard:
            if self.breaks(event):
                raise ValueError(f"cannot digest {event.data}")
            await events.emit(conn, tenant, f"effect.{self.name}", None, event.project, of=event.seq)
        self.turns.append((tenant, len(heard)))

    def consumer(self) -> Consumer:
        return Consumer(self.name, (f"test.{self.name}",), self.handle, self.forgot.append)


def happen(foundry: Foundry, name: str, tenant: UUID, n: int = 1, project: UUID | None = None) -> list[int]:
    async def write(conn: Any) -> list[int]:
        return [
            await events.emit(conn, tenant, f"test.{name}", None, project, secret="of the tenant") for _ in range(n)
        ]

    return foundry.app(tenant, write)


def effects(foundry: Foundry, name: str, tenant: UUID) -> list[int]:
    rows = foundry.sql(
        "SELECT (data ->> 'of')::bigint FROM event WHERE kind = %s AND tenant = %s ORDER BY seq",
        f"effect.{name}",
        tenant,
    )
    return [row[0] for row in rows]


def drain(foundry: Foundry, *consumers: Consumer) -> None:
    foundry.call(lambda run: Dispatcher(run, consumers).drain())


def asides(foundry: Foundry, name: str) -> list[tuple[UUID, int, str]]:
    return foundry.sql("SELECT project, tries, reason FROM event_aside WHERE consumer = %s ORDER BY project", name)


@contextlib.asynccontextmanager
async def running(run: Runtime, *dispatchers: Dispatcher) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(one.run(stop)) for one in dispatchers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def until(run: Runtime, name: str, count: int, limit_s: float = 30.0) -> None:
    end_s = clock.monotonic_s() + limit_s
    while clock.monotonic_s() < end_s:
        async with run.db.tx(Role.OPS) as conn:
            rows = await (
                await conn.execute("SELECT count(*) FROM event WHERE kind = %s", (f"effect.{name}",))
            ).fetchone()
        if rows is not None and rows[0] >= count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} did not come to {count} effects")


def test_a_tenants_events_take_effect_once_each_in_their_order(foundry: Foundry) -> None:
    one, two = foundry.tenant(), foundry.tenant()
    written = {tenant: happen(foundry, "once", tenant, service.EACH + 7) for tenant in (one, two)}
    heard = Heard("once")
    drain(foundry, heard.consumer())
    assert {tenant: effects(foundry, "once", tenant) for tenant in (one, two)} == written
    assert [n for tenant, n in heard.turns if tenant == one] == [service.EACH, 7]
    drain(foundry, heard.consumer())
    written[one] += happen(foundry, "once", one, 2)
    drain(foundry, Heard("once").consumer())
    assert effects(foundry, "once", one) == written[one]


def test_a_poisoned_project_is_set_aside_with_its_reason_and_everybody_else_goes_on(foundry: Foundry) -> None:
    tenant, other = foundry.tenant(), foundry.tenant()
    poisoned, healthy = ids.uuid7(), ids.uuid7()
    first = happen(foundry, "poisoned", tenant, 2, healthy) + happen(foundry, "poisoned", tenant, 1)
    bad = happen(foundry, "poisoned", tenant, 3, poisoned)
    fine = happen(foundry, "poisoned", other, 2)
    heard = Heard("poisoned", lambda event: event.project == poisoned)
    drain(foundry, heard.consumer())
    assert sorted(effects(foundry, "poisoned", tenant)) == sorted(first)
    assert effects(foundry, "poisoned", other) == fine
    [(project, tries, reason)] = asides(foundry, "poisoned")
    assert (project, tries) == (poisoned, 1)
    assert reason.startswith("ValueError in ")
    assert "handle" in reason
    assert not any(word in reason for word in ("secret", "digest")), "operators read it; tenants wrote it"
    # others go on while it waits for its time, and its own news wait with it
    more = happen(foundry, "poisoned", tenant, 1, healthy)
    bad += happen(foundry, "poisoned", tenant, 1, poisoned)
    drain(foundry, heard.consumer())
    assert sorted(effects(foundry, "poisoned", tenant)) == sorted(first + more)
    with moved_clock(service.ASIDE_FIRST_S * 1.3):
        drain(foundry, heard.consumer())
    assert asides(foundry, "poisoned")[0][1] == 2, "tried again after a pause, and set aside again"
    heard.breaks = lambda _: False  # mended
    with moved_clock(service.ASIDE_FIRST_S * 5):
        drain(foundry, heard.consumer())
        assert asides(foundry, "poisoned") == []
        late = happen(foundry, "poisoned", tenant, 1, poisoned)
        drain(foundry, heard.consumer())
    told = effects(foundry, "poisoned", tenant)
    assert [seq for seq in told if seq in bad + late] == bad + late
    assert sorted(told) == sorted(first + more + bad + late)


def test_an_operator_sees_what_is_aside_and_has_it_tried_at_once(foundry: Foundry) -> None:
    tenant, project = foundry.tenant(), ids.uuid7()
    written = happen(foundry, "shown", tenant, 1, project) + happen(foundry, "shown", tenant, 1)
    heard = Heard("shown", lambda event: event.tenant == tenant)
    drain(foundry, heard.consumer())

    async def shown(run: Runtime) -> list[tuple[UUID, UUID | None, int]]:
        async with run.db.tx(Role.OPS) as conn:
            found = await service.asides(conn, None, 1_000)
            rest = await service.asides(conn, found[0], 1_000)
            assert found[1:] == rest
        return [(one.tenant, one.project, one.tries) for one in found if one.consumer == "shown"]

    async def again(run: Runtime) -> bool:
        async with run.db.tx(Role.OPS) as conn:
            assert not await service.try_again(conn, ids.uuid7(), "shown", project)
            return await service.try_again(conn, tenant, "shown", project)

    assert foundry.call(shown) == [(tenant, None, 1), (tenant, project, 1)]
    heard.breaks = lambda _: False
    assert foundry.call(again)
    drain(foundry, heard.consumer())
    assert foundry.call(shown) == [(tenant, None, 1)]
    assert effects(foundry, "shown", tenant) == written[:1]


def test_what_is_ours_and_away_sets_nothing_aside(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RETRY_S", 0.1)
    tenant, project = foundry.tenant(), ids.uuid7()
    written = happen(foundry, "away", tenant, 2, project)
    heard = Heard("away")
    away = [True]

    async def handle(conn: Conn, tenant: UUID, some: Sequence[Event]) -> None:
        if away.pop() if away else False:
            raise unavailable("blobs-unreachable", "The store is away.")
        await heard.handle(conn, tenant, some)

    drain(foundry, Consumer("away", ("test.away",), handle, heard.forgot.append))
    assert effects(foundry, "away", tenant) == written
    assert asides(foundry, "away") == []
    assert heard.forgot.count(tenant) == 2, "what was learnt in the turn that was rolled back is forgotten"


def test_a_turn_that_never_ends_is_cut_off_and_set_aside(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "HANDLE_LIMIT_S", 0.2)
    tenant, project = foundry.tenant(), ids.uuid7()
    happen(foundry, "endless", tenant, 1, project)

    async def handle(conn: Conn, _tenant: UUID, _heard: Sequence[Event]) -> None:
        await conn.execute("SELECT pg_sleep(60)")

    drain(foundry, Consumer("endless", ("test.endless",), handle))
    [(aside, tries, reason)] = asides(foundry, "endless")
    assert (aside, tries) == (project, 1)
    assert reason.startswith("RuntimeError")


def test_nothing_committed_is_missed_by_who_waits_for_all_though_a_stranger_held_the_horizon_back(
    foundry: Foundry,
) -> None:
    tenant = foundry.tenant()
    heard = Heard("held_back")
    with psycopg.connect(foundry.admin_url) as stranger:
        stranger.execute("SELECT pg_current_xact_id()")  # an older transaction, of anybody in the cluster
        written = happen(foundry, "held_back", tenant, 3)
        waiting = foundry.start(lambda run: Dispatcher(run, [heard.consumer()]).drain())
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        assert effects(foundry, "held_back", tenant) == []
        stranger.rollback()
        waiting.result(120)
    assert effects(foundry, "held_back", tenant) == written


def test_what_takes_long_is_given_longer_each_time_until_it_is_done(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "HANDLE_LIMIT_S", 1.0)
    monkeypatch.setattr(service, "ASIDE_FIRST_S", 0.01)
    tenant, project = foundry.tenant(), ids.uuid7()
    written = happen(foundry, "slow", tenant, 3, project)
    heard = Heard("slow")

    async def handle(conn: Conn, tenant: UUID, some: Sequence[Event]) -> None:
        await conn.execute("SELECT pg_sleep(1.5)")
        await heard.handle(conn, tenant, some)

    for _ in range(20):
        drain(foundry, Consumer("slow", ("test.slow",), handle))
        if not asides(foundry, "slow"):
            break
    assert effects(foundry, "slow", tenant) == written


def test_a_process_that_dies_in_the_middle_of_a_turn_leaves_it_to_another(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    written = happen(foundry, "dies", tenant, 5)
    heard = Heard("dies")

    async def dies(run: Runtime) -> None:
        reached = asyncio.Event()

        async def handle(conn: Conn, tenant: UUID, some: Sequence[Event]) -> None:
            await heard.handle(conn, tenant, some)
            reached.set()
            await asyncio.sleep(60)  # killed here: everything is written, nothing committed

        turn = asyncio.create_task(Dispatcher(run, [Consumer("dies", ("test.dies",), handle)]).drain())
        await reached.wait()
        turn.cancel()
        await asyncio.gather(turn, return_exceptions=True)

    foundry.call(dies)
    assert effects(foundry, "dies", tenant) == []
    drain(foundry, heard.consumer())
    assert effects(foundry, "dies", tenant) == written


def test_two_workers_share_the_tenants_and_double_nothing(foundry: Foundry) -> None:
    tenants = [foundry.tenant() for _ in range(12)]
    written = {tenant: happen(foundry, "shared", tenant, 3) for tenant in tenants}
    hands = [Heard("shared"), Heard("shared")]

    async def work(run: Runtime) -> None:
        async with running(run, *(Dispatcher(run, [one.consumer()]) for one in hands)):
            for n in range(60):
                for tenant in tenants:
                    async with run.db.tx(Role.APP, tenant=tenant) as conn:
                        written[tenant].append(await events.emit(conn, tenant, "test.shared", None, None))
                await until(run, "shared", sum(map(len, written.values())))
                if n >= 3 and all(one.turns for one in hands):
                    break
                if n >= 3:  # whoever had a tenant's turns is left them for a while: then either may come first
                    await asyncio.sleep(service.LEASE_S + 0.07 * (n % 7))

    foundry.call(work)
    assert {tenant: effects(foundry, "shared", tenant) for tenant in tenants} == written
    assert all(one.turns for one in hands), "both had some to do"


def test_the_tenants_of_a_worker_that_fell_silent_are_taken_up(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    first, second = Heard("silent"), Heard("silent")
    written = happen(foundry, "silent", tenant, 1)
    drain(foundry, first.consumer())  # it keeps its lease: nobody told it to stop
    written += happen(foundry, "silent", tenant, 1)
    drain(foundry, second.consumer())
    assert effects(foundry, "silent", tenant) == written
    assert second.forgot == [tenant], "what it may have remembered of before is not true any more"


def test_one_tenants_flood_holds_up_nobody(foundry: Foundry) -> None:
    flooding, quiet = foundry.tenant(), foundry.tenant()
    happen(foundry, "flood", flooding, 6 * service.EACH)
    written = happen(foundry, "flood", quiet, 1)
    heard = Heard("flood")
    drain(foundry, heard.consumer())
    order = [tenant for tenant, _ in heard.turns if tenant in (flooding, quiet)]
    assert order.index(quiet) <= 1, "its turn comes after one of the flood's at most"
    assert effects(foundry, "flood", quiet) == written


def test_turns_go_round_and_nobody_has_more_than_a_share_at_a_time() -> None:
    turns: Turns[str, int] = Turns(2)
    for n in range(5):
        turns.add("much", n)
    turns.add("little", 9)
    turns.add("much", 0)
    assert [turns.take() for _ in range(4)] == [("much", 0), ("little", 9), ("much", 1), None]
    turns.add("much", 0)  # while its turn is under way: once more afterwards
    turns.done("much", 0)
    assert len(turns) == 4
    assert [turns.take() for _ in range(2)] == [("much", 2), None]
    for key in (1, 2):
        turns.done("much", key)
    turns.done("little", 9)
    assert [turns.take() for _ in range(3)] == [("much", 3), ("much", 4), None]
    turns.done("much", 3)
    assert turns.take() == ("much", 0)


def test_a_new_process_begins_where_the_earliest_consumer_stands(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    written = happen(foundry, "floor", tenant, 3)

    async def once(run: Runtime) -> None:
        dispatcher = Dispatcher(run, [Heard("floor").consumer()])
        await dispatcher.drain()
        await dispatcher.close()

    foundry.call(once)
    [(seq,)] = foundry.sql("SELECT seq FROM event_cursor WHERE consumer = 'floor'")
    assert seq >= written[-1]
    # of what lies before it nothing is looked at again, even by a place that was lost
    foundry.sql("UPDATE event_place SET epoch = 0, xid = '0', seq = 0 WHERE consumer = 'floor'")
    drain(foundry, Heard("floor").consumer())
    assert effects(foundry, "floor", tenant) == written
