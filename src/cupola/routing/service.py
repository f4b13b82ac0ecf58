"""What is offered to whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.kernel import clock
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.routing import store
from cupola.tasks import service as tasks
from cupola.tasks.model import Offered, hourly_minor
from cupola.tasks.training import service as training

Value = Callable[[Sequence[UUID]], NDArray[np.float64]]

TRAINED = (
    " This is training: after each page you are told what was right, and it is paid like the project, passed or not. "
    "The project opens once enough of your last answers were right."
)
MEASURED_FROM = 20  # judgements after which measured times replace the requester's estimate


async def board(run: Runtime, person: UUID, limit: int = 100) -> list[Offered]:
    """The offers a person may claim from now, best hourly equivalent first.

    Times are measured ones (median and p75 of the last 1,000 judgements) once 20 exist, else the requester's estimate.
    """
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        rows = await store.LIVE.all(conn, now=clock.now(), limit=limit)
    offers: list[Offered] = []
    for row in rows:
        worker = run.worker_of(row.tenant, person)
        async with run.db.tx(Role.GATEWAY, tenant=row.tenant, worker=worker, person=person) as conn:
            seen = await store.ON_OFFER.one(conn, tenant=row.tenant, project=row.project, worker=worker)
            guidelines = await tasks.guidelines(conn, row.tenant, row.project)
            progress = None if row.trains is None else await training.progress(conn, row.tenant, row.project, worker)
        # who used up all training without passing is told so, and waits for more of it
        waits = progress is not None and progress.answered > 0 and not progress.passed
        if seen.available == 0 and not waits:
            continue
        measured = seen.timed >= MEASURED_FROM
        median_s = seen.median_s if measured else row.median_s
        offers.append(
            Offered(
                row.project,
                row.title,
                row.kind,
                row.price_minor,
                row.currency,
                median_s,
                seen.p75_s if measured else row.p75_s,
                hourly_minor(row.price_minor, median_s),
                seen.timed,
                seen.available,
                row.page_size,
                guidelines,
                row.offer_version,
                "on submit",
                "Paid on submit; a submitted judgement's pay is never taken back. Returning a page never counts "
                "against you." + ("" if progress is None else TRAINED),
                progress,
            )
        )
    return sorted(offers, key=lambda offer: -(offer.hourly_minor or 0))


async def ask(conn: Conn, tenant: UUID, project: UUID, wanted: dict[UUID, Value]) -> list[UUID]:
    """Ask, for each task, the candidate whose judgement is worth most; returns the tasks nobody is left for.

    wanted: for each task, a function from workers to what a judgement of each is worth. Among equals the one with the
    least work in this call is asked, so that a round spreads over the crowd.
    """
    candidates: dict[UUID, list[UUID]] = {}
    for row in await store.CANDIDATES.all(conn, tenant=tenant, tasks=list(wanted)):
        candidates.setdefault(row.task, []).append(row.worker)
    load: dict[UUID, int] = {}
    tasks: list[UUID] = []
    workers: list[UUID] = []
    for task, value in wanted.items():
        able = candidates.get(task)
        if not able:
            continue
        worth = value(able)
        best = max(range(len(able)), key=lambda n: (round(float(worth[n]), 6), -load.get(able[n], 0)))
        load[able[best]] = load.get(able[best], 0) + 1
        tasks.append(task)
        workers.append(able[best])
    if tasks:
        await store.INVITE.run(conn, tenant=tenant, tasks=tasks, workers=workers)
    return [task for task in wanted if task not in candidates]
