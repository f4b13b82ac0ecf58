"""A project's model fitted anew on everything judged, and what it says of people, kept as a new version."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import msgspec
import numpy as np

from cupola.kernel import clock, limits
from cupola.kernel.lazy import Lazy
from cupola.labels import Ontology, code_of, decode_label
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.quality import store, watching
from cupola.quality.course import USUAL_PRICES, Prices
from cupola.quality.online import Plan
from cupola.quality.opinions import reliability
from cupola.quality.opinions import service as opinions
from cupola.quality.opinions.reliability import Rater
from cupola.quality.strategies import STRATEGIES, strategy_for
from cupola.quality.strategies.base import Aims, AnyStrategy, Evidence, Model, People

special = Lazy("scipy.special")

REFIT_GROWTH = 1.25
FITTED, UNFITTED = "model.fitted", "model.unfitted"
FIRST_REFIT = 60  # judgements before the first fit


@dataclass(slots=True)
class Live:
    """What the aggregator remembers of a project; everything in it can be read again from the database.

    threshold: the confidence to settle at before anything is known of the crowd. use: what the project's plan says of
    models' opinions; raters: the models that are heard, the best first; stages: what the project's line does at each.
    seen: judgements as far as was heard; counted: they were counted since the last fit, and the next is due.
    """

    plan: Plan
    target_accuracy: float
    share: float
    threshold: float
    gold_rate: float
    ontology: Ontology
    directed: bool
    strategy: AnyStrategy
    model: Model
    seen: int = 0
    tasks_total: int = 0
    prices: Prices = USUAL_PRICES
    next_refit: float = FIRST_REFIT
    counted: bool = False
    use: str = "heard"
    stages: Sequence[str] = ("draw",)
    raters: list[Rater] = field(default_factory=list)

    @property
    def version(self) -> int | None:
        """Of the model, as a settlement keeps it; None before the first fit."""
        return self.model.version or None

    @property
    def behind(self) -> bool:
        """So much was judged since the last fit that the next is due: this model settles what it is sure of, but who
        else is to be asked is for the next one to say."""
        return self.seen >= self.next_refit


def next_after(judgements: int, tasks_total: int) -> float:
    """At how many judgements the next fit is due. A large project fits in larger steps: a look at all its waiting tasks
    is not free."""
    return max(judgements * REFIT_GROWTH, judgements + 40, judgements + 0.02 * tasks_total)


def restored(kept: store.ModelRow | None, ontology: Ontology, threshold: float) -> tuple[AnyStrategy, Model]:
    """A project's strategy and its model, as the last fit left it; before the first, or when that was of other labels,
    the cold start."""
    wanted = strategy_for(ontology)
    if kept is not None:
        strategy = STRATEGIES[kept.strategy]
        if strategy.reads_labels == wanted.reads_labels and (strategy is wanted or not wanted.reads_labels):
            model: Model = strategy.thaw(kept.state)
            if strategy.fits(model, ontology):
                return strategy, model
    cold: Model = wanted.cold(ontology, threshold)
    return wanted, cold


def raters_of(kept: store.ModelRow | None, model: Model, use: str) -> list[Rater]:
    """The models that are heard beside `model`, the best first: none where it is not the one that was kept."""
    if kept is None or model.version != kept.version or use == "unheard":
        return []
    return reliability.trusted(reliability.thaw(kept.raters))


async def fit(run: Runtime, tenant: UUID, project: UUID, known: Live) -> bool:
    """Fit, keep, and change `known`; False when nothing has been judged yet."""
    strategy = strategy_for(known.ontology)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        evidence = await _read(conn, tenant, project, strategy, known.ontology)
        newest = await store.MODEL_VERSION.one(conn, tenant=tenant, project=project)
    if evidence is None:
        return False
    before = known.model if strategy is known.strategy else strategy.cold(known.ontology, known.threshold)
    aims = Aims(known.target_accuracy, known.share, known.threshold, known.plan, known.prices, known.tasks_total)
    state, people = await asyncio.to_thread(_fitted, strategy, before, newest, known.ontology, evidence, aims)
    # what decides from now on is what a restart would read
    model: Model = strategy.thaw(state)
    known.plan = replace(known.plan, threshold=model.threshold, course=strategy.course(model))
    raters = await _raters(run, tenant, project, known, strategy, model)
    known.raters = reliability.trusted(raters) if known.use != "unheard" else []
    known.strategy, known.model, known.seen = strategy, model, sum(evidence.made.values())
    await _keep(run, tenant, project, known, people, state, reliability.freeze(raters) if raters else None)
    return True


async def _raters(
    run: Runtime, tenant: UUID, project: UUID, known: Live, strategy: AnyStrategy, model: Model
) -> list[Rater]:
    """How far each version of a model is to be heard beside this fit of the people."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        said, truths = await opinions.comparable(conn, tenant, project, read_labels=strategy.reads_labels)
        if not said:
            return []
        read = store.VOTES if strategy.reads_labels else store.CODED_VOTES
        votes = await read.all(conn, tenant=tenant, tasks=list({one.task for one in said}))
    return await asyncio.to_thread(opinions.fitted, said, truths, votes, strategy, model, known.ontology, known.plan)


