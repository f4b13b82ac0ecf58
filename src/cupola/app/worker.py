"""The worker: feeds the consumers of events, runs slow jobs, ends leases whose time ran out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cupola.app import health, slow, wiring
from cupola.kernel.errors import Problem
from cupola.orders.callbacks import service as callbacks
from cupola.platform import outbox
from cupola.platform.dispatch import run_consumer
from cupola.platform.runtime import Runtime
from cupola.platform.webhooks import service as webhooks
from cupola.tasks import work

log = logging.getLogger("cupola.worker")

EXPIRE_EVERY_S = 1.0
DELIVER_EVERY_S = 1.0
PRUNE_EVERY_S = 3_600.0


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
    await slow.take_up(run)
    beat = await health.start(run, "worker")
    running = [
        *(asyncio.create_task(run_consumer(run, consumer, stop)) for consumer in wiring.consumers(run)),
        asyncio.create_task(slow.run_queue(run, stop)),
        asyncio.create_task(_every(EXPIRE_EVERY_S, stop, lambda: work.expire_due(run))),
        asyncio.create_task(_every(DELIVER_EVERY_S, stop, lambda: webhooks.deliver_due(run))),
        asyncio.create_task(_every(DELIVER_EVERY_S, stop, lambda: callbacks.deliver_due(run))),
        asyncio.create_task(_every(PRUNE_EVERY_S, stop, lambda: outbox.prune(run, webhooks.OUTBOX))),
        asyncio.create_task(_every(PRUNE_EVERY_S, stop, lambda: outbox.prune(run, callbacks.OUTBOX))),
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
