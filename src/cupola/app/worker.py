"""The worker: feeds the consumers of events, runs slow jobs, ends leases whose time ran out, sweeps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cupola.app import health, slow, wiring
from cupola.appeals import service as appeals
from cupola.kernel import retention
from cupola.kernel.errors import Problem
from cupola.orders.callbacks import service as callbacks
from cupola.payouts import service as payouts
from cupola.platform.dispatch.service import Dispatcher
from cupola.platform.jobs.service import Queue
from cupola.platform.outbox import Courier
from cupola.platform.runtime import Runtime
from cupola.platform.sweeping import files
from cupola.platform.sweeping import service as sweeping
from cupola.platform.webhooks import service as webhooks
from cupola.routing import service as routing
from cupola.tasks import service as tasks
from cupola.tasks import work

log = logging.getLogger("cupola.worker")

EXPIRE_EVERY_S = 1.0
LAPSE_EVERY_S = 60.0
FOLD_EVERY_S = 15.0


async def _every(seconds: float, stop: asyncio.Event, step: Callable[[], Awaitable[object]]) -> None:
    while not stop.is_set():
        try:
            await step()
        except Problem as problem:
            log.warning("%s", problem.detail)
        except Exception:
            log.exception("a periodic step failed; it is tried again")
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue


async def start(run: Runtime) -> Callable[[], Awaitable[None]]:
    """Start everything a worker does on a runtime whose database is open; returns how to stop it."""
    stop = asyncio.Event()
    beat = await health.start(run, "worker")
    running = [
        asyncio.create_task(Dispatcher(run, wiring.consumers(run)).run(stop)),
        asyncio.create_task(Queue(run, slow.work(run)).run(stop)),
        asyncio.create_task(_every(EXPIRE_EVERY_S, stop, lambda: work.expire_due(run))),
        asyncio.create_task(_every(LAPSE_EVERY_S, stop, lambda: appeals.all_due(run))),
        asyncio.create_task(_every(LAPSE_EVERY_S, stop, lambda: payouts.turn(run))),
        asyncio.create_task(_every(LAPSE_EVERY_S, stop, lambda: routing.lapse(run))),
        asyncio.create_task(_every(FOLD_EVERY_S, stop, lambda: tasks.fold_tallies(run))),
        asyncio.create_task(Courier(run, webhooks.OUTBOX).run(stop)),
        asyncio.create_task(Courier(run, callbacks.OUTBOX).run(stop)),
        asyncio.create_task(_every(retention.SWEEP_EVERY_S, stop, lambda: sweeping.sweep(run.db))),
        asyncio.create_task(_every(retention.FILES_EVERY_S, stop, lambda: files.sweep(run.db, run.blobs))),
    ]

    async def end() -> None:
        stop.set()
        _, late = await asyncio.wait(running, timeout=10)
        for task in late:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await beat()

    return end


async def run_until(run: Runtime, stop: asyncio.Event) -> None:
    """A worker of its own process, until `stop`."""
    await run.db.open()
    end = await start(run)
    await stop.wait()
    await end()
    await run.db.close()
