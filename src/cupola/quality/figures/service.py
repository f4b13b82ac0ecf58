"""The figures of a project that take a look at all that was said in it.

Of a small project they are counted at each look. Of a large one they are kept, and counted anew by a job once the
project has grown by GROWN: a look stays as cheap as it was, and all the counting together takes a few times what the
last takes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
import numpy as np

from cupola.kernel import clock
from cupola.kernel.errors import Kind, Problem
from cupola.labels import Ontology
from cupola.platform import jobs
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.quality import agreement, store
from cupola.quality.figures import store as own
from cupola.quality.inference.base import Crowd
from cupola.quality.model import Agreement, Bin, Confusion, Progress
from cupola.quality.strategies import strategy_for
from cupola.tasks import service as tasks_service

JOB = "figures"
KEPT_FROM = 20_000  # judgements and settled tasks together
GROWN = 0.02
SAMPLE = 50_000  # newest judgements that agreement is computed on
# finer where decisions are made
EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
AGREEMENT_CELLS = 5_000_000  # judgements x classes that agreement is computed over: its table has a row a task
MAX_CONFUSION = 60  # classes; a larger matrix helps nobody


@dataclass(frozen=True, slots=True)
class Figures:
    """at: when they were counted; judgements_per_task: of tasks that are decided, None while none is."""

    histogram: list[Bin]
    agreement: Agreement
    confusion: Confusion | None
    progress: list[Progress]
    at: datetime
    judgements_per_task: float | None = None


async def read(conn: Conn, tenant: UUID, project: UUID, ontology: Ontology, counted: int) -> tuple[Figures, bool]:
    """A project's figures, and whether they are to be counted anew.

    counted: judgements and settled tasks, as they are counted in writing.
    """
    if counted >= KEPT_FROM:
        kept = await own.FIGURES.maybe(conn, tenant=tenant, project=project)
        if kept is not None:
            figures = msgspec.json.decode(kept.figures, type=Figures)
            return figures, counted > kept.counted * (1 + GROWN)
    return await count(conn, tenant, project, ontology), counted >= KEPT_FROM


async def ask(run: Runtime, tenant: UUID, project: UUID) -> None:
    """Have them counted anew."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await jobs.add(conn, tenant, JOB, project)


async def keep(run: Runtime, tenant: UUID, project: UUID) -> None:
    """Count them and keep what was counted. Does nothing for a project that is not there."""
    try:
        async with run.db.tx(Role.APP, tenant=tenant, snapshot=True) as conn:
            view = await tasks_service.project_view(conn, tenant, project)
            _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
            figures = await count(conn, tenant, project, ontology)
    except Problem as problem:
        if problem.kind is Kind.NOT_FOUND:
            return
        raise
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await own.FIGURES_KEEP.run(
            conn,
            tenant=tenant,
            project=project,
            counted=view.judgements + view.counts.settled,
            figures=msgspec.json.encode(figures),
            now=figures.at,
        )


async def count(conn: Conn, tenant: UUID, project: UUID, ontology: Ontology) -> Figures:
    """All of them, from the judgements and tasks themselves."""
    names = [spec.name for spec in ontology.classes]
    coded = not strategy_for(ontology).reads_labels
    found = Agreement(None, None, None, None)
    confusion = None
    if coded:
        sample = await own.VOTE_SAMPLE.all(conn, tenant=tenant, project=project, limit=SAMPLE)
        golds = {row.task: row.code for row in await store.GOLD_CODES.all(conn, tenant=tenant, project=project)}
        if sample:
            found = await asyncio.to_thread(_agreement, sample, golds)
        if 2 <= len(names) <= MAX_CONFUSION:
            matrix = [[0] * len(names) for _ in names]
            for cell in await own.SETTLED_CODES.all(conn, tenant=tenant, project=project):
                matrix[cell.settled][cell.said] = cell.n
            confusion = Confusion(names, matrix)
    bins = [
        Bin(EDGES[row.bin], EDGES[row.bin + 1] if row.bin + 1 < len(EDGES) else 1.0, row.tasks)
        for row in await own.HISTOGRAM.all(conn, tenant=tenant, project=project, edges=list(EDGES[1:]))
    ]
    progress = await own.PROGRESS.all(conn, tenant=tenant, project=project)
    decided = await own.DECIDED_BY.one(conn, tenant=tenant, project=project)
    each = round(decided.judgements / decided.tasks, 2) if decided.tasks else None
    return Figures(bins, found, confusion, progress, clock.now(), each)


def _agreement(sample: list[store.CodeRow], golds: dict[UUID, int]) -> Agreement:
    """The newest judgements, or as many of them as keep a table of all classes that they name within bounds."""
    while len({row.code for row in sample}) * len(sample) > AGREEMENT_CELLS:
        sample = sample[: len(sample) // 2]
    named = {code: n for n, code in enumerate(sorted({row.code for row in sample}))}
    tasks = {task: n for n, task in enumerate(dict.fromkeys(row.task for row in sample))}
    workers = {worker: n for n, worker in enumerate(dict.fromkeys(row.worker for row in sample))}
    task = np.array([tasks[row.task] for row in sample])
    code = np.array([named[row.code] for row in sample])
    crowd = Crowd.from_codes(
        task,
        np.array([workers[row.worker] for row in sample]),
        code,
        n_tasks=len(tasks),
        n_workers=len(workers),
        n_classes=max(len(named), 2),
    )
    alpha = agreement.alpha(crowd, draws=100)
    truth = np.full(len(tasks), -1, np.int16)
    for gold, value in golds.items():
        if gold in tasks:
            truth[tasks[gold]] = named.get(value, -1)  # a class that nobody named is nobody's answer
    repeat = agreement.repeat_rate(crowd, truth, draws=0).value if (truth >= 0).any() else None
    return Agreement(alpha.value, alpha.low, alpha.high, repeat)
