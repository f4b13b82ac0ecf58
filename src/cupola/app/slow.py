"""Slow work: which event starts which job, and the queue that runs it (PgQueuer)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

import msgspec
from pgqueuer import PgQueuer
from pgqueuer.db import PsycopgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from cupola.catalog import jobs as catalog_jobs
from cupola.kernel.errors import Kind, Problem
from cupola.platform.events import Event
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.releases import exporting

log = logging.getLogger("cupola.jobs")

# event kind -> job
KINDS = {"import.requested": "import", "import.done": "thumbnails", "export.requested": "export"}
RETRY_S = 5.0


class Task(msgspec.Struct):
    """What a job is about: identifiers only."""

    tenant: UUID
    subject: UUID


def _payload(event: Event) -> bytes:
    assert event.subject is not None
    return msgspec.json.encode(Task(event.tenant, event.subject))


async def enqueue(run: Runtime, events: Sequence[Event]) -> None:
    """Put jobs into the queue. Never inside a business transaction: the queue's trigger notifies."""
    wanted = [(KINDS[event.kind], event) for event in events if event.subject is not None]
    if not wanted:
        return
    async with run.db.session(Role.OPS) as conn:
        await Queries(PsycopgDriver(conn)).enqueue(
            list[str](job for job, _ in wanted),
            list[bytes | None](_payload(event) for _, event in wanted),
            [0] * len(wanted),
        )


async def take_up(run: Runtime) -> None:
    """Put what a dead process left half done into the queue again; every handler may be run twice."""
    left = [("import", row.tenant, row.id) for row in await catalog_jobs.unfinished(run)]
    left += [("export", row.tenant, row.id) for row in await exporting.unfinished(run)]
    if left:
        async with run.db.session(Role.OPS) as conn:
            await Queries(PsycopgDriver(conn)).enqueue(
                list[str](job for job, _, _ in left),
                list[bytes | None](msgspec.json.encode(Task(tenant, subject)) for _, tenant, subject in left),
                [0] * len(left),
            )


async def run_queue(run: Runtime, stop: asyncio.Event) -> None:
    """Run jobs until `stop`; survives the loss of the database. Every handler may be run again at any time."""
    while not stop.is_set():
        try:
            async with run.db.session(Role.OPS) as conn:
                queue = _queue(run, conn)
                watcher = asyncio.create_task(_shut(queue, stop))
                try:
                    await queue.run(batch_size=4)
                finally:
                    watcher.cancel()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.warning("the job queue waits: %s", error)
            try:
                await asyncio.wait_for(stop.wait(), RETRY_S)
            except TimeoutError:
                continue


async def _shut(queue: PgQueuer, stop: asyncio.Event) -> None:
    await stop.wait()
    queue.shutdown.set()


def _queue(run: Runtime, conn: object) -> PgQueuer:
    queue = PgQueuer(PsycopgDriver(conn))  # type: ignore[arg-type]  # an AsyncConnection of tuples
    handlers: dict[str, Callable[[Runtime, UUID, UUID], Awaitable[None]]] = {
        "import": lambda run, tenant, subject: catalog_jobs.run_import(run, tenant, subject),
        "thumbnails": _thumbnails,
        "export": exporting.run_export,
    }
    for name, handler in handlers.items():

        async def entry(job: Job, handler: Callable[[Runtime, UUID, UUID], Awaitable[None]] = handler) -> None:
            task = msgspec.json.decode(job.payload or b"{}", type=Task)
            for wait_s in (1.0, 5.0, 15.0, 60.0, None):
                try:
                    await handler(run, task.tenant, task.subject)
                except Problem as problem:
                    if problem.kind is not Kind.UNAVAILABLE or wait_s is None:
                        log.warning("job failed: %s", problem.detail)
                        return
                    await asyncio.sleep(wait_s)
                else:
                    return

        queue.entrypoint(name, concurrency_limit=2)(entry)
    return queue


async def _thumbnails(run: Runtime, tenant: UUID, _: UUID) -> None:
    await catalog_jobs.make_thumbnails(run, tenant)
