"""The queue of slow work: taken with a lease, fair among tenants, tried again, given up with a reason.

Only short transactions: nothing is held while a job runs or while the queue is empty. A process that dies leaves its
leases to run out, and others go on; a job whose process died CRASHES times is given up like one that failed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from cupola.kernel import clock, dice, ids
from cupola.kernel.errors import Kind, Problem, invalid
from cupola.platform.dispatch.service import told
from cupola.platform.jobs import store
from cupola.platform.jobs.model import Failed, Job
from cupola.platform.jobs.store import Taken
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime

log = logging.getLogger("cupola.jobs")

IDLE_MIN_S, IDLE_MAX_S = 0.1, 0.5
AWAY_S = 2.0
LEASE_S = 30.0
RENEW_S = 8.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 600.0
CRASHES = 20
END_S = 8.0  # how long jobs under way may take when the process is told to stop


async def add(conn: Conn, tenant: UUID, kind: str, *subjects: UUID) -> None:
    """Ask for work in the caller's transaction (role APP): it begins once that is committed.

    What waits already is not asked for twice; what runs is done once more afterwards.
    """
    if subjects:
        await store.ADD.run(conn, tenant=tenant, kind=kind, subjects=sorted(set(subjects)), now=clock.now())


class Queue:
    """Runs jobs: `run` until told to stop, or `drain` what is due. Belongs to one event loop."""

    def __init__(self, run: Runtime, jobs: Sequence[Job]) -> None:
        self._run = run
        self._jobs = {job.kind: job for job in jobs}
        self._me = ids.uuid7()
        self._running: dict[asyncio.Task[None], Taken] = {}
        self._away = False

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until `stop`; survives the loss of the database."""
        idle_s, renewed_s = IDLE_MIN_S, clock.monotonic_s()
        while not stop.is_set():
            pause_s = AWAY_S
            try:
                began = await self._begin()
                if clock.monotonic_s() - renewed_s >= RENEW_S:
                    renewed_s = clock.monotonic_s()
                    await self._renew()
                idle_s = IDLE_MIN_S if began else min(idle_s * 1.5, IDLE_MAX_S)
                pause_s, self._away = idle_s, False
            except Problem as problem:
                if not self._away:
                    log.warning("jobs wait: %s", problem.detail)
                self._away = True
            except Exception:
                log.exception("looking for jobs failed; trying again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=END_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def drain(self) -> int:
        """Run whatever is due until nothing is; returns how many jobs that were. For tests and commands."""
        begun = 0
        while (more := await self._begin()) or self._running:
            begun += more
            if self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        return begun

    async def _begin(self) -> int:
        """Take and start what there is a hand for; returns how many."""
        began = 0
        for job in self._jobs.values():
            busy = Counter(one.tenant for one in self._running.values() if one.kind == job.kind)
            free = job.at_once - busy.total()
            if free <= 0:
                continue
            now = clock.now()
            async with self._run.db.tx(Role.OPS) as conn:
                taken = await store.TAKE.all(
                    conn,
                    kind=job.kind,
                    now=now,
                    beyond=now + timedelta(seconds=2 * LONGEST_PAUSE_S),
                    each=job.each,
                    tenants=list(busy),
                    busy=list(busy.values()),
                    limit=free,
                    holder=self._me,
                    until=now + timedelta(seconds=LEASE_S),
                )
            for one in taken:
                task = asyncio.create_task(self._do(job, one))
                self._running[task] = one
                task.add_done_callback(self._ended)
            began += len(taken)
        return began

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        if not task.cancelled() and task.exception() is not None:
            log.error("the end of a job could not be noted; its lease runs out", exc_info=task.exception())

    async def _renew(self) -> None:
        mine = list(self._running.values())
        if not mine:
            return
        async with self._run.db.tx(Role.OPS) as conn:
            await store.RENEW.run(
                conn,
                tenants=[one.tenant for one in mine],
                kinds=[one.kind for one in mine],
                subjects=[one.subject for one in mine],
                holder=self._me,
                until=clock.now() + timedelta(seconds=LEASE_S),
            )

    async def _do(self, job: Job, one: Taken) -> None:
        try:
            if one.tries > max(CRASHES, job.tries):
                raise invalid("work-deadly", "Each time the process that did it died.")
            await job.run(self._run, one.tenant, one.subject)
        except asyncio.CancelledError:
            await self._later(one, 0.0, tries=one.tries - 1, reason="")
            raise
        except Exception as error:
            if isinstance(error, Problem) and error.kind is Kind.UNAVAILABLE:
                log.warning("%s %s waits: %s", job.kind, one.subject, error.detail)
                pause_s = min(FIRST_PAUSE_S * 2.0**one.outages, LONGEST_PAUSE_S)
                await self._later(one, pause_s, tries=one.tries - 1, outages=one.outages + 1, reason=told(error))
            elif one.tries < job.tries:
                log.warning("%s %s failed, and is tried again: %s", job.kind, one.subject, told(error))
                pause_s = min(FIRST_PAUSE_S * 2.0**one.tries, LONGEST_PAUSE_S)
                await self._later(one, pause_s, tries=one.tries, reason=told(error))
            else:
                await self._give_up(job, one, error)
            return
        async with self._run.db.tx(Role.OPS) as conn:
            ended = await store.DONE.run(conn, tenant=one.tenant, kind=one.kind, subject=one.subject, holder=self._me)
        if not ended:  # asked for once more meanwhile
            await self._later(one, 0.0, tries=0, reason="")

    async def _later(
        self, one: Taken, pause_s: float, *, tries: int, reason: str, outages: int = 0, failed: bool = False
    ) -> None:
        now = clock.now()
        pause_s *= 0.8 + 0.4 * dice.unit()
        async with self._run.db.tx(Role.OPS) as conn:
            await store.LATER.run(
                conn,
                tenant=one.tenant,
                kind=one.kind,
                subject=one.subject,
                holder=self._me,
                tries=tries,
                outages=outages,
                reason=reason,
                due_at=now + timedelta(seconds=pause_s),
                failed_at=now if failed else None,
            )

    async def _give_up(self, job: Job, one: Taken, error: Exception) -> None:
        log.error("%s %s is given up", job.kind, one.subject, exc_info=error)
        if job.gave_up is not None:
            said = error.detail if isinstance(error, Problem) else f"A fault of this program ended it: {told(error)}."
            await job.gave_up(self._run, one.tenant, one.subject, said)
        await self._later(one, 0.0, tries=one.tries, reason=told(error), failed=True)


# ---------------------------------------------------------------- the operator's view (role OPS)
async def waiting(conn: Conn) -> list[store.Waiting]:
    """What waits, runs and was given up, by kind."""
    return await store.WAITING.all(conn, now=clock.now())


async def failing(conn: Conn, after: Failed | None, limit: int) -> list[Failed]:
    """What was given up or fails at present."""
    rows = await store.FAILING.all(
        conn,
        tenant=after.tenant if after else UUID(int=0),
        kind=after.kind if after else "",
        subject=after.subject if after else UUID(int=0),
        limit=limit,
    )
    return [Failed(r.tenant, r.kind, r.subject, r.tries, r.reason, r.asked_at, r.failed_at) for r in rows]
