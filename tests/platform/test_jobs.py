"""The queue of slow work: who dies loses nothing, each tenant has its share, failures end, and clocks may jump."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel import ids
from cupola.kernel.errors import invalid, unavailable
from cupola.platform import jobs
from cupola.platform.jobs import Job
from cupola.platform.jobs import service as queues
from cupola.platform.jobs.service import Queue
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from tests.foundry import Foundry, moved_clock

# A worker of its own: it takes one job, says so, and is killed over it.
DYING = """
import asyncio, sys
from pathlib import Path
from cupola.platform.blobs import Blobs
from cupola.platform.jobs import Job
from cupola.platform.jobs.service import Queue
from cupola.platform.pg.tx import Database
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.platform.settings import Settings

async def hang(run, tenant, subject):
    print(subject, flush=True)
    await asyncio.sleep(600)

async def main(url, folder, kind):
    place = Path(folder)
    run = Runtime(Settings(place, url, None, b"s" * 32), Database(url), Blobs.open(place / "blobs", secret=b"s" * 32))
    await run.db.open()
    await Queue(run, [Job(kind, hang)]).run(asyncio.Event())

asyncio.run(main(*sys.argv[1:]))
"""


def ask(foundry: Foundry, tenant: UUID, kind: str, count: int = 1) -> list[UUID]:
    subjects = [ids.uuid7() for _ in range(count)]
    foundry.app(tenant, lambda conn: jobs.add(conn, tenant, kind, *subjects))
    return subjects


def drain(foundry: Foundry, *kinds: Job) -> int:
    return foundry.call(lambda run: Queue(run, list(kinds)).drain())


def row(foundry: Foundry, subject: UUID) -> Any:
    """(tries, outages, reason, seconds until it is due by its own asking, given up)"""
    found = foundry.sql(
        "SELECT tries, outages, reason, holder IS NOT NULL, failed_at IS NOT NULL, due_at FROM job WHERE subject = %s",
        subject,
    )
    return found[0] if found else None


def doing(done: list[UUID]) -> Callable[[Runtime, UUID, UUID], Awaitable[object]]:
    async def run(_: Runtime, __: UUID, subject: UUID) -> None:
        done.append(subject)

    return run


def test_the_work_of_a_killed_process_is_taken_up_when_its_lease_ends_and_not_before(
    foundry: Foundry, tmp_path: Any
) -> None:
    [subject] = ask(foundry, foundry.tenant(), "killed")
    child = subprocess.Popen(
        [sys.executable, "-c", DYING, foundry.server_url, str(tmp_path), "killed"], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline().strip() == str(subject)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(30)
    done: list[UUID] = []
    taken_at = time.monotonic()
    assert drain(foundry, Job("killed", doing(done))) == 0 or time.monotonic() - taken_at > queues.LEASE_S
    with moved_clock(queues.LEASE_S + 1):
        drain(foundry, Job("killed", doing(done)))
    assert done == [subject]
    assert row(foundry, subject) is None


def test_one_that_dies_each_time_is_given_up_like_one_that_fails(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    [subject] = ask(foundry, tenant, "deadly")
    foundry.sql("UPDATE job SET tries = %s WHERE subject = %s", queues.CRASHES, subject)
    told: list[str] = []
    done: list[UUID] = []

    async def gave_up(_: Runtime, __: UUID, ___: UUID, reason: str) -> None:
        told.append(reason)

    drain(foundry, Job("deadly", doing(done), gave_up))
    assert done == []
    assert "work-deadly" in row(foundry, subject)[2]
    assert told == ["Each time the process that did it died."]


def test_a_tenant_whose_work_never_ends_leaves_hands_to_the_others(
    foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "END_S", 0.01)
    stuck, other = foundry.tenant(), foundry.tenant()
    ask(foundry, stuck, "share", 10)
    wanted = ask(foundry, other, "share", 5)
    done: list[UUID] = []
    at_once: Counter[UUID] = Counter()
    most: Counter[UUID] = Counter()

    async def work(run: Runtime) -> None:
        reached = asyncio.Event()

        async def one(_: Runtime, tenant: UUID, subject: UUID) -> None:
            at_once[tenant] += 1
            most[tenant] = max(most[tenant], at_once[tenant])
            try:
                if tenant == stuck:
                    await asyncio.sleep(600)
                done.append(subject)
                if len(done) == len(wanted):
                    reached.set()
            finally:
                at_once[tenant] -= 1

        stop = asyncio.Event()
        running = asyncio.create_task(Queue(run, [Job("share", one, at_once=4, each=2)]).run(stop))
        try:
            await asyncio.wait_for(reached.wait(), 60)
        finally:
            stop.set()
            await running

    foundry.call(work)
    assert sorted(done) == sorted(wanted)
    assert most[stuck] == 2
    foundry.sql("DELETE FROM job WHERE kind = 'share'")


def test_what_fails_is_tried_again_after_longer_pauses_and_given_up_with_the_reason(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    [subject] = ask(foundry, tenant, "fails")
    told: list[tuple[UUID, str]] = []
    tried: list[int] = []

    async def fails(_: Runtime, __: UUID, ___: UUID) -> None:
        tried.append(1)
        raise invalid("picture-broken", "The picture ends in the middle.")

    async def gave_up(_: Runtime, __: UUID, subject: UUID, reason: str) -> None:
        told.append((subject, reason))

    job = Job("fails", fails, gave_up, tries=4)
    pauses = []
    moved = 0.0
    while not told:
        with moved_clock(moved):
            drain(foundry, job)
            assert drain(foundry, job) == 0, "it waits for its pause"
        found = row(foundry, subject)
        if not found[4]:
            [(pause_s,)] = foundry.sql(
                "SELECT extract(epoch FROM due_at - now())::float - %s FROM job WHERE subject = %s", moved, subject
            )
            pauses.append(pause_s)
        moved += queues.LONGEST_PAUSE_S
    assert len(tried) == 4
    assert told == [(subject, "The picture ends in the middle.")]
    assert pauses == sorted(pauses)
    assert all(pause <= queues.FIRST_PAUSE_S * 2**tries * 1.2 for tries, pause in enumerate(pauses, 1))
    # whoever asks anew gets another four
    foundry.app(tenant, lambda conn: jobs.add(conn, tenant, "fails", subject))
    assert row(foundry, subject)[4] is False
    drain(foundry, job)
    assert len(tried) == 5
    foundry.sql("DELETE FROM job WHERE kind = 'fails'")


def test_what_is_ours_and_away_costs_no_try_however_long_it_takes(foundry: Foundry) -> None:
    [subject] = ask(foundry, foundry.tenant(), "away")
    told: list[str] = []

    async def away(_: Runtime, __: UUID, ___: UUID) -> None:
        raise unavailable("blobs-away", "The store of files does not answer.")

    async def gave_up(_: Runtime, __: UUID, ___: UUID, reason: str) -> None:
        told.append(reason)

    for n in range(12):
        with moved_clock(n * 2 * queues.LONGEST_PAUSE_S):
            assert drain(foundry, Job("away", away, gave_up, tries=2)) == 1
    tries, outages, reason, held, failed, _ = row(foundry, subject)
    assert (tries, outages, held, failed, told) == (0, 12, False, False, [])
    assert "blobs-away" in reason
    foundry.sql("DELETE FROM job WHERE kind = 'away'")


@pytest.mark.parametrize("back_s", [-90.0, -3 * 86_400.0])
def test_a_clock_that_is_set_back_delays_no_work(foundry: Foundry, back_s: float) -> None:
    tenant = foundry.tenant()
    [fresh, leased] = ask(foundry, tenant, "back", 2)
    # one is held by a process that died just before the jump
    foundry.sql(
        "UPDATE job SET holder = %s, until = now() + interval '30 s', tries = 1 WHERE subject = %s", ids.uuid7(), leased
    )
    done: list[UUID] = []
    job = Job("back", doing(done))
    with moved_clock(back_s):
        drain(foundry, job)
        assert fresh in done
        again = ask(foundry, tenant, "back")
        drain(foundry, job)
        assert again[0] in done
    with moved_clock(back_s if back_s < -2 * queues.LONGEST_PAUSE_S else queues.LEASE_S + 1):
        drain(foundry, job)
    assert leased in done
    assert sorted(done) == sorted([fresh, leased, *again]), "each of them once"


def test_asked_for_again_while_it_runs_it_is_done_once_more(foundry: Foundry) -> None:
    tenant = foundry.tenant()
    [subject] = ask(foundry, tenant, "again")
    done: list[UUID] = []

    async def run(runtime: Runtime, mine: UUID, one: UUID) -> None:
        done.append(one)
        if len(done) == 1:
            async with runtime.db.tx(Role.APP, tenant=mine) as conn:
                for _ in range(3):
                    await jobs.add(conn, mine, "again", one)

    drain(foundry, Job("again", run))
    assert done == [subject, subject]


def test_a_fault_of_ours_is_told_without_what_it_was_about(foundry: Foundry) -> None:
    [subject] = ask(foundry, foundry.tenant(), "fault")
    told: list[str] = []

    async def run(_: Runtime, __: UUID, ___: UUID) -> None:
        raise KeyError("a tenant's secret words")

    async def gave_up(_: Runtime, __: UUID, ___: UUID, reason: str) -> None:
        told.append(reason)

    drain(foundry, Job("fault", run, gave_up, tries=1))
    assert "secret words" not in row(foundry, subject)[2]
    assert len(told) == 1
    assert "secret words" not in told[0]
