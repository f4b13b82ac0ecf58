"""A project's model fitted anew on everything judged, and what it says of people, kept as a new version."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from cupola.kernel import clock
from cupola.labels import Label, Ontology, code_of, decode_label, same
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime
from cupola.quality import agreeing, live, store, watching
from cupola.quality.model import WorkerFlag
from cupola.quality.online import Plan

log = logging.getLogger("cupola.quality")

FIRST_REFIT = 60  # judgements before the first fit
EM_SAYS = 10.0  # golds that EM's opinion of somebody counts as: it is optimistic, gold is not
NEAR = 4.0  # agreement with what settled counts a quarter: the worker's own vote is part of it


@dataclass(slots=True)
class Live:
    """What the aggregator remembers of a project; everything in it can be read again from the database."""

    plan: Plan
    target_accuracy: float
    share: float
    gold_rate: float
    ontology: Ontology
    directed: bool
    coded: bool
    parameters: live.Parameters
    accuracies: dict[UUID, float] = field(default_factory=dict)
    seen: int = 0
    tasks_total: int = 0
    next_refit: float = FIRST_REFIT


@dataclass(frozen=True, slots=True)
class People:
    """What a refit says of a project's workers: judgements, golds seen and right, Beta(a, b) of the skill, flags."""

    workers: list[UUID]
    judged: NDArray[np.int64]
    seen: NDArray[np.int64]
    right: NDArray[np.int64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    flags: list[list[WorkerFlag]]


async def fit(run: Runtime, tenant: UUID, project: UUID, known: Live) -> bool:
    """Fit, keep, and change `known`; False when nothing has been judged yet."""
    return await (_fit_coded if known.coded else _fit_agreeing)(run, tenant, project, known)


async def _fit_coded(run: Runtime, tenant: UUID, project: UUID, known: Live) -> bool:
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        codes = await store.CODES.all(conn, tenant=tenant, project=project)
        golds = await store.GOLD_CODES.all(conn, tenant=tenant, project=project)
        expert = await store.ADJUDICATED_CODES.all(conn, tenant=tenant, project=project)
        model_said = await store.PRE_LABELS.all(conn, tenant=tenant, project=project)
    if not codes:
        return False
    number, workers = _number([row.task for row in codes]), _number([row.worker for row in codes])
    truth = np.full(len(number), -1, np.int16)
    gold = truth.copy()
    for row in expert:
        if row.task in number:
            truth[number[row.task]] = row.code
    for row in golds:
        if row.task in number:
            truth[number[row.task]] = gold[number[row.task]] = row.code
    task = np.array([number[row.task] for row in codes])
    worker = np.array([workers[row.worker] for row in codes])
    code = np.array([row.code for row in codes])
    parameters = await asyncio.to_thread(
        live.refit,
        known.parameters,
        task,
        worker,
        code,
        list(workers),
        truth,
        gold,
        target_accuracy=known.target_accuracy,
        share=known.share,
        max_votes=known.plan.max_votes,
    )
    known.parameters = parameters
    known.plan = replace(known.plan, threshold=parameters.threshold)
    known.seen = len(codes)
    told = {row.task for row in golds}
    is_gold = np.array([row.task in told for row in codes])
    right = np.bincount(worker[is_gold & (gold[task] == code)], minlength=len(workers))
    seen = np.bincount(worker[is_gold], minlength=len(workers))
    diagonal = np.einsum("wkk,k->w", parameters.confusion, parameters.prior)
    said = _codes_of(model_said, number, known.ontology)
    try:
        flags = await asyncio.to_thread(watching.signals, parameters, task, worker, code, truth, list(workers), said)
    except Exception:
        log.exception("project %s: no signals about people this time", project)  # they stop no decision
        flags = [[] for _ in workers]
    people = People(
        list(workers),
        np.bincount(worker),
        seen,
        right,
        right + EM_SAYS * diagonal,
        (seen - right) + EM_SAYS * (1.0 - diagonal),
        flags,
    )
    await _keep(run, tenant, project, known, people, parameters)
    return True


async def _fit_agreeing(run: Runtime, tenant: UUID, project: UUID, known: Live) -> bool:
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        gold = await store.GOLD_VOTES.all(conn, tenant=tenant, project=project)
        settled = await store.SETTLED_VOTES.all(conn, tenant=tenant, project=project)
        counts = await store.WORKER_COUNTS.all(conn, tenant=tenant, project=project)
    if not counts:
        return False
    known.seen = sum(row.judgements for row in counts)
    workers = {row.worker: n for n, row in enumerate(counts)}
    right, seen = await asyncio.to_thread(_compare, gold, workers, known.ontology)
    near_right, near_seen = await asyncio.to_thread(_compare, settled, workers, known.ontology)
    skill = agreeing.accuracy(right + near_right / NEAR, seen + near_seen / NEAR)
    known.accuracies = {worker: float(skill[n]) for worker, n in workers.items()}
    a = right + near_right / NEAR + agreeing.PRIOR_ACCURACY * agreeing.PRIOR_STRENGTH
    b = np.maximum(seen + agreeing.PRIOR_STRENGTH + near_seen / NEAR - a, 1e-3)
    judged = np.array([row.judgements for row in counts])
    people = People(list(workers), judged, seen, right, a, b, [[] for _ in workers])
    await _keep(run, tenant, project, known, people, None)
    return True


async def _keep(
    run: Runtime, tenant: UUID, project: UUID, known: Live, people: People, parameters: live.Parameters | None
) -> None:
    low = betaincinv(people.a, people.b, 0.025)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        if parameters is not None:
            await store.MODEL_KEEP.run(
                conn,
                tenant=tenant,
                project=project,
                version=parameters.version,
                method=parameters.method,
                rho=parameters.rho,
                judgements=parameters.judgements,
                state=live.freeze(parameters),
                now=clock.now(),
            )
        await store.SKILLS_KEEP.run(
            conn,
            tenant=tenant,
            project=project,
            workers=people.workers,
            judgements=people.judged.tolist(),
            gold_seen=people.seen.tolist(),
            gold_right=people.right.tolist(),
            # rounded: a bound of 1e-60, as of somebody always wrong, is more than the table's real can hold
            skills=np.round(people.a / (people.a + people.b), 6).tolist(),
            lows=np.round(low, 6).tolist(),
            highs=np.round(betaincinv(people.a, people.b, 0.975), 6).tolist(),
            flags=[msgspec.json.encode(one).decode() for one in people.flags],
            now=clock.now(),
        )
        if known.gold_rate > 0:
            rates = watching.gold_rates(known.gold_rate, known.target_accuracy, people.seen, low, people.flags)
            await store.GOLD_RATES.run(conn, tenant=tenant, project=project, workers=people.workers, rates=rates)


def _number(values: Iterable[UUID]) -> dict[UUID, int]:
    return {value: n for n, value in enumerate(dict.fromkeys(values))}


def _codes_of(said: Sequence[store.PreLabel], number: dict[UUID, int], ontology: Ontology) -> NDArray[np.int16] | None:
    """(n_tasks,) what a model said beforehand as codes, -1 where nothing; None where there is nothing at all."""
    if not said:
        return None
    out = np.full(len(number), -1, np.int16)
    for row in said:
        if row.task in number and (code := code_of(decode_label(row.pre_label), ontology)) is not None:
            out[number[row.task]] = code
    return out


def _compare(
    votes: Sequence[store.GoldVote], workers: dict[UUID, int], ontology: Ontology
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    right, seen = np.zeros(len(workers), np.int64), np.zeros(len(workers), np.int64)
    truths: dict[str, Label] = {}
    for vote in votes:
        n = workers.get(vote.worker)
        if n is None:
            continue
        truth = truths.get(vote.truth)
        if truth is None:
            truth = truths[vote.truth] = decode_label(vote.truth)
        seen[n] += 1
        right[n] += same(decode_label(vote.label), truth, ontology)
    return right, seen
