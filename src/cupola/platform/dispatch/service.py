"""The dispatcher: looks for new events and gives each consumer its turns, tenant by tenant.

Any number of processes may do this at a time. Whoever gives a turn locks the consumer's place with that tenant, hands
it the events behind it, and moves the place on in the same transaction: an event takes effect once, whatever dies. For
LEASE_S after a turn the next ones of that pair are left to the same process, if it comes to them in time; so what it
remembers of the tenant stays true, and one that has too much to do loses some of it to others by itself. No connection
is held and nothing of a session is used while it waits.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

from cupola.kernel import clock, dice, ids
from cupola.kernel.errors import Kind, Problem
from cupola.platform import store as events_store
from cupola.platform.dispatch import store
from cupola.platform.dispatch.model import NO_PROJECT, Aside, Consumer
from cupola.platform.dispatch.turns import Turns
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.platform.store import Place
from cupola.platform.telemetry import metrics

log = logging.getLogger("cupola.dispatch")

LOOK = 1_000  # events looked at in one read
EACH = 200  # events of one tenant in one turn
# what comes within this time is handled together: a judgement is seen 0.1 s later and costs a tenth
IDLE_MIN_S, IDLE_MAX_S = 0.1, 0.4
HANDS = 4  # turns under way in one process, each with a connection
HANDS_OF_ONE = 2  # of these, for one tenant
LEASE_S = 1.0
# A transaction that has written holds back what every process may read of the events: not for long.
HANDLE_LIMIT_S, LONGEST_HANDLE_S = 20.0, 320.0
RETRY_S, LONGEST_RETRY_S = 2.0, 30.0  # while something of ours is away
FLOOR_EVERY_S = 5.0
ASIDE_FIRST_S, ASIDE_LONGEST_S = 5.0, 3_600.0
BEGINNING = Place(0, "0", 0)

# A consumer's turn: project is None for its events, or names what was set aside.
Turn: TypeAlias = tuple[str, UUID | None]
Pair: TypeAlias = tuple[UUID, Turn]


class Dispatcher:
    """Gives consumers their turns: `run` until told to stop, or `drain` once. Belongs to one event loop."""

    def __init__(self, run: Runtime, consumers: Sequence[Consumer]) -> None:
        self._run = run
        self._consumers = {consumer.name: consumer for consumer in consumers}
        self._me = ids.uuid7()
        self._tail: Place | None = None
        self._floors: dict[str, Place] = {}
        self._turns: Turns[UUID, Turn] = Turns(HANDS_OF_ONE)
        self._marks: dict[Pair, Place] = {}  # the first event that a pair may still have to hear
        self._serving: dict[Pair, Place] = {}
        self._later: list[tuple[float, int, Pair]] = []
        self._resting: set[Pair] = set()  # those in `_later`
        self._retries: dict[Pair, int] = {}
        self._untrue: set[Pair] = set()  # a transaction was rolled back: what was learnt in it must be forgotten
        self._some = asyncio.Event()
        self._away = False
        self._floored_s = clock.monotonic_s()

    # ------------------------------------------------------------ ways in
    async def run(self, stop: asyncio.Event) -> None:
        """Look and give turns until `stop`; survives the loss of the database."""
        hands = [asyncio.create_task(self._hand(stop)) for _ in range(HANDS)]
        idle_s = IDLE_MIN_S
        while not stop.is_set():
            seen = await self._look_safely()
            idle_s = IDLE_MIN_S if seen else min(idle_s * 1.5, IDLE_MAX_S)
            if seen < LOOK:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), RETRY_S if self._away else idle_s)
        self._some.set()
        await asyncio.gather(*hands)
        with suppress(Problem):  # the database is away: the leases run out by themselves
            await self.close()

    async def drain(self, limit_s: float = 60.0) -> None:
        """Handle everything that was committed before this call, or set it aside. For tests and commands."""
        end_s = clock.monotonic_s() + limit_s
        while True:
            # behind whatever transaction of the cluster was open, not to be read yet
            async with self._run.db.tx(Role.OPS) as conn:
                hidden = await store.HIDDEN.one(conn)
            while await self._look() >= LOOK:
                continue
            while (turn := self._turns.take()) is not None:
                await self._give(*turn)
            if not self._marks and not self._turns and not hidden:
                return
            if clock.monotonic_s() > end_s:
                raise TimeoutError("events wait for what is away, or another process has their turns")
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Leave this process's turns to others at once, and note how far everything has come."""
        await self._keep_floors()
        async with self._run.db.tx(Role.OPS) as conn:
            await store.PLACES_RELEASE.run(conn, holder=self._me, now=clock.now())

    # ------------------------------------------------------------ looking
    async def _look_safely(self) -> int:
        try:
            seen = await self._look()
        except Problem as problem:
            if not self._away:
                log.warning("events wait: %s", problem.detail)
            self._away = True
            return 0
        except Exception:
            log.exception("looking for events failed; trying again")
            self._away = True
            return 0
        if self._away:
            log.info("events are heard again")
            self._away = False
        return seen

    async def _look(self) -> int:
        """Mark whoever has something to hear; returns how many events were seen."""
        async with self._run.db.tx(Role.OPS) as conn:
            if self._tail is None:
                await self._begin(conn)
            assert self._tail is not None
            tail = self._tail
            rows = await events_store.EVENTS_TAIL.all(conn, epoch=tail.epoch, xid=tail.xid, seq=tail.seq, limit=LOOK)
            due = await store.ASIDES_DUE.all(conn, now=clock.now(), consumers=list(self._consumers), limit=LOOK)
        for row in rows:
            for consumer in self._consumers.values():
                if consumer.wants(row.kind):
                    self._mark((row.tenant, (consumer.name, None)), Place(row.epoch, row.xid, row.seq - 1))
        if rows:
            self._tail = Place(rows[-1].epoch, rows[-1].xid, rows[-1].seq)
        for aside in due:
            self._turns.add(aside.tenant, (aside.consumer, aside.project))
        now_s = clock.monotonic_s()
        while self._later and self._later[0][0] <= now_s:
            _, _, pair = heapq.heappop(self._later)
            self._resting.discard(pair)
            self._turns.add(*pair)
        self._some.set()
        if now_s - self._floored_s >= FLOOR_EVERY_S:
            await self._keep_floors()
        return len(rows)

    async def _begin(self, conn: Conn) -> None:
        kept = {row.consumer: Place(row.epoch, row.xid, row.seq) for row in await store.FLOORS.all(conn)}
        self._floors = {name: kept.get(name, BEGINNING) for name in self._consumers}
        self._tail = min(self._floors.values(), key=lambda place: place.key, default=BEGINNING)

    def _mark(self, pair: Pair, before: Place) -> None:
        if pair not in self._marks:
            self._marks[pair] = before
        if pair not in self._resting:  # more of the same wakes nobody who waits for what is away
            self._turns.add(*pair)

    async def _keep_floors(self) -> None:
        """Note the place before which nobody has anything to hear, for whoever starts next."""
        if self._tail is None:
            return
        self._floored_s = clock.monotonic_s()
        floors = dict.fromkeys(self._consumers, self._tail)
        for pending in (self._marks, self._serving):
            for (_, (name, _project)), first in pending.items():
                floors[name] = min(floors[name], first, key=lambda place: place.key)
        moved = {name: place for name, place in floors.items() if place.key > self._floors[name].key}
        if not moved:
            return
        async with self._run.db.tx(Role.OPS) as conn:
            for name, place in sorted(moved.items()):
                await store.FLOOR_KEEP.run(
                    conn, consumer=name, epoch=place.epoch, xid=place.xid, seq=place.seq, now=clock.now()
                )
        self._floors |= moved

    # ------------------------------------------------------------ turns
    async def _hand(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            turn = self._turns.take()
            if turn is None:
                self._some.clear()
                await self._some.wait()
                continue
            await self._give(*turn)
            self._some.set()

    async def _give(self, tenant: UUID, turn: Turn) -> None:
        """One turn; whatever happens in it, the others go on."""
        pair = (tenant, turn)
        name, project = turn
        first = self._marks.pop(pair, None)
        if first is not None:
            self._serving[pair] = first
        again_s: float | None = None
        try:
            consumer = self._consumers[name]
            again_s = await (
                self._hear(consumer, tenant) if project is None else self._retry(consumer, tenant, project)
            )
            self._retries.pop(pair, None)
        except Problem as problem:
            if pair not in self._retries:
                log.warning("%s waits with tenant %s: %s", name, tenant, problem.detail)
            again_s = self._back_off(pair)
        except Exception:
            log.exception("%s: a turn failed; it is tried again", name)
            again_s = self._back_off(pair)
        finally:
            self._serving.pop(pair, None)
            if again_s is not None and first is not None and project is None:
                self._marks[pair] = min(first, self._marks.get(pair, first), key=lambda place: place.key)
            self._turns.done(tenant, turn)
            if again_s == 0.0:
                self._turns.add(tenant, turn)
            elif again_s is not None and project is None:
                self._resting.add(pair)
                heapq.heappush(self._later, (clock.monotonic_s() + again_s, ids.uuid7().int, pair))

    def _back_off(self, pair: Pair) -> float:
        tries = self._retries[pair] = self._retries.get(pair, 0) + 1
        return min(RETRY_S * 2.0 ** (tries - 1), LONGEST_RETRY_S)

    async def _hear(self, consumer: Consumer, tenant: UUID) -> float | None:
        """Hand a consumer the next events of a tenant; returns in how many seconds there may be more, None: none."""
        named = {"tenant": tenant, "consumer": consumer.name}
        heard: list[Event] = []
        place = BEGINNING
        try:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                now = clock.now()
                stand = await store.PLACE_TAKE.maybe(conn, **named, holder=self._me, now=now)
                if stand is None:
                    # nobody's yet, or another process has it: then look again when its lease may have ended
                    made = await store.PLACE_BEGIN.run(conn, **named, now=now)
                    return 0.0 if made else LEASE_S
                self._recall(consumer, tenant, stand.holder)
                place = Place(stand.epoch, stand.xid, stand.seq)
                heard = await store.EVENTS.all(
                    conn,
                    **named,
                    epoch=place.epoch,
                    xid=place.xid,
                    seq=place.seq,
                    exact=consumer.exact,
                    beginnings=consumer.beginnings,
                    limit=EACH,
                )
                if not heard:
                    return None
                await self._handle(conn, consumer, tenant, heard, HANDLE_LIMIT_S)
                # the horizon was taken before the read: all before it was in it
                reached = [Place(heard[-1].epoch, heard[-1].xid, heard[-1].seq)]
                if len(heard) < EACH:
                    reached.append(Place(stand.now_epoch, stand.now_xid, 0))
                await self._keep(conn, consumer, tenant, max(reached, key=lambda one: one.key))
            for event in heard:
                metrics.EVENTS_HANDLED.labels(consumer.name, event.kind).inc()
        except Problem as problem:
            self._untrue.add((tenant, (consumer.name, None)))
            if problem.kind is Kind.UNAVAILABLE or not heard:
                raise
            return await self._set_aside(consumer, tenant, place, heard, problem)
        except Exception as error:
            self._untrue.add((tenant, (consumer.name, None)))
            if not heard:
                raise
            return await self._set_aside(consumer, tenant, place, heard, error)
        return 0.0 if len(heard) == EACH else None

    def _recall(self, consumer: Consumer, tenant: UUID, holder: UUID | None) -> None:
        pair = (tenant, (consumer.name, None))
        if holder != self._me or pair in self._untrue:
            self._untrue.discard(pair)
            consumer.forget(tenant)

    async def _handle(self, conn: Conn, consumer: Consumer, tenant: UUID, heard: list[Event], limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await consumer.handle(conn, tenant, heard)
        except TimeoutError as error:
            raise RuntimeError(f"handling {len(heard)} events took longer than {limit_s:g} s") from error

    async def _keep(self, conn: Conn, consumer: Consumer, tenant: UUID, place: Place) -> None:
        now = clock.now()
        await store.PLACE_KEEP.run(
            conn,
            tenant=tenant,
            consumer=consumer.name,
            epoch=place.epoch,
            xid=place.xid,
            seq=place.seq,
            now=now,
            holder=self._me,
            until=now + timedelta(seconds=LEASE_S),
        )

    # ------------------------------------------------------------ set aside
    async def _set_aside(
        self, consumer: Consumer, tenant: UUID, place: Place, heard: list[Event], error: Exception
    ) -> float:
        """Set the projects of events aside that could not be handled together: each is tried by itself."""
        projects = sorted({event.project or NO_PROJECT for event in heard})
        log.warning(
            "%s: %d events of %d projects of tenant %s are set aside: %s",
            *(consumer.name, len(heard), len(projects), tenant, told(error)),
        )
        async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
            now = await store.PLACE_LOCK.maybe(conn, tenant=tenant, consumer=consumer.name)
            if now == place:  # else another process had a turn in between
                await store.ASIDE_ADD.run(
                    conn,
                    tenant=tenant,
                    consumer=consumer.name,
                    projects=projects,
                    epoch=place.epoch,
                    xid=place.xid,
                    seq=place.seq,
                    now=clock.now(),
                )
                await self._keep(conn, consumer, tenant, Place(heard[-1].epoch, heard[-1].xid, heard[-1].seq))
        for project in projects:
            self._turns.add(tenant, (consumer.name, project))
        return 0.0

    async def _retry(self, consumer: Consumer, tenant: UUID, project: UUID) -> float | None:
        """Try what was set aside of a project; it is over when it has heard all that its consumer has."""
        named = {"tenant": tenant, "consumer": consumer.name, "project": project}
        kinds = {"exact": consumer.exact, "beginnings": consumer.beginnings}
        row: store.AsideRow | None = None
        try:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                row = await store.ASIDE_TAKE.maybe(conn, **named, now=clock.now())
                if row is None:
                    return None  # another process has it, or it is over
                consumer.forget(tenant)
                place = Place(row.epoch, row.xid, row.seq)
                heard = await store.ASIDE_EVENTS.all(
                    conn, **named, **kinds, epoch=place.epoch, xid=place.xid, seq=place.seq, limit=EACH
                )
                if heard:
                    # what took too long may be large, or the machine slow: each further try is given twice as long
                    limit_s = min(HANDLE_LIMIT_S * 2.0**row.tries, LONGEST_HANDLE_S)
                    await self._handle(conn, consumer, tenant, heard, limit_s)
                    place = Place(heard[-1].epoch, heard[-1].xid, heard[-1].seq)
                # Only under the lock of the consumer's place can nobody move it on without these events.
                locked = await store.PLACE_LOCK.maybe(conn, tenant=tenant, consumer=consumer.name)
                left = await store.ASIDE_EVENTS.maybe(
                    conn, **named, **kinds, epoch=place.epoch, xid=place.xid, seq=place.seq, limit=1
                )
                if locked is not None and left is None:
                    await store.ASIDE_END.run(conn, **named)
                    if row.tries:
                        log.info("%s: project %s is heard again", consumer.name, project)
                    return None
                await store.ASIDE_MOVE.run(
                    conn, **named, epoch=place.epoch, xid=place.xid, seq=place.seq, next_at=clock.now()
                )
                return None if locked is None else 0.0
        except Exception as error:
            self._untrue.add((tenant, (consumer.name, None)))
            if row is None or (isinstance(error, Problem) and error.kind is Kind.UNAVAILABLE):
                raise
            await self._failed_again(consumer, row, error)
            return None

    async def _failed_again(self, consumer: Consumer, row: store.AsideRow, error: Exception) -> None:
        if row.tries == 0:
            log.error("%s: project %s is left aside for now", consumer.name, row.project, exc_info=error)
        pause_s = min(ASIDE_FIRST_S * 2.0**row.tries, ASIDE_LONGEST_S) * (0.8 + 0.4 * dice.unit())
        async with self._run.db.tx(Role.APP, tenant=row.tenant) as conn:
            await store.ASIDE_FAILED.run(
                conn,
                tenant=row.tenant,
                consumer=row.consumer,
                project=row.project,
                reason=told(error),
                next_at=clock.now() + timedelta(seconds=pause_s),
            )


def told(error: BaseException) -> str:
    """An error as a line for operators: what sort and where in our code, never what it says: that may be a tenant's."""
    steps = traceback.extract_tb(error.__traceback__)
    ours = [step for step in steps if "cupola" in Path(step.filename).parts] or steps
    code = f" {error.code}" if isinstance(error, Problem) else ""
    where = f" in {Path(ours[-1].filename).name}:{ours[-1].lineno} ({ours[-1].name})" if ours else ""
    return f"{type(error).__name__}{code}{where}"


# ---------------------------------------------------------------- the operator's view
async def asides(conn: Conn, after: Aside | None, limit: int) -> list[Aside]:
    """What is set aside over all tenants (role OPS)."""
    rows = await store.ASIDES.all(
        conn,
        tenant=after.tenant if after else UUID(int=0),
        consumer=after.consumer if after else "",
        project=(after.project or NO_PROJECT) if after else UUID(int=0),
        limit=limit,
    )
    return [
        Aside(
            row.tenant,
            row.consumer,
            None if row.project == NO_PROJECT else row.project,
            row.tries,
            row.reason,
            row.since,
            row.next_at,
        )
        for row in rows
    ]


async def try_again(conn: Conn, tenant: UUID, consumer: str, project: UUID | None) -> bool:
    """Let what is set aside be tried at once (role OPS); False where nothing is."""
    return bool(
        await store.ASIDE_AGAIN.run(
            conn, tenant=tenant, consumer=consumer, project=project or NO_PROJECT, now=clock.now()
        )
    )
