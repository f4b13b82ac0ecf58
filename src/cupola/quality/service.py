"""From judgements to decisions: the aggregator, which reacts to what was submitted.

Every decision is computed from what is stored, under locks on the tasks it is about, so that handling the same event
twice changes nothing. It stores the version of the model it was made with.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem
from cupola.labels import Label, Ontology, code_of, decode_label, encode, label_of, same
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.quality import agreeing, live, store, watching
from cupola.quality.model import WorkerFlag, crowd_share, settle_threshold
from cupola.quality.online import Decision, Plan, decide
from cupola.tasks import service as tasks_service

log = logging.getLogger("cupola.quality")

SCAN = 20_000  # tasks looked at again after a refit, at a time
FIRST_REFIT = 60  # judgements before the first fit
REFIT_GROWTH = 1.25
Value = Callable[[Sequence[UUID]], NDArray[np.float64]]


class Ask(Protocol):
    """Whoever chooses the next worker of tasks in a directed project.

    wanted: for each task, what a judgement of each of some workers is worth. Returns the tasks nobody is left for.
    """

    async def __call__(self, conn: Conn, tenant: UUID, project: UUID, wanted: dict[UUID, Value]) -> list[UUID]: ...


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


@dataclass(slots=True)
class Decisions:
    settled: list[tuple[UUID, str, int | None, float, list[UUID]]] = field(default_factory=list)
    more: list[tuple[UUID, float]] = field(default_factory=list)
    escalated: list[tuple[UUID, float]] = field(default_factory=list)
    wanted: dict[UUID, Value] = field(default_factory=dict)


class Aggregator:
    """Handles what the dispatcher reads; one at a time per instance of Cupola (the dispatcher sees to it)."""

    def __init__(self, run: Runtime, ask: Ask) -> None:
        self._run = run
        self._ask = ask
        self._live: dict[tuple[UUID, UUID], Live] = {}
        self._failed: set[tuple[UUID, UUID]] = set()

    async def handle(self, events: Sequence[Event]) -> None:
        """React to a batch of events, tenant by tenant and project by project."""
        touched: dict[tuple[UUID, UUID], set[UUID]] = {}
        fresh: set[tuple[UUID, UUID]] = set()
        for event in events:
            if event.project is None:
                continue
            key = (event.tenant, event.project)
            if event.kind in ("judgement.submitted", "assignment.returned", "assignment.expired"):
                touched.setdefault(key, set()).update(UUID(task) for task in event.data.get("tasks", ()))
            elif event.kind in ("tasks.created", "project.launched"):
                fresh.add(key)
        for key in fresh | set(touched) | set(self._failed):
            try:
                await self._react(key, sorted(touched.get(key, ())), key in fresh)
            except Problem:
                raise  # the database is away: the dispatcher hands us the batch again
            except Exception:
                # one project's trouble stops nobody else; what it missed is looked at with the next batch
                log.exception("project %s is left undecided for now", key[1])
                self._failed.add(key)

    async def _react(self, key: tuple[UUID, UUID], tasks: list[UUID], fresh: bool) -> None:
        tenant, project = key
        known = await self._of(tenant, project)
        if key in self._failed:
            await self.refit(tenant, project)  # looks at everything that waits
            self._failed.discard(key)
        for part in _parts(tasks, 5_000):
            await self._decide(tenant, project, known, part)
        if known.directed and (fresh or tasks):
            await self._ask_anew(tenant, project, known)
        if known.seen >= known.next_refit:
            await self.refit(tenant, project)

    async def _of(self, tenant: UUID, project: UUID) -> Live:
        known = self._live.get((tenant, project))
        if known is None:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                row, ontology = await tasks_service.project_and_ontology(conn, tenant, project)
                model = await store.MODEL.maybe(conn, tenant=tenant, project=project)
                seen = await store.COUNT.one(conn, tenant=tenant, project=project)
            coded = ontology.kind == "choice" and not ontology.multiple
            classes = max(len(ontology.classes), 1)
            share = crowd_share(row.target_accuracy, row.confidence, row.audit_items, row.tasks_total)
            threshold = settle_threshold(row.target_accuracy, share)
            parameters = live.thaw(model.state) if model and coded else live.cold(classes, threshold)
            plan = Plan(parameters.threshold if coded else threshold, row.min_judgements, row.max_judgements)
            known = Live(
                plan,
                row.target_accuracy,
                share,
                row.gold_rate,
                ontology,
                row.routing == "directed",
                coded,
                parameters,
                seen=seen,
                tasks_total=row.tasks_total,
            )
            if parameters.judgements:
                known.next_refit = parameters.judgements * REFIT_GROWTH
            if len(self._live) >= 1_000:
                self._live.clear()
            self._live[tenant, project] = known
        return known

    # ------------------------------------------------------------ decisions
    async def _decide(self, tenant: UUID, project: UUID, known: Live, tasks: list[UUID]) -> None:
        async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
            known.seen += len(tasks)
            open_tasks = await store.DECIDABLE.all(conn, tenant=tenant, tasks=tasks)
            # who already asked for one more judgement waits for it
            await self._settle_or_ask(conn, tenant, project, known, [t for t in open_tasks if t.open_slots == 0])

    async def _settle_or_ask(
        self, conn: Conn, tenant: UUID, project: UUID, known: Live, tasks: list[store.OpenTask]
    ) -> None:
        if not tasks:
            return
        votes = await store.VOTES.all(conn, tenant=tenant, tasks=[task.id for task in tasks])
        made = self._coded(known, tasks, votes) if known.coded else self._agreed(known, tasks, votes)
        if known.directed and made.wanted:
            nobody_left = set(await self._ask(conn, tenant, project, made.wanted))
            made.escalated += [one for one in made.more if one[0] in nobody_left]
            made.more = [one for one in made.more if one[0] not in nobody_left]
        await self._write(conn, tenant, project, known, made)

    def _coded(self, known: Live, tasks: list[store.OpenTask], votes: list[store.VoteRow]) -> Decisions:
        number = {task.id: n for n, task in enumerate(tasks)}
        coded = [vote for vote in votes if vote.code is not None]
        task = np.array([number[vote.task] for vote in coded], dtype=np.int64)
        code = np.array([vote.code for vote in coded], dtype=np.int64)
        posterior, count = live.posteriors(known.parameters, task, len(tasks), [vote.worker for vote in coded], code)
        hopeful = live.reachable(
            known.parameters, task, len(tasks), [vote.worker for vote in coded], code, known.plan.max_votes
        )
        by_task: dict[UUID, list[UUID]] = {}
        for vote in votes:
            by_task.setdefault(vote.task, []).append(vote.id)
        made = Decisions()
        for n, one in enumerate(tasks):
            row = posterior[n]
            best = int(row.argmax())
            verdict = decide(row, int(count[n]), known.plan)
            # the cold start knows nobody, so it gives nobody up
            if verdict == "more" and known.parameters.version and not hopeful[n]:
                verdict = "escalate"
            label = encode(label_of(best, known.ontology)).decode() if verdict == "settle" else ""
            self._sort(made, verdict, one.id, label, best, float(row[best]), by_task.get(one.id, []))
            if verdict == "more" and known.directed:
                made.wanted[one.id] = _value(known.parameters, row)
        return made

    def _agreed(self, known: Live, tasks: list[store.OpenTask], votes: list[store.VoteRow]) -> Decisions:
        by_task: dict[UUID, list[store.VoteRow]] = {}
        for vote in votes:
            by_task.setdefault(vote.task, []).append(vote)
        made = Decisions()
        for one in tasks:
            mine = by_task.get(one.id, [])
            labels = [decode_label(vote.label) for vote in mine]
            skills = [known.accuracies.get(vote.worker, agreeing.PRIOR_ACCURACY) for vote in mine]
            found = agreeing.agree(labels, skills, known.ontology, rho=known.parameters.rho)
            pair = np.array([found.confidence, 1.0 - found.confidence])
            verdict = decide(pair, len(mine), known.plan) if found.confidence > 0.5 else _unsure(len(mine), known.plan)
            label = encode(found.label).decode()
            code = code_of(found.label, known.ontology)
            self._sort(made, verdict, one.id, label, code, found.confidence, [vote.id for vote in mine])
            if verdict == "more" and known.directed:
                made.wanted[one.id] = lambda workers: np.array(
                    [known.accuracies.get(worker, agreeing.PRIOR_ACCURACY) for worker in workers]
                )
        return made

    @staticmethod
    def _sort(
        made: Decisions, verdict: Decision, task: UUID, label: str, code: int | None, sure: float, votes: list[UUID]
    ) -> None:
        if verdict == "settle":
            made.settled.append((task, label, code, sure, votes))
        elif verdict == "more":
            made.more.append((task, sure))
        else:
            made.escalated.append((task, sure))

    async def _write(self, conn: Conn, tenant: UUID, project: UUID, known: Live, made: Decisions) -> None:
        now = clock.now()
        version = known.parameters.version
        if made.settled:
            await store.SETTLE.run(
                conn,
                tenant=tenant,
                ids=[ids.uuid7() for _ in made.settled],
                tasks=[one[0] for one in made.settled],
                labels=[one[1] for one in made.settled],
                codes=[one[2] for one in made.settled],
                confidences=[one[3] for one in made.settled],
                votes=["{" + ",".join(map(str, one[4])) + "}" for one in made.settled],
                how="crowd",
                method=known.parameters.method if known.coded else "open-coin",
                model_version=version if known.coded and version else None,
                person=None,
                now=now,
            )
            await self._tell(conn, tenant, project, "task.settled", [(o[0], o[3]) for o in made.settled], "crowd")
        if made.more:
            await store.MORE.run(
                conn, tenant=tenant, tasks=[o[0] for o in made.more], confidences=[o[1] for o in made.more]
            )
        if made.escalated:
            await store.ESCALATE.run(
                conn, tenant=tenant, tasks=[o[0] for o in made.escalated], confidences=[o[1] for o in made.escalated]
            )
            await self._tell(conn, tenant, project, "task.escalated", made.escalated, "doubtful")

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

    async def _ask_anew(self, tenant: UUID, project: UUID, known: Live) -> None:
        """Directed projects: tasks that want a judgement and that nobody is asked for."""
        after = UUID(int=0)
        while True:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                tasks = await store.UNASKED.all(conn, tenant=tenant, project=project, after=after, limit=SCAN)
                if not tasks:
                    return
                votes = await store.VOTES.all(conn, tenant=tenant, tasks=[task.id for task in tasks if task.judged])
                wanted: dict[UUID, Value] = {}
                if known.coded:
                    number = {task.id: n for n, task in enumerate(tasks)}
                    rows = [vote for vote in votes if vote.code is not None]
                    posterior, _ = live.posteriors(
                        known.parameters,
                        np.array([number[vote.task] for vote in rows], dtype=np.int64),
                        len(tasks),
                        [vote.worker for vote in rows],
                        np.array([vote.code for vote in rows], dtype=np.int64),
                    )
                    wanted = {task.id: _value(known.parameters, posterior[n]) for n, task in enumerate(tasks)}
                else:
                    wanted = {task.id: (lambda workers: np.ones(len(workers))) for task in tasks}
                nobody_left = await self._ask(conn, tenant, project, wanted)
                if nobody_left:
                    await store.ESCALATE.run(
                        conn, tenant=tenant, tasks=nobody_left, confidences=[0.0] * len(nobody_left)
                    )
                    told = [(task, 0.0) for task in nobody_left]
                    await self._tell(conn, tenant, project, "task.escalated", told, "nobody-left")
            after = tasks[-1].id

    # ------------------------------------------------------------ refit
    async def refit(self, tenant: UUID, project: UUID) -> None:
        """Fit the model on everything judged, store it as a new version, and look again at the tasks that wait."""
        known = await self._of(tenant, project)
        if known.coded:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                codes = await store.CODES.all(conn, tenant=tenant, project=project)
                golds = await store.GOLD_CODES.all(conn, tenant=tenant, project=project)
                expert = await store.ADJUDICATED_CODES.all(conn, tenant=tenant, project=project)
                model_said = await store.PRE_LABELS.all(conn, tenant=tenant, project=project)
            if not codes:
                return
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
            known.parameters = await asyncio.to_thread(
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
            known.plan = replace(known.plan, threshold=known.parameters.threshold)
            known.seen = len(codes)
            told = {row.task for row in golds}
            is_gold = np.array([row.task in told for row in codes])
            right = np.bincount(worker[is_gold & (gold[task] == code)], minlength=len(workers))
            seen = np.bincount(worker[is_gold], minlength=len(workers))
            said = _codes_of(model_said, number, known.ontology)
            flags = await asyncio.to_thread(
                watching.signals, known.parameters, task, worker, code, truth, list(workers), said
            )
            await self._keep(tenant, project, known, list(workers), np.bincount(worker), seen, right, flags)
        else:
            await self._refit_agreeing(tenant, project, known)
        # a large project refits in larger steps: a look at all its waiting tasks is not free
        known.next_refit = max(known.seen * REFIT_GROWTH, known.seen + 40, known.seen + 0.02 * known.tasks_total)
        after = UUID(int=0)
        while True:
            async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
                waiting = await store.WAITING.all(conn, tenant=tenant, project=project, after=after, limit=SCAN)
                if not waiting:
                    return
                # locked now; who was claimed in between is left alone
                locked = await store.DECIDABLE.all(conn, tenant=tenant, tasks=[task.id for task in waiting])
                idle = [task for task in locked if not known.directed or task.open_slots == 0]
                await self._settle_or_ask(conn, tenant, project, known, idle)
            after = waiting[-1].id

    async def _keep(
        self,
        tenant: UUID,
        project: UUID,
        known: Live,
        workers: list[UUID],
        judged: NDArray[np.int64],
        seen: NDArray[np.int64],
        right: NDArray[np.int64],
        flags: list[list[WorkerFlag]],
    ) -> None:
        parameters = known.parameters
        diagonal = np.einsum("wkk,k->w", parameters.confusion, parameters.prior)
        strength = 10.0  # EM's opinion counts like ten golds: it is optimistic, gold is not
        a, b = right + strength * diagonal, (seen - right) + strength * (1.0 - diagonal)
        async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
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
            await self._keep_skills(conn, tenant, project, known, workers, judged, seen, right, a, b, flags)

    @staticmethod
    async def _keep_skills(
        conn: Conn,
        tenant: UUID,
        project: UUID,
        known: Live,
        workers: list[UUID],
        judged: NDArray[np.int64],
        seen: NDArray[np.int64],
        right: NDArray[np.int64],
        a: NDArray[np.float64],
        b: NDArray[np.float64],
        flags: list[list[WorkerFlag]],
    ) -> None:
        low = betaincinv(a, b, 0.025)
        await store.SKILLS_KEEP.run(
            conn,
            tenant=tenant,
            project=project,
            workers=workers,
            judgements=judged.tolist(),
            gold_seen=seen.tolist(),
            gold_right=right.tolist(),
            # rounded: a bound of 1e-60, as of somebody always wrong, is more than the table's real can hold
            skills=np.round(a / (a + b), 6).tolist(),
            lows=np.round(low, 6).tolist(),
            highs=np.round(betaincinv(a, b, 0.975), 6).tolist(),
            flags=[msgspec.json.encode(one).decode() for one in flags],
            now=clock.now(),
        )
        if known.gold_rate > 0:
            rates = watching.gold_rates(known.gold_rate, known.target_accuracy, seen, low, flags)
            await store.GOLD_RATES.run(conn, tenant=tenant, project=project, workers=workers, rates=rates)

    async def _refit_agreeing(self, tenant: UUID, project: UUID, known: Live) -> None:
        async with self._run.db.tx(Role.APP, tenant=tenant) as conn:
            gold = await store.GOLD_VOTES.all(conn, tenant=tenant, project=project)
            settled = await store.SETTLED_VOTES.all(conn, tenant=tenant, project=project)
            counts = await store.WORKER_COUNTS.all(conn, tenant=tenant, project=project)
            if not counts:
                return
            known.seen = sum(row.judgements for row in counts)
            workers = {row.worker: n for n, row in enumerate(counts)}
            right, seen = await asyncio.to_thread(_compare, gold, workers, known.ontology)
            near_right, near_seen = await asyncio.to_thread(_compare, settled, workers, known.ontology)
            # agreement with what settled counts a quarter: the worker's own vote is part of it
            skill = agreeing.accuracy(right + near_right / 4.0, seen + near_seen / 4.0)
            known.accuracies = {worker: float(skill[n]) for worker, n in workers.items()}
            strength = agreeing.PRIOR_STRENGTH + near_seen / 4.0
            a = right + near_right / 4.0 + agreeing.PRIOR_ACCURACY * agreeing.PRIOR_STRENGTH
            b = seen + strength - a
            judged = np.array([row.judgements for row in counts])
            await self._keep_skills(
                conn,
                tenant,
                project,
                known,
                list(workers),
                judged,
                seen,
                right,
                a,
                np.maximum(b, 1e-3),
                [[] for _ in workers],
            )


def _unsure(votes: int, plan: Plan) -> Decision:
    return "escalate" if votes >= plan.max_votes else "more"


def _value(parameters: live.Parameters, posterior: NDArray[np.float64]) -> Value:
    def value(workers: Sequence[UUID]) -> NDArray[np.float64]:
        return live.information(parameters.tables(list(workers)), posterior)

    return value


def _number(values: Iterable[UUID]) -> dict[UUID, int]:
    return {value: n for n, value in enumerate(dict.fromkeys(values))}


def _parts(values: list[UUID], size: int) -> Iterable[list[UUID]]:
    return (values[i : i + size] for i in range(0, len(values), size))


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
