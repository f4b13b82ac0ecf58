"""A project's quality at a glance, and the estimate before its launch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from cupola.kernel.errors import Problem
from cupola.kernel.money import legs
from cupola.labels import Ontology
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime, short_name
from cupola.quality import plan as planner
from cupola.quality import refits, store
from cupola.quality.course import Prices
from cupola.quality.figures import service as figures
from cupola.quality.lines import ReviewCost, along
from cupola.quality.model import (
    Asking,
    Calibration,
    ContributorQuality,
    Estimate,
    Forecast,
    ProjectQuality,
    WhatIf,
    WorkerFlag,
)
from cupola.quality.pool import Pool, pool_from_skill
from cupola.quality.strategies.base import AnyStrategy, Model
from cupola.tasks import service as tasks_service
from cupola.tasks.model import Plan

COLD_THRESHOLD = 0.995  # shown before anything was judged


async def quality(run: Runtime, tenant: UUID, project: UUID) -> ProjectQuality:
    """Everything the project's page shows. Raises Problem(NOT_FOUND)."""
    try:
        async with run.db.tx(Role.APP, tenant=tenant, snapshot=True) as conn:
            shown, stale = await _shown(conn, tenant, project)
    except Problem as problem:
        if problem.code == "busy":  # none were kept yet, and there is more to count than somebody can wait for
            await figures.ask(run, tenant, project)
        raise
    if stale:
        await figures.ask(run, tenant, project)
    return shown


async def _shown(conn: Conn, tenant: UUID, project: UUID) -> tuple[ProjectQuality, bool]:
    view = await tasks_service.project_view(conn, tenant, project)
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    strategy, model = await _model(conn, tenant, project, ontology)
    found, stale = await figures.read(conn, tenant, project, ontology, view.judgements + view.counts.settled)
    todo = view.counts.open + view.counts.collecting
    per_judgement = legs(view.offer.price_minor, view.offer.fee_bp, view.offer.insurance_bp).total_minor
    shown = ProjectQuality(
        model.method,
        model.rho,
        model.threshold,
        model.version,
        found.histogram,
        found.agreement,
        found.judgements_per_task,
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
        found.confusion,
        found.progress,
        await asyncio.to_thread(_forecast, todo, strategy.pool(model, ontology), view.plan, per_judgement),
        [Calibration(*one) for one in model.reliability],
        found.at,
    )
    return shown, stale


async def _model(conn: Conn, tenant: UUID, project: UUID, ontology: Ontology) -> tuple[AnyStrategy, Model]:
    kept = await store.MODEL.maybe(conn, tenant=tenant, project=project)
    return await asyncio.to_thread(refits.restored, kept, ontology, COLD_THRESHOLD)


async def what_if(conn: Conn, tenant: UUID, project: UUID, target: float) -> WhatIf:
    """What another target would take from here. Raises Problem(NOT_FOUND)."""
    view = await tasks_service.project_view(conn, tenant, project)
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    strategy, model = await _model(conn, tenant, project, ontology)
    # a finished project is asked about as if it began again with the same crowd
    tasks = view.counts.open + view.counts.collecting or max(view.counts.total, 1)
    found = await asyncio.to_thread(
        planner.forecast,
        tasks,
        strategy.pool(model, ontology),
        target,
        confidence=view.plan.confidence,
        max_votes=view.plan.max_judgements,
        min_votes=view.plan.min_judgements,
        prices=Prices(expert=view.plan.expert_cost),
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
        _asking(found, view.plan),
    )


def _asking(found: planner.Forecast, plan: Plan) -> Asking:
    return Asking(found.cost.likely < plan.expert_cost, round(found.cost.likely, 3), plan.expert_cost)


def _whole(span: planner.Range) -> dict[str, int]:
    return {"low": round(span.low), "likely": round(span.likely), "high": round(span.high)}


def _forecast(todo: int, pool: Pool, plan: Plan, per_judgement_minor: int) -> Forecast:
    if todo == 0:
        return Forecast(0, 0, {"low": 0, "likely": 0, "high": 0})
    found = planner.forecast(
        todo,
        pool,
        plan.target_accuracy,
        confidence=plan.confidence,
        max_votes=plan.max_judgements,
        min_votes=plan.min_judgements,
        prices=Prices(expert=plan.expert_cost),
    )
    likely = found.judgements
    return Forecast(
        round(likely.likely),
        round(found.experts.likely),
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
    reviews: Sequence[tuple[int, int | None]] = (),
) -> Estimate:
    """What a plan will likely need. Gold comes on top, as the plan's share of all judgements.

    reviews: the price of each review, and of the fix that follows it, if one does. With reviews nothing is settled by
    more judgements: each task is drawn as often as the plan asks for at least.
    """
    expected = skill if skill is not None else 0.85
    effective = min(max(classes, 2), SIMULATED_CLASSES)
    pool = pool_from_skill(effective, max(expected, 1.0 / effective + 0.01))
    found = await asyncio.to_thread(
        planner.forecast,
        items,
        pool,
        plan.target_accuracy,
        confidence=plan.confidence,
        max_votes=plan.max_judgements,
        min_votes=plan.min_judgements,
        prices=Prices(expert=plan.expert_cost),
    )
    each = legs(price_minor, fee_bp, insurance_bp).total_minor
    with_gold = 1.0 / (1.0 - plan.gold_rate)
    judgements = {
        "low": round(found.judgements.low * with_gold),
        "likely": round(found.judgements.likely * with_gold),
        "high": round(found.judgements.high * with_gold),
    }
    experts = {
        "low": round(found.experts.low),
        "likely": round(found.experts.likely),
        "high": round(found.experts.high),
    }
    cost = {name: count * each for name, count in judgements.items()}
    if reviews:
        drawn = round(items * plan.asked_first * with_gold)
        priced = [
            ReviewCost(
                legs(review, fee_bp, insurance_bp).total_minor,
                None if fix is None else legs(fix, fee_bp, insurance_bp).total_minor,
            )
            for review, fix in reviews
        ]
        # from nothing rejected to twice what one person is expected to get wrong
        shares = {"low": 0.0, "likely": 1.0 - expected, "high": min(2.0 * (1.0 - expected), 1.0)}
        needs = {name: along(items, priced, share) for name, share in shares.items()}
        judgements = {name: drawn + round(one.judgements) for name, one in needs.items()}
        cost = {name: drawn * each + round(one.cost_minor) for name, one in needs.items()}
        experts = {name: round(one.experts) for name, one in needs.items()}
    return Estimate(
        judgements,
        experts,
        cost,
        currency,
        found.audit_items if found.audit_items is not None else plan.audit_items,
        f"{found.basis}; 80 % of simulated outcomes lie in the interval; price, fee and insurance included; "
        "a pilot makes it narrower",
        _asking(found, plan),
    )
