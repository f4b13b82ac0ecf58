"""From judgements to decisions: the aggregator, which reacts to what was submitted.

Every decision is computed from what is stored, under locks on the tasks it is about, so that handling the same event
twice changes nothing. It stores the version of the model it was made with.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.kernel import clock, ids, limits
from cupola.kernel.errors import Problem
from cupola.labels import Ontology, decode_label, encode, is_one, label_of, unit_kind, units
from cupola.platform import events, jobs
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.quality import refits, reviewing, store
from cupola.quality.course import Prices
from cupola.quality.model import crowd_share, settle_threshold
from cupola.quality.online import Plan
from cupola.quality.opinions import service as opinions
from cupola.quality.refits import Live
from cupola.quality.strategies.base import Ruling
from cupola.tasks import service as tasks_service

log = logging.getLogger("cupola.quality")

SCAN = 20_000  # tasks looked at again after a refit, at a time
REFIT, ASK = "refit", "ask"  # kinds of jobs
KINDS = (
    "judgement.submitted",
    "assignment.returned",
    "assignment.expired",
    "invite.lapsed",
    "tasks.created",
    "project.launched",
    refits.FITTED,
    refits.UNFITTED,
    opinions.GIVEN,
)
Value = Callable[[Sequence[UUID]], NDArray[np.float64]]


class Ask(Protocol):
    """Whoever chooses the next worker of tasks in a directed project.

    wanted: for each task, what a judgement of each of some workers is worth. Returns the tasks nobody is left for.
    """

    async def __call__(self, conn: Conn, tenant: UUID, project: UUID, wanted: dict[UUID, Value]) -> list[UUID]: ...


@dataclass(frozen=True, slots=True)
class Settling:
    """A task that settles, with its label as JSON."""

    ruling: Ruling
    label: str


@dataclass(slots=True)
class Decisions:
    settled: list[Settling] = field(default_factory=list)
    more: list[tuple[UUID, float]] = field(default_factory=list)
    escalated: list[tuple[UUID, float]] = field(default_factory=list)
    wanted: dict[UUID, Value] = field(default_factory=dict)


class Aggregator:
    """Reacts to what the dispatcher hands it, project by project, and does the slow work that it asked for."""

    def __init__(self, run: Runtime, ask: Ask) -> None:
        self._run = run
        self._ask = ask
        self._live: dict[tuple[UUID, UUID], Live] = {}

    async def handle(self, conn: Conn, tenant: UUID, heard: Sequence[Event]) -> None:
        """Decide the tasks that were judged, in the caller's transaction; models are fitted apart (`refit`)."""
        touched: dict[UUID, set[UUID]] = {}
        fresh: set[UUID] = set()
        told: set[UUID] = set()
        for event in heard:
            if event.project is None:
                continue
            if event.kind in ("judgement.submitted", "assignment.returned", "assignment.expired", "invite.lapsed"):
                touched.setdefault(event.project, set()).update(UUID(task) for task in event.data.get("tasks", ()))
            elif event.kind in ("tasks.created", "project.launched"):
                fresh.add(event.project)
            elif event.kind == refits.FITTED:
                self._live.pop((tenant, event.project), None)
            elif event.kind == refits.UNFITTED:
                if (known := self._live.get((tenant, event.project))) is not None:
                    known.next_refit, known.counted = refits.next_after(known.seen, known.tasks_total), False
            elif event.kind == opinions.GIVEN:
                told.add(event.project)
        for project in sorted(fresh | set(touched)):
            await self._react(conn, tenant, project, sorted(touched.get(project, ())), project in fresh)
        for project in sorted(told):  # how far a model is heard is for a fit to find, and so is what waits for it
            await jobs.add(conn, tenant, REFIT, project)

    def forget(self, tenant: UUID) -> None:
        """Read a tenant's projects anew: what is remembered of them may be untrue."""
        for key in [key for key in self._live if key[0] == tenant]:
            del self._live[key]

    async def _react(self, conn: Conn, tenant: UUID, project: UUID, tasks: list[UUID], fresh: bool) -> None:
        known = self._live.get((tenant, project))
        if known is None:
            if len(self._live) >= 1_000:
                self._live.clear()
            known = self._live[tenant, project] = await self._of(conn, tenant, project)
        known.seen += len(tasks)
        news = known.behind and not known.counted
        if news:  # by what was heard, which is more than what was judged: pages also come back
            known.seen = await store.COUNT.one(conn, tenant=tenant, project=project)
            known.counted = news = known.behind
        left = 0
        for part in _parts(tasks, 5_000):
            left += await self._decide(conn, tenant, project, known, part)
        if known.directed and (fresh or tasks):
            await jobs.add(conn, tenant, ASK, project)
        alone = fresh and known.strategy.experts_alone(known.model)
        if news or left or alone:  # whatever is left to the next fit is looked at by a run that begins after this
            await jobs.add(conn, tenant, REFIT, project)

    @staticmethod
    async def _of(conn: Conn, tenant: UUID, project: UUID) -> Live:
        row, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
        model = await store.MODEL.maybe(conn, tenant=tenant, project=project)
        seen = await store.COUNT.one(conn, tenant=tenant, project=project)
        share = crowd_share(row.target_accuracy, row.confidence, row.audit_items, row.tasks_total)
        threshold = settle_threshold(row.target_accuracy, share)
        strategy, found = await asyncio.to_thread(refits.restored, model, ontology, threshold)
        known = Live(
            Plan(found.threshold, row.min_judgements, row.max_judgements, strategy.course(found)),
            row.target_accuracy,
            share,
            threshold,
            row.gold_rate,
            ontology,
            row.routing == "directed",
            strategy,
            found,
            seen=seen,
            tasks_total=row.tasks_total,
            use=row.opinions,
            stages=row.stages,
            raters=refits.raters_of(model, found, row.opinions),
            prices=Prices(expert=row.expert_cost),
        )
        if found.judgements:
            known.next_refit = refits.next_after(found.judgements, row.tasks_total)
        return known

    # ------------------------------------------------------------ decisions
    async def _decide(self, conn: Conn, tenant: UUID, project: UUID, known: Live, tasks: list[UUID]) -> int:
        """Decide what can be decided of these; returns how many tasks are left to the next fit."""
        open_tasks = await store.DECIDABLE.all(conn, tenant=tenant, tasks=tasks)
        # who already asked for one more judgement waits for it
        idle = [task for task in open_tasks if task.open_slots == 0]
        return await self._settle_or_ask(conn, tenant, project, known, idle, behind=known.behind)

    async def _settle_or_ask(
        self, conn: Conn, tenant: UUID, project: UUID, known: Live, tasks: list[store.OpenTask], *, behind: bool = False
    ) -> int:
        """Settle, ask or escalate; returns how many tasks are left as they are.

        behind: what this model does not settle is left to the next, which looks at all that waits; a task must not be
        given out once more, nor to an expert, only because the crowd is quicker than the fits.
        """
        left = 0
        for part in await _by_weight(conn, tenant, known, tasks):
            if len(known.stages) > 1:
                await self._hand_on(conn, tenant, project, known, part)
            else:
                left += await self._settle_or_ask_part(conn, tenant, project, known, part, behind=behind)
        return left

    async def _settle_or_ask_part(
        self, conn: Conn, tenant: UUID, project: UUID, known: Live, tasks: list[store.OpenTask], *, behind: bool
    ) -> int:
        left = 0
        votes = await self._votes(conn, tenant, known, [task.id for task in tasks])
        # what was said of a task that is done again no longer counts, and nobody may have said anything since
        heard = {vote.task for vote in votes}
        made = Decisions()
        decided = [task.id for task in tasks if task.id in heard]
        for ruling in await self._rulings(conn, tenant, known, decided, votes):
            if ruling.verdict == "settle" and ruling.label is not None:
                made.settled.append(Settling(ruling, encode(ruling.label).decode()))
            elif behind:
                left += 1
            elif ruling.verdict == "escalate":
                made.escalated.append((ruling.task, ruling.confidence))
            else:
                made.more.append((ruling.task, ruling.confidence))
                made.wanted[ruling.task] = _value(known, ruling)
        made.more += [(task.id, 0.0) for task in tasks if task.id not in heard and task.open_slots == 0]
        if known.directed and made.wanted:
            nobody_left = set(await self._ask(conn, tenant, project, made.wanted))
            made.escalated += [one for one in made.more if one[0] in nobody_left]
            made.more = [one for one in made.more if one[0] not in nobody_left]
        await self._write(conn, tenant, project, known, made)
        return left

    async def _hand_on(self, conn: Conn, tenant: UUID, project: UUID, known: Live, tasks: list[store.OpenTask]) -> None:
        """Of a project with reviews: what was drawn goes to its reviewer, what was reviewed settles."""
        votes = await store.STAGE_VOTES.all(conn, tenant=tenant, tasks=[task.id for task in tasks])
        found = await asyncio.to_thread(
            reviewing.onward, tasks, votes, known.stages, known.strategy, known.model, known.ontology, known.plan
        )
        if found.on:
            going = [task for task, _, _ in found.on]
            about = [judgement for _, judgement, _ in found.on]
            onto = [stage for _, _, stage in found.on]
            await store.NEXT_STAGE.run(conn, tenant=tenant, tasks=going, about=about, stages=onto)
            await store.STAGE_EVENTS.run(conn, tenant=tenant, project=project, tasks=going, now=clock.now())
        made = Decisions(more=[(task, 0.0) for task in found.more], escalated=[(task, 0.0) for task in found.rejected])
        made.settled = [
            Settling(Ruling(one.task, "settle", one.confidence, None, one.code, one.votes, one.parts), one.label)
            for one in found.settled
        ]
        await self._write(conn, tenant, project, known, made, how="reviewed")

    @staticmethod
    async def _votes(conn: Conn, tenant: UUID, known: Live, tasks: list[UUID]) -> list[store.VoteRow]:
        read = store.VOTES if known.strategy.reads_labels else store.CODED_VOTES
        return await read.all(conn, tenant=tenant, tasks=tasks)

    @staticmethod
    async def _rulings(
        conn: Conn, tenant: UUID, known: Live, tasks: list[UUID], votes: list[store.VoteRow]
    ) -> list[Ruling]:
        """What is to be done with these tasks, computed beside the loop that answers requests."""
        strategy, ontology, plan = known.strategy, known.ontology, known.plan
        said = await opinions.said_of(conn, tenant, tasks, known.raters, read_labels=strategy.reads_labels)

        def ruled() -> list[Ruling]:
            found = strategy.decide(known.model, ontology, tasks, votes, plan)
            return opinions.with_opinions(found, said, known.raters, ontology, plan, known.use) if said else found

        return await asyncio.to_thread(ruled)

    async def _write(
        self, conn: Conn, tenant: UUID, project: UUID, known: Live, made: Decisions, how: str = "crowd"
    ) -> None:
        now = clock.now()
        if made.settled:
            named = [ids.uuid7() for _ in made.settled]
            await store.SETTLE.run(
                conn,
                tenant=tenant,
                ids=named,
                tasks=[one.ruling.task for one in made.settled],
                labels=[one.label for one in made.settled],
                codes=[one.ruling.code for one in made.settled],
                confidences=[one.ruling.confidence for one in made.settled],
                votes=[_array(one.ruling.votes) for one in made.settled],
                opinions=[_array(one.ruling.opinions) if one.ruling.opinions else None for one in made.settled],
                how=how,
                method=known.model.method,
                model_version=known.version,
                person=None,
                now=now,
            )
            if not is_one(known.ontology):
                rows = await asyncio.to_thread(_parts_of, named, made.settled, known.ontology)
                if rows.settlements:
                    kind = unit_kind(known.ontology)
                    await store.PARTS.run(
                        conn,
                        tenant=tenant,
                        kind=kind,
                        settlements=rows.settlements,
                        units=rows.units,
                        labels=rows.labels,
                        confidences=rows.confidences,
                        votes=rows.votes,
                    )
            await self._tell(
                conn,
                tenant,
                project,
                "task.settled",
                [(o.ruling.task, o.ruling.confidence) for o in made.settled],
                how,
            )
        if made.more:
            await store.MORE.run(
                conn, tenant=tenant, tasks=[o[0] for o in made.more], confidences=[o[1] for o in made.more]
            )
        if made.escalated:
            await store.ESCALATE.run(
                conn, tenant=tenant, tasks=[o[0] for o in made.escalated], confidences=[o[1] for o in made.escalated]
            )
            why = "rejected" if how == "reviewed" else "doubtful"
            await self._tell(conn, tenant, project, "task.escalated", made.escalated, why)

    @staticmethod
    async def _tell(
        conn: Conn, tenant: UUID, project: UUID, kind: str, tasks: list[tuple[UUID, float]], how: str
    ) -> None:
        await store.EVENTS.run(
            conn,
            tenant=tenant,
            kind=kind,
            project=project,
            tasks=[task for task, _ in tasks],
            confidences=[sure for _, sure in tasks],
            how=how,
            now=clock.now(),
        )

    # ------------------------------------------------------------ slow work
    async def ask_anew(self, _run: Runtime, tenant: UUID, project: UUID) -> None:
        """Directed projects: find somebody for the tasks that want a judgement and that nobody is asked for."""
        async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
            known = await self._of(conn, tenant, project)
        after = UUID(int=0)
        while True:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                tasks = await store.UNASKED.all(conn, tenant=tenant, project=project, after=after, limit=SCAN)
                if not tasks:
                    return
                wanted: dict[UUID, Value] = {}
                for part in await _by_weight(conn, tenant, known, tasks):
                    votes = await self._votes(conn, tenant, known, [task.id for task in part if task.judged])
                    rulings = await self._rulings(conn, tenant, known, [task.id for task in part], votes)
                    wanted.update({ruling.task: _value(known, ruling) for ruling in rulings})
                nobody_left = await self._ask(conn, tenant, project, wanted)
                if nobody_left:
                    await store.ESCALATE.run(
                        conn, tenant=tenant, tasks=nobody_left, confidences=[0.0] * len(nobody_left)
                    )
                    told = [(task, 0.0) for task in nobody_left]
                    await self._tell(conn, tenant, project, "task.escalated", told, "nobody-left")
            after = tasks[-1].id

    async def catch_up(self, _run: Runtime, tenant: UUID, project: UUID) -> None:
        """Fit anew if that is due, or if models have said something; look again at the tasks that wait."""
        async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
            known = await self._of(conn, tenant, project)
            due = known.behind or await opinions.any_given(conn, tenant, project)
        if due:
            await self.refit(_run, tenant, project)
        else:  # somebody decided by the model of before while the last fit was under way
            await self._look_again(tenant, project, known, idle_only=True)

    async def refit(self, _run: Runtime, tenant: UUID, project: UUID) -> None:
        """Fit the model on everything judged, store it as a new version, and look again at the tasks that wait."""
        async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
            known = await self._of(conn, tenant, project)
        if await refits.fit(self._run, tenant, project, known):
            await self._look_again(tenant, project, known)
            if known.strategy.experts_alone(known.model):
                await self._leave_to_experts(tenant, project)
        else:
            await self.without_fit(_run, tenant, project, "nothing to fit")

    async def without_fit(self, _run: Runtime, tenant: UUID, project: UUID, _reason: str) -> None:
        """No fit can be made: the model that there is decides, and the next fit is tried when more has been judged."""
        async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
            await events.emit(conn, tenant, refits.UNFITTED, None, project)
        try:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                known = await self._of(conn, tenant, project)
            await self._look_again(tenant, project, known)
        except Problem:
            raise  # something of ours is away: once more, later
        except Exception:
            # what cannot be decided either is set aside when something of it is heard again
            log.exception("project %s: neither a fit nor a decision can be made", project)

    async def _look_again(self, tenant: UUID, project: UUID, known: Live, *, idle_only: bool = False) -> None:
        """Decide what waits by this model. idle_only: of it, what nobody is asked for."""
        after = UUID(int=0)
        while True:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                waiting = await store.WAITING.all(conn, tenant=tenant, project=project, after=after, limit=SCAN)
                if not waiting:
                    return
                some = [task.id for task in waiting if task.open_slots == 0 or not idle_only]
                # locked now; who was claimed in between is left alone
                locked = await store.DECIDABLE.all(conn, tenant=tenant, tasks=some)
                idle = [task for task in locked if not (known.directed or idle_only) or task.open_slots == 0]
                await self._settle_or_ask(conn, tenant, project, known, idle)
            after = waiting[-1].id

    async def _leave_to_experts(self, tenant: UUID, project: UUID) -> None:
        """Tasks that nobody has judged, where the crowd is not worth asking."""
        while True:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                tasks = [
                    task.id for task in await store.UNTOUCHED.all(conn, tenant=tenant, project=project, limit=SCAN)
                ]
                if not tasks:
                    return
                await store.ESCALATE.run(conn, tenant=tenant, tasks=tasks, confidences=[0.0] * len(tasks))
                told = [(task, 0.0) for task in tasks]
                await self._tell(conn, tenant, project, "task.escalated", told, "experts-cheaper")


