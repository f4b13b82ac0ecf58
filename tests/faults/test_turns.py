"""Turns: a flood from one side makes its own senders wait, and nobody else."""

from __future__ import annotations

import asyncio

import pytest

from cupola.app.turns import ACTIVE_S, Metered, Turns, place_of
from cupola.identity import credentials
from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem


async def served(
    turns: Turns, asked: list[tuple[str, str]], cost_s: dict[str, float] | None = None
) -> list[tuple[str, str]]:
    """Who asks in this order, while one turn is taken, is served in the order returned. cost_s: by group."""
    first = await turns.take(("first", "first"))
    order: list[tuple[str, str]] = []

    async def one(place: tuple[str, str]) -> None:
        expected = await turns.take(place)
        order.append(place)
        turns.end(place, expected, (cost_s or {}).get(place[0], 0.01))

    waiting = [asyncio.create_task(one(place)) for place in asked]
    await asyncio.sleep(0)
    turns.end(("first", "first"), first, 0.01)
    await asyncio.gather(*waiting)
    return order


def test_groups_take_turns_and_so_do_their_members() -> None:
    flood = [("a", "1")] * 50 + [("a", "2")] + [("b", "1")] * 3
    order = asyncio.run(served(Turns(1), flood))
    assert [place[0] for place in order[:6]].count("b") >= 2
    assert [place[0] for place in order[:8]].count("b") == 3
    assert ("a", "2") in order[:6]  # behind one or two of the fifty, not behind all
    assert sorted(order) == sorted(flood)


def test_whoever_asks_for_what_is_dear_is_served_less_often() -> None:
    asked = [("dear", "1")] * 40 + [("cheap", "1")] * 40
    order = [place[0] for place in asyncio.run(served(Turns(1), asked, {"dear": 0.1, "cheap": 0.01}))]
    done = order.index("cheap", 0)
    until_cheap_is_done = order[: len(order) - order[::-1].index("cheap")]
    assert done <= 1
    # forty cheap ones are worth four dear ones, and a few more until it is known what each costs
    assert until_cheap_is_done.count("dear") <= 10


def test_what_a_stream_costs_after_its_turn_counts_too() -> None:
    async def run() -> list[str]:
        turns = Turns(1)
        expected = await turns.take(("streams", "1"))
        other = await_turn(turns, "streams")
        fair = await_turn(turns, "fair")
        await asyncio.sleep(0)
        turns.charge(("streams", "1"), 5.0)
        turns.end(("streams", "1"), expected, 0.001)
        order = []
        for _ in range(2):
            done, _pending = await asyncio.wait({other, fair} - set(order), return_when=asyncio.FIRST_COMPLETED)
            [task] = done
            order.append(task)
            name, expected = task.result()
            turns.end((name, "1"), expected, 0.001)
        return [task.result()[0] for task in order]

    assert asyncio.run(run()) == ["fair", "streams"]


def await_turn(turns: Turns, group: str) -> asyncio.Task[tuple[str, float]]:
    async def take() -> tuple[str, float]:
        return group, await turns.take((group, "1"))

    return asyncio.create_task(take())


def test_somebody_who_asks_now_and_then_is_next_however_long_the_queue_of_another_is() -> None:
    async def run() -> list[int]:
        """How many of the flood are served between each of the small one's asking and its turn."""
        turns = Turns(4)
        served = 0

        async def flood() -> None:
            nonlocal served
            expected = await turns.take(("flood", "1"))
            await asyncio.sleep(0)
            served += 1
            turns.end(("flood", "1"), expected, 0.01)

        crowd = [asyncio.create_task(flood()) for _ in range(400)]
        waited = []
        for _ in range(20):
            for _ in range(5):
                await asyncio.sleep(0)
            before = served
            expected = await turns.take(("small", "1"))
            waited.append(served - before)
            turns.end(("small", "1"), expected, 0.01)
        await asyncio.gather(*crowd)
        return waited

    assert max(asyncio.run(run())) <= 4  # those who were being served


def test_a_group_that_was_silent_brings_no_claim_to_all_that_it_did_not_use() -> None:
    async def run() -> list[str]:
        now = 0.0
        turns = Turns(1, now_s=lambda: now)
        for _ in range(200):  # one works alone for long
            turns.end(("busy", "1"), await turns.take(("busy", "1")), 0.1)
        asked = [("busy", "1")] * 30 + [("new", "1")] * 30
        return [place[0] for place in await served(turns, asked, {"busy": 0.1, "new": 0.1})]

    order = asyncio.run(run())
    assert order[:12].count("busy") >= 4


