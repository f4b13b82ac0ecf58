"""What is offered to whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.kernel import clock, limits
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.routing import store
from cupola.tasks import service as tasks
from cupola.tasks.model import Offered, hourly_minor
from cupola.tasks.training import service as training
from cupola.workforce.eligibility import service as eligibility
from cupola.workforce.eligibility.model import Because
from cupola.workforce.eligibility.service import Opening

Value = Callable[[Sequence[UUID]], NDArray[np.float64]]

TRAINED = (
    " This is training: after each page you are told what was right, and it is paid like the project, passed or not. "
    "The project opens once enough of your last answers were right."
)
EXAM = (
    " This is an exam: each answer is paid, right or wrong. How it went is told once all of it is submitted, and what "
    "it shows may open other projects to you."
)
PAID = "Paid on submit; a submitted judgement's pay is never taken back."
REVIEWED = (
    "The requester looks at each submission first, for at most {hours:g} hours; what is not rejected by then is "
    "accepted and paid. A rejection says why, and you have 14 days to appeal to a panel that belongs to neither side."
)


@dataclass(frozen=True, slots=True)
class OfferedTo(Offered):
    """An offer with why it is this person's; because: None where it is everybody's."""

    because: Because | None = None


MEASURED_FROM = 20  # judgements after which measured times replace the requester's estimate


async def board(run: Runtime, person: UUID, limit: int = limits.MAX_LIST) -> list[OfferedTo]:
    """The offers a person may claim from now, best hourly equivalent first.

    Where there are more than `limit`, each tenant has its turn: nobody's many projects hide another's. Times are
    measured ones (median and p75 of the last 1,000 judgements) once 20 exist, else the requester's estimate.
    """
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        tenants = await store.TENANTS.one(conn, limit=limits.MAX_TENANTS_ASKED)
        rows = await store.OFFERS.all(
            conn,
            person=person,
            tenants=tenants,
            workers=[run.worker_of(tenant, person) for tenant in tenants],
            each=min(limit, 4 + 2 * limit // max(len(tenants), 1)),
            now=clock.now(),
        )
    turns: dict[UUID, int] = {}
    ordered = []
    for row in rows:
        turns[row.tenant] = turns.get(row.tenant, 0) + 1
        ordered.append((turns[row.tenant], row))
    ordered.sort(key=lambda one: one[0])
    offers = [await _offered(run, person, row) for _, row in ordered[:limit]]
    return sorted(offers, key=lambda offer: -(offer.hourly_minor or 0))


async def _offered(run: Runtime, person: UUID, row: store.OfferRow) -> OfferedTo:
    async with run.db.tx(Role.GATEWAY, tenant=row.tenant, worker=row.worker, person=person) as conn:
        guidelines = await tasks.guidelines(conn, row.tenant, row.project)
        progress = None if row.trains is None else await training.progress(conn, row.tenant, row.project, row.worker)
    measured = row.timed >= MEASURED_FROM
    median_s = row.median_s if measured else row.guess_median_s
    return OfferedTo(
        row.project,
        row.stage,
        row.stages[row.stage],
        row.title,
        row.kind,
        row.price_minor,
        row.currency,
        median_s,
        row.p75_s if measured else row.guess_p75_s,
        hourly_minor(row.price_minor, median_s),
        row.timed,
        row.available,
        row.page_size,
        guidelines,
        row.offer_version,
        "on submit" if row.review_first_s is None else "after review",
        (PAID if row.review_first_s is None else REVIEWED.format(hours=round(row.review_first_s / 3600, 1)))
        + " Returning a page never counts against you."
        + ("" if progress is None else TRAINED)
        + (EXAM if row.is_exam else ""),
        progress,
        row.review_first_s,
        row.is_exam,
        row.eligible,
        eligibility.because(row.eligible, row.facts),
    )


async def openings(run: Runtime, person: UUID) -> list[Opening]:
    """What a person is not offered (yet), and what is missing for it."""
    async with run.db.tx(Role.GATEWAY, person=person) as conn:
        tenants = await store.TENANTS.one(conn, limit=limits.MAX_TENANTS_ASKED)
    return (await eligibility.openings(run, person, tenants))[: limits.MAX_LIST]


async def lapse(run: Runtime, limit: int = 1_000) -> int:
    """End invitations that nobody answered, so that the next is asked; returns how many. Safe in several processes."""
    before = clock.now() - timedelta(seconds=limits.INVITE_S)
    async with run.db.tx(Role.OPS) as conn:
        due = await store.UNANSWERED.all(conn, before=before, limit=limit)
    by_project: dict[tuple[UUID, UUID], list[store.Lapsed]] = {}
    for row in due:
        by_project.setdefault((row.tenant, row.project), []).append(row)
    for (tenant, project), rows in by_project.items():
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            gone = await store.LAPSE.one(
                conn, tenant=tenant, tasks=[r.task for r in rows], workers=[r.worker for r in rows], before=before
            )
            if gone:
                await events.emit(
                    conn, tenant, "invite.lapsed", project, project, tasks=sorted({str(task) for task in gone})
                )
    return len(due)


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
        await store.INVITE.run(conn, tenant=tenant, tasks=tasks, workers=workers, now=clock.now())
    return [task for task in wanted if task not in candidates]
