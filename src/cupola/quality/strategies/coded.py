"""coded: single choices, by each person's table of what they say of which truth (see `live`)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.labels import Ontology, label_of
from cupola.quality import fitting, keeping, live, watching
from cupola.quality.course import Course
from cupola.quality.model import WorkerFlag
from cupola.quality.online import Plan, decide
from cupola.quality.pool import Pool
from cupola.quality.strategies.base import (
    Account,
    Aims,
    Evidence,
    Heard,
    Part,
    People,
    Ruling,
    Strategy,
    Vote,
    by_task,
    numbered,
)

log = logging.getLogger("cupola.quality")

EM_SAYS = 10.0  # golds that EM's opinion of somebody counts as: it is optimistic, gold is not
CELLS = 4_000_000  # of posteriors at a time


class CodedStrategy(Strategy[live.Parameters]):
    name = "coded"
    reads = frozenset({"codes"})
    reads_labels = False

    def cold(self, ontology: Ontology, threshold: float) -> live.Parameters:
        return live.cold(max(len(ontology.classes), 1), threshold)

    def fit(
        self, before: live.Parameters, ontology: Ontology, evidence: Evidence, aims: Aims
    ) -> tuple[live.Parameters, People]:
        columns = Columns(evidence)
        model = fitting.refit(
            before,
            columns.task,
            columns.worker,
            columns.code,
            list(columns.workers),
            columns.truth,
            columns.gold,
            target_accuracy=aims.target_accuracy,
            share=aims.share,
            plan=aims.plan,
            prices=aims.prices,
            items=aims.items,
        )
        try:
            flags = watching.signals(
                model, columns.task, columns.worker, columns.code, columns.truth, list(columns.workers), columns.said
            )
        except Exception:
            log.exception("no signals about people this time")  # they stop no decision
            flags = [[] for _ in columns.workers]
        return model, columns.people(np.einsum("wkk,k->w", model.confusion, model.prior), flags)

    def decide(
        self, model: live.Parameters, ontology: Ontology, tasks: Sequence[UUID], votes: Sequence[Vote], plan: Plan
    ) -> list[Ruling]:
        out: list[Ruling] = []
        step = max(CELLS // model.n_classes, 1)
        mine = by_task(votes)
        for first in range(0, len(tasks), step):
            some = tasks[first : first + step]
            out += _decided(model, ontology, some, [vote for task in some for vote in mine.get(task, ())], plan)
        return out

    def course(self, model: live.Parameters) -> Course | None:
        return model.course

    def fits(self, model: live.Parameters, ontology: Ontology) -> bool:
        return model.n_classes == len(ontology.classes)

    def value(self, model: live.Parameters, ruling: Ruling, workers: Sequence[UUID]) -> NDArray[np.float64]:
        posterior = model.prior if ruling.posterior is None else ruling.posterior
        return np.array([live.information(model.tables([worker]), posterior)[0] for worker in workers])

    def account(self, model: live.Parameters, ontology: Ontology, votes: Sequence[Vote], plan: Plan) -> Account:
        names = [spec.name for spec in ontology.classes]
        coded = [vote for vote in votes if vote.code is not None]
        code = np.array([vote.code for vote in coded], dtype=np.int64)
        workers = [vote.worker for vote in coded]
        posterior, _ = live.posteriors(model, np.zeros(len(code), np.int64), 1, workers, code)
        best = int(posterior[0].argmax())
        said = model.said(workers, code)
        rest = np.delete(said, best, axis=1).max(axis=1) if len(names) > 1 else np.zeros(len(code))
        return Account(
            [
                Heard(who, names[int(k)], float(said[n, best] - rest[n]))
                for n, (who, k) in enumerate(zip(workers, code, strict=True))
            ],
            {name: float(p) for name, p in zip(names, posterior[0], strict=True)},
            float(posterior[0, best]),
        )

    def pool(self, model: live.Parameters, ontology: Ontology) -> Pool:
        return live.pool_of(model)

    def freeze(self, model: live.Parameters) -> bytes:
        return keeping.freeze(model)

    def thaw(self, state: bytes) -> live.Parameters:
        return keeping.thaw(state)


def _decided(
    model: live.Parameters, ontology: Ontology, tasks: Sequence[UUID], votes: Sequence[Vote], plan: Plan
) -> list[Ruling]:
    number = {task: n for n, task in enumerate(tasks)}
    coded = [vote for vote in votes if vote.code is not None]
    task = np.array([number[vote.task] for vote in coded], dtype=np.int64)
    code = np.array([vote.code for vote in coded], dtype=np.int64)
    workers = [vote.worker for vote in coded]
    posterior, count = live.posteriors(model, task, len(tasks), workers, code)
    mine = by_task(votes)
    out: list[Ruling] = []
    for n, one in enumerate(tasks):
        row = posterior[n]
        best = int(row.argmax())
        sure = float(row[best])
        # the cold start knows nobody, so it gives nobody up
        course = None if int(count[n]) < plan.min_votes else model.course
        verdict = decide(row, int(count[n]), plan) if course is None else course.verdict(int(count[n]), sure)
        heard = mine.get(one, ())
        if verdict == "settle" and len(heard) == 1 and plan.max_votes > 1 and not model.proven(heard[0].worker):
            verdict = "more"
        ids = [vote.id for vote in heard]
        out.append(Ruling(one, verdict, sure, label_of(best, ontology), best, ids, [Part("choice", sure)], row))
    return out


class Columns:
    """Judgements as numbers: task, worker, code (n,); truth, gold, said (n_tasks,), -1 unknown."""

    def __init__(self, evidence: Evidence) -> None:
        rows = evidence.codes
        tasks = numbered([row.task for row in rows])
        self.workers = numbered([row.worker for row in rows])
        self.task = np.array([tasks[row.task] for row in rows], dtype=np.int64)
        self.worker = np.array([self.workers[row.worker] for row in rows], dtype=np.int64)
        self.code = np.array([row.code for row in rows], dtype=np.int64)
        self.gold = _of_tasks(tasks, evidence.golds)
        self.truth = np.where(self.gold >= 0, self.gold, _of_tasks(tasks, evidence.experts))
        self.said = _of_tasks(tasks, evidence.said) if evidence.said else None

    def people(self, accuracy: NDArray[np.float64], flags: list[list[WorkerFlag]]) -> People:
        """What is known of everybody. accuracy: (W,) the fit's opinion, which counts as EM_SAYS golds."""
        count = len(self.workers)
        is_gold = self.gold[self.task] >= 0
        right = np.bincount(self.worker[is_gold & (self.gold[self.task] == self.code)], minlength=count)
        seen = np.bincount(self.worker[is_gold], minlength=count)
        return People(
            list(self.workers),
            np.bincount(self.worker, minlength=count),
            seen,
            right,
            right + EM_SAYS * accuracy,
            (seen - right) + EM_SAYS * (1.0 - accuracy),
            flags,
        )


def _of_tasks(tasks: Mapping[UUID, int], codes: Mapping[UUID, int]) -> NDArray[np.int16]:
    out = np.full(len(tasks), -1, np.int16)
    for task, code in codes.items():
        if task in tasks:
            out[tasks[task]] = code
    return out