def test_whoever_gives_up_waiting_loses_nobody_a_turn() -> None:
    async def run() -> None:
        turns = Turns(1)
        held = await turns.take(("a", "1"))
        gone = asyncio.create_task(turns.take(("b", "1")))
        stays = asyncio.create_task(turns.take(("c", "1")))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        turns.end(("a", "1"), held, 0.01)
        turns.end(("c", "1"), await stays, 0.01)
        await turns.take(("d", "1"))  # free again
        assert turns.waiting == 0

    asyncio.run(run())


def test_a_turn_given_at_the_moment_of_leaving_goes_on() -> None:
    async def run() -> None:
        turns = Turns(1)
        held = await turns.take(("a", "1"))
        leaving = asyncio.create_task(turns.take(("b", "1")))
        await asyncio.sleep(0)
        turns.end(("a", "1"), held, 0.01)  # given to b ...
        leaving.cancel()  # ... who leaves before noticing
        await asyncio.gather(leaving, return_exceptions=True)
        await asyncio.wait_for(turns.take(("c", "1")), 5)

    asyncio.run(run())


def test_one_group_never_holds_every_turn_and_several_share_them() -> None:
    async def run() -> None:
        now = 0.0
        turns = Turns(8, now_s=lambda: now)
        slow = [asyncio.create_task(turns.take(("slow", str(n)))) for n in range(20)]
        await asyncio.sleep(0)
        assert sum(one.done() for one in slow) == 6  # alone: three quarters
        held = await asyncio.wait_for(turns.take(("other", "1")), 5)  # at once
        turns.end(("other", "1"), held, 0.01)
        await asyncio.sleep(0)
        assert sum(one.done() for one in slow) == 6
        for n in range(3):  # while the other asks, half of them
            turns.end(("slow", str(n)), slow[n].result(), 0.01)
            await asyncio.sleep(0)
        assert sum(one.done() for one in slow) == 6 + 1
        now += ACTIVE_S + 0.1  # it asks no more
        turns.end(("slow", "3"), slow[3].result(), 0.01)
        await asyncio.sleep(0)
        assert sum(one.done() for one in slow) == 6 + 4
        for one in slow:
            one.cancel()

    asyncio.run(run())


def test_time_on_the_loop_is_counted_and_waiting_is_not() -> None:
    async def run() -> float:
        async def work() -> None:
            until = clock.monotonic_s() + 0.05
            while clock.monotonic_s() < until:
                pass
            await asyncio.sleep(0.5)

        metered = Metered(work())
        await metered
        return metered.loop_s

    assert 0.05 <= asyncio.run(run()) < 0.5


def test_what_is_metered_may_fail_and_be_ended_like_what_is_not() -> None:
    async def run() -> None:
        async def fails() -> None:
            await asyncio.sleep(0)
            raise KeyError("x")

        with pytest.raises(KeyError):
            await Metered(fails())
        ended: list[str] = []

        async def waits() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ended.append("it")
                raise

        async def metered() -> None:
            await Metered(waits())

        task = asyncio.create_task(metered())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["it"]

    asyncio.run(run())


def test_too_many_waiting_is_told() -> None:
    async def run() -> None:
        turns = Turns(1, waiting=2)
        await turns.take(("a", "1"))
        held = [asyncio.create_task(turns.take(("a", "1"))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await turns.take(("b", "1"))
        assert refused.value.code == "busy"
        for one in held:
            one.cancel()

    asyncio.run(run())


def test_all_keys_of_a_tenant_wait_in_one_group_and_all_contributors_in_another() -> None:
    def scope(path: str, *headers: tuple[bytes, bytes]) -> dict[str, object]:
        return {"path": path, "headers": list(headers), "client": ("192.0.2.1", 5)}

    tenant = ids.uuid7()
    keys = [credentials.for_tenant(credentials.KEY_PREFIX["live"], tenant, ids.token(32)) for _ in range(2)]
    places = {place_of(scope("/api/tasks", (b"authorization", f"Bearer {key}".encode()))) for key in keys}
    assert {group for group, _ in places} == {f"tenant {tenant}"}
    assert len(places) == 2
    work = [place_of(scope("/api/work/offers", (b"cookie", f"s={n}".encode()))) for n in range(2)]
    assert [group for group, _ in work] == ["work", "work"]
    assert work[0] != work[1]