async def escalate(conn: Conn, tenant: UUID, project: UUID, tasks: Sequence[UUID], why: str) -> None:
    """Leave tasks that nobody has begun to experts; the caller has locked them."""
    await store.ESCALATE.run(conn, tenant=tenant, tasks=list(tasks), confidences=[0.0] * len(tasks))
    await Aggregator._tell(conn, tenant, project, "task.escalated", [(task, 0.0) for task in tasks], why)


async def settle_by_model(
    conn: Conn, tenant: UUID, project: UUID, method: str, rows: Sequence[tuple[UUID, int, float, UUID]]
) -> None:
    """Settle tasks that nobody has begun by what a model says of them; the caller has locked them.

    method: the model's name and version; rows: (task, code of the class, confidence, the opinion that says so).
    """
    if not rows:
        return
    _, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
    await store.SETTLE.run(
        conn,
        tenant=tenant,
        ids=[ids.uuid7() for _ in rows],
        tasks=[task for task, _, _, _ in rows],
        labels=[encode(label_of(code, ontology)).decode() for _, code, _, _ in rows],
        codes=[code for _, code, _, _ in rows],
        confidences=[sure for _, _, sure, _ in rows],
        votes=["{}"] * len(rows),
        opinions=[_array([opinion]) for _, _, _, opinion in rows],
        how="model",
        method=method,
        model_version=None,
        person=None,
        now=clock.now(),
    )
    settled = [(task, sure) for task, _, sure, _ in rows]
    await Aggregator._tell(conn, tenant, project, "task.settled", settled, "model")


