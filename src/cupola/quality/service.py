"""From judgements to decisions: the aggregator, which reacts to what was submitted.

Every decision is computed from what is stored, under locks on the tasks it is about, so that handling the same event
twice changes nothing. It stores the version of the model it was made with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem
from cupola.labels import code_of, decode_label, encode, label_of
from cupola.platform.events import Event
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.quality import agreeing, live, refits, store
from cupola.quality.model import crowd_share, settle_threshold
from cupola.quality.online import Decision, Plan, decide
from cupola.quality.refits import Live
from cupola.tasks import service as tasks_service

log = logging.getLogger("cupola.quality")

SCAN = 20_000  # tasks looked at again after a refit, at a time
REFIT_GROWTH = 1.25
Value = Callable[[Sequence[UUID]], NDArray[np.float64]]


class Ask(Protocol):
    """Whoever chooses the next worker of tasks in a directed project.

    wanted: for each task, what a judgement of each of some workers is worth. Returns the tasks nobody is left for.
    """

    async def __call__(self, conn: Conn, tenant: UUID, project: UUID, wanted: dict[UUID, Value]) -> list[UUID]: ...


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
        if not await refits.fit(self._run, tenant, project, known):
            return
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


def _unsure(votes: int, plan: Plan) -> Decision:
    return "escalate" if votes >= plan.max_votes else "more"


def _value(parameters: live.Parameters, posterior: NDArray[np.float64]) -> Value:
    def value(workers: Sequence[UUID]) -> NDArray[np.float64]:
        return live.information(parameters.tables(list(workers)), posterior)

    return value


def _parts(values: list[UUID], size: int) -> Iterable[list[UUID]]:
    return (values[i : i + size] for i in range(0, len(values), size))
