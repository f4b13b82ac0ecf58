"""A project's quality at a glance, and the estimate before its launch."""

from __future__ import annotations

import asyncio
from uuid import UUID

import numpy as np

from cupola.kernel.money import legs
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import short_name
from cupola.quality import agreement, live, store
from cupola.quality import plan as planner
from cupola.quality.inference.base import Crowd
from cupola.quality.model import (
    Agreement,
    Bin,
    Calibration,
    Confusion,
    ContributorQuality,
    Estimate,
    Forecast,
    ProjectQuality,
    WhatIf,
    WorkerFlag,
)
from cupola.tasks import service as tasks_service
from cupola.tasks.model import Plan

SAMPLE = 50_000  # newest judgements that agreement is computed on
# finer where decisions are made
EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999)
MAX_CONFUSION = 60  # classes; a larger matrix helps nobody


async def quality(conn: Conn, tenant: UUID, project: UUID) -> ProjectQuality:
    """Everything the project's page shows. Raises Problem(NOT_FOUND)."""
    view = await tasks_service.project_view(conn, tenant, project)
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    names = [spec.name for spec in ontology.classes]
    coded = ontology.kind == "choice" and not ontology.multiple
    model = await store.MODEL.maybe(conn, tenant=tenant, project=project)
    parameters = live.thaw(model.state) if model and coded else live.cold(max(len(names), 1))
    sample = await store.VOTE_SAMPLE.all(conn, tenant=tenant, project=project, limit=SAMPLE)
    golds = {row.task: row.code for row in await store.GOLD_CODES.all(conn, tenant=tenant, project=project)}
    found = Agreement(None, None, None, None)
    if coded and sample:
        found = await asyncio.to_thread(_agreement, sample, golds, parameters)
    confusion = None
    if coded and 2 <= len(names) <= MAX_CONFUSION:
        matrix = [[0] * len(names) for _ in names]
        for cell in await store.SETTLED_CODES.all(conn, tenant=tenant, project=project):
            matrix[cell.settled][cell.said] = cell.n
        confusion = Confusion(names, matrix)
    todo = view.counts.open + view.counts.collecting
    per_judgement = legs(view.offer.price_minor, view.offer.fee_bp, view.offer.insurance_bp).total_minor
    return ProjectQuality(
        parameters.method,
        parameters.rho,
        parameters.threshold,
        parameters.version,
        [
            Bin(EDGES[row.bin], EDGES[row.bin + 1] if row.bin + 1 < len(EDGES) else 1.0, row.tasks)
            for row in await store.HISTOGRAM.all(conn, tenant=tenant, project=project, edges=list(EDGES[1:]))
        ],
        found,
        round(view.judgements / max(view.counts.settled + view.counts.escalated, 1), 2),
        [
            ContributorQuality(
                short_name(row.worker),
                row.judgements,
                row.gold_seen,
                row.gold_right,
                row.skill,
                row.low,
                row.high,
                [WorkerFlag(**flag) for flag in row.flags if isinstance(flag, dict)],
            )
            for row in await store.SKILLS.all(conn, tenant=tenant, project=project)
        ],
        confusion,
        await store.PROGRESS.all(conn, tenant=tenant, project=project),
        await asyncio.to_thread(_forecast, todo, parameters, view.plan, per_judgement),
        [Calibration(*one) for one in parameters.reliability],
    )


def _agreement(sample: list[store.CodeRow], golds: dict[UUID, int], parameters: live.Parameters) -> Agreement:
    tasks = {task: n for n, task in enumerate(dict.fromkeys(row.task for row in sample))}
    workers = {worker: n for n, worker in enumerate(dict.fromkeys(row.worker for row in sample))}
    task = np.array([tasks[row.task] for row in sample])
    code = np.array([row.code for row in sample])
    crowd = Crowd.from_codes(
        task,
        np.array([workers[row.worker] for row in sample]),
        code,
        n_tasks=len(tasks),
        n_workers=len(workers),
        n_classes=parameters.n_classes,
    )
    alpha = agreement.alpha(crowd, draws=100)
    truth = np.full(len(tasks), -1, np.int16)
    for gold, value in golds.items():
        if gold in tasks:
            truth[tasks[gold]] = value
    repeat = agreement.repeat_rate(crowd, truth, draws=0).value if (truth >= 0).any() else None
    return Agreement(alpha.value, alpha.low, alpha.high, repeat)


