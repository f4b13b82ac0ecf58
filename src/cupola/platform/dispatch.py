"""The dispatcher: reads events in order and hands them to consumers.

Each consumer runs in one process at a time (an advisory lock) and keeps its place in the database, so that another
process goes on where it stopped. Handlers may see an event twice after a crash; they must not mind.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from cupola.kernel import clock
from cupola.kernel.errors import Problem
from cupola.platform import store
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime

log = logging.getLogger("cupola.dispatch")

BATCH = 1_000
# what comes within this time is handled together: a judgement is seen 0.1 s later and costs a tenth
IDLE_MIN_S, IDLE_MAX_S = 0.1, 0.4
RETRY_S = 2.0


@dataclass(frozen=True, slots=True)
class Consumer:
    """name: under which its place is kept; kinds: what it wants to hear (a trailing * means: begins with)."""

    name: str
    kinds: tuple[str, ...]
    handle: Callable[[Sequence[Event]], Awaitable[None]]

    def wants(self, kind: str) -> bool:
        return any(kind == k or (k.endswith("*") and kind.startswith(k[:-1])) for k in self.kinds)


async def run_consumer(run: Runtime, consumer: Consumer, stop: asyncio.Event) -> None:
    """Feed one consumer until `stop`; survives the loss of the database."""
    while not stop.is_set():
        try:
            async with run.db.session(Role.OPS) as conn:
                if not await store.CONSUMER_LOCK.one(conn, consumer=consumer.name):
                    await _pause(stop, RETRY_S)  # another process has it
                    continue
                try:
                    await _feed(conn, consumer, stop)
                finally:
                    with suppress(psycopg.Error):  # a lost connection has let go of its locks
                        await store.CONSUMER_UNLOCK.maybe(conn, consumer=consumer.name)
        except Problem as problem:
            log.warning("%s waits: %s", consumer.name, problem.detail)
            await _pause(stop, RETRY_S)
        except psycopg.OperationalError as error:
            log.warning("%s waits: the database is away (%s)", consumer.name, str(error).strip().split("\n")[0])
            await _pause(stop, RETRY_S)
        except Exception:
            log.exception("%s failed; trying again", consumer.name)
            await _pause(stop, RETRY_S)


async def _feed(conn: Conn, consumer: Consumer, stop: asyncio.Event) -> None:
    idle_s = IDLE_MIN_S
    place = await store.PLACE.maybe(conn, consumer=consumer.name) or store.Place("0", 0)
    while not stop.is_set():
        rows = await store.EVENTS_TAIL.all(conn, xid=place.xid, seq=place.seq, limit=BATCH)
        if rows:
            wanted = [row for row in rows if consumer.wants(row.kind)]
            if wanted:
                await consumer.handle(wanted)
            place = store.Place(rows[-1].xid, rows[-1].seq)
            await store.PLACE_KEEP.run(conn, consumer=consumer.name, xid=place.xid, seq=place.seq, at=clock.now())
            idle_s = IDLE_MIN_S
        if len(rows) < BATCH:
            await _pause(stop, idle_s)
            idle_s = min(idle_s * 1.5, IDLE_MAX_S)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