def _fitted(
    strategy: AnyStrategy, before: Model, newest: int, ontology: Ontology, evidence: Evidence, aims: Aims
) -> tuple[bytes, People]:
    model, people = strategy.fit(before, ontology, evidence, aims)
    return strategy.freeze(replace(model, version=newest + 1)), people


async def _read(conn: Conn, tenant: UUID, project: UUID, strategy: AnyStrategy, ontology: Ontology) -> Evidence | None:
    """What the strategy's fit is made from; None when nothing has been judged."""
    counts = await store.WORKER_COUNTS.all(conn, tenant=tenant, project=project)
    if not counts:
        return None
    evidence = Evidence({row.worker: row.judgements for row in counts})
    if "codes" in strategy.reads:
        codes = await store.CODES.all(conn, tenant=tenant, project=project)
        if not codes:
            return None
        golds = await store.GOLD_CODES.all(conn, tenant=tenant, project=project)
        experts = await store.ADJUDICATED_CODES.all(conn, tenant=tenant, project=project)
        said = await store.PRE_LABELS.all(conn, tenant=tenant, project=project)
        evidence = replace(
            evidence,
            codes=codes,
            golds={row.task: row.code for row in golds},
            experts={row.task: row.code for row in experts},
            said=await asyncio.to_thread(_codes_of, said, ontology),
        )
    most = limits.MAX_FIT_BYTES
    if "truths" in strategy.reads:
        evidence = replace(
            evidence,
            truths=await store.GOLD_VOTES.all(conn, tenant=tenant, project=project, max_bytes=most),
            settled=await store.SETTLED_VOTES.all(conn, tenant=tenant, project=project, max_bytes=most),
        )
    if "labels" in strategy.reads:
        newest = await store.NEWEST_LABELS.all(conn, tenant=tenant, project=project, max_bytes=most)
        evidence = replace(evidence, labels=newest[::-1])
    return evidence


async def _keep(
    run: Runtime, tenant: UUID, project: UUID, known: Live, people: People, state: bytes, raters: bytes | None
) -> None:
    low = special.betaincinv(people.a, people.b, 0.025)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await store.MODEL_KEEP.run(
            conn,
            tenant=tenant,
            project=project,
            version=known.model.version,
            strategy=known.strategy.name,
            method=known.model.method,
            rho=known.model.rho,
            judgements=known.model.judgements,
            state=state,
            raters=raters,
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
            highs=np.round(special.betaincinv(people.a, people.b, 0.975), 6).tolist(),
            flags=[msgspec.json.encode(one).decode() for one in people.flags],
            now=clock.now(),
        )
        # whoever decides, in whatever process, reads the model anew
        await events.emit(conn, tenant, FITTED, None, project)
        if known.gold_rate > 0:
            rates = watching.gold_rates(known.gold_rate, known.target_accuracy, people.seen, low, people.flags)
            await store.GOLD_RATES.run(conn, tenant=tenant, project=project, workers=people.workers, rates=rates)


def _codes_of(said: Sequence[store.PreLabel], ontology: Ontology) -> dict[UUID, int]:
    """What a model said of tasks beforehand, as codes."""
    codes = {row.task: code_of(decode_label(row.pre_label), ontology) for row in said}
    return {task: code for task, code in codes.items() if code is not None}