def _pool(parameters: live.Parameters) -> planner.Pool:
    tables = parameters.confusion if len(parameters.confusion) else parameters.newcomer[None]
    basis = f"{parameters.judgements:,} judgements of this project" if parameters.judgements else "an assumed crowd"
    return planner.Pool(
        tables, np.full(len(tables), 1.0 / len(tables)), parameters.prior, parameters.rho, basis, parameters.standing
    )


async def what_if(conn: Conn, tenant: UUID, project: UUID, target: float) -> WhatIf:
    """What another target would take from here. Raises Problem(NOT_FOUND)."""
    view = await tasks_service.project_view(conn, tenant, project)
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    model = await store.MODEL.maybe(conn, tenant=tenant, project=project)
    coded = ontology.kind == "choice" and not ontology.multiple
    parameters = live.thaw(model.state) if model and coded else live.cold(max(len(ontology.classes), 2))
    # a finished project is asked about as if it began again with the same crowd
    tasks = view.counts.open + view.counts.collecting or max(view.counts.total, 1)
    found = await asyncio.to_thread(
        planner.forecast,
        tasks,
        _pool(parameters),
        target,
        confidence=view.plan.confidence,
        max_votes=view.plan.max_judgements,
        min_votes=view.plan.min_judgements,
    )
    each = legs(view.offer.price_minor, view.offer.fee_bp, view.offer.insurance_bp).total_minor
    judgements = _whole(found.judgements)
    return WhatIf(
        target,
        tasks,
        judgements,
        _whole(found.experts),
        {name: count * each for name, count in judgements.items()},
        view.currency,
        found.settled_error.likely,
        found.reachable,
        found.audit_items,
        found.basis,
    )


def _whole(span: planner.Range) -> dict[str, int]:
    return {"low": round(span.low), "likely": round(span.likely), "high": round(span.high)}


def _forecast(todo: int, parameters: live.Parameters, plan: Plan, per_judgement_minor: int) -> Forecast:
    if todo == 0:
        return Forecast(0, {"low": 0, "likely": 0, "high": 0})
    pool = _pool(parameters)
    likely = planner.forecast(
        todo,
        pool,
        plan.target_accuracy,
        confidence=plan.confidence,
        max_votes=plan.max_judgements,
        min_votes=plan.min_judgements,
    ).judgements
    return Forecast(
        round(likely.likely),
        {
            "low": round(likely.low) * per_judgement_minor,
            "likely": round(likely.likely) * per_judgement_minor,
            "high": round(likely.high) * per_judgement_minor,
        },
    )


# People whose errors are even agree on a wrong class by chance once in so many: more classes change no figure, and a
# table of 10,000 by 10,000 would only cost memory.
SIMULATED_CLASSES = 64


async def estimate(
    plan: Plan,
    items: int,
    classes: int,
    skill: float | None,
    price_minor: int,
    currency: str,
    fee_bp: int,
    insurance_bp: int,
) -> Estimate:
    """What a plan will likely need. Gold comes on top, as the plan's share of all judgements."""
    expected = skill if skill is not None else 0.85
    effective = min(max(classes, 2), SIMULATED_CLASSES)
    pool = planner.pool_from_skill(effective, max(expected, 1.0 / effective + 0.01))
    found = await asyncio.to_thread(
        planner.forecast,
        items,
        pool,
        plan.target_accuracy,
        confidence=plan.confidence,
        max_votes=plan.max_judgements,
        min_votes=plan.min_judgements,
    )
    each = legs(price_minor, fee_bp, insurance_bp).total_minor
    with_gold = 1.0 / (1.0 - plan.gold_rate)
    judgements = {
        "low": round(found.judgements.low * with_gold),
        "likely": round(found.judgements.likely * with_gold),
        "high": round(found.judgements.high * with_gold),
    }
    return Estimate(
        judgements,
        {
            "low": round(found.experts.low),
            "likely": round(found.experts.likely),
            "high": round(found.experts.high),
        },
        {name: count * each for name, count in judgements.items()},
        currency,
        found.audit_items if found.audit_items is not None else plan.audit_items,
        f"{found.basis}; 80 % of simulated outcomes lie in the interval; price, fee and insurance included; "
        "a pilot makes it narrower",
    )