@dataclass(slots=True)
class PartRows:
    """Columns of the parts of some settlements."""

    settlements: list[UUID] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)
    votes: list[str] = field(default_factory=list)


def _parts_of(named: Sequence[UUID], settled: Sequence[Settling], ontology: Ontology) -> PartRows:
    """The parts of labels that have several; where a strategy knows no more of a unit, it is as sure as the whole."""
    out = PartRows()
    for settlement, one in zip(named, settled, strict=True):
        mine = units(decode_label(one.label), ontology)
        if len(mine) < 2:
            continue
        known = {part.unit: part for part in one.ruling.parts}
        for unit in mine:
            part = known.get(unit.name)
            behind = [one.ruling.votes[n] for n in part.behind] if part is not None and part.behind else None
            out.settlements.append(settlement)
            out.units.append(unit.name)
            out.labels.append(encode(unit.label).decode())
            out.confidences.append(one.ruling.confidence if part is None else part.confidence)
            out.votes.append(_array(one.ruling.votes if behind is None else behind))
    return out


def _array(values: Iterable[UUID]) -> str:
    return "{" + ",".join(map(str, values)) + "}"


def _value(known: Live, ruling: Ruling) -> Value:
    strategy, model = known.strategy, known.model
    return lambda workers: strategy.value(model, ruling, workers)


async def _by_weight(conn: Conn, tenant: UUID, known: Live, tasks: list[store.OpenTask]) -> list[list[store.OpenTask]]:
    """The tasks in parts whose labels may be in memory together: of large drawings a few, of codes all."""
    if not tasks or not (known.strategy.reads_labels or len(known.stages) > 1):
        return [tasks] if tasks else []
    rows = await store.JUDGED_BYTES.all(conn, tenant=tenant, tasks=[task.id for task in tasks])
    weights = {row.task: row.bytes for row in rows}
    parts: list[list[store.OpenTask]] = []
    room = 0
    for task in tasks:
        weight = weights.get(task.id, 0)
        if not parts or weight > room:
            parts.append([])
            room = limits.MAX_DECIDED_BYTES
        parts[-1].append(task)
        room -= weight
    return parts


def _parts(values: list[UUID], size: int) -> Iterable[list[UUID]]:
    return (values[i : i + size] for i in range(0, len(values), size))
