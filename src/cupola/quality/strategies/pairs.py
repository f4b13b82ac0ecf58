"""pairs: which of two candidates is better, or neither (see `inference.gaps`).

A choice among three classes knows nothing of what they mean: here a tie lies between the two, whoever is careless calls
the gap smaller than it is, and whatever is shown first is liked a little more. What is settled is what nobody's habits
changed: on which side the gap lies, or that it is small enough for a tie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.labels import Ontology, label_of
from cupola.quality.inference.gaps import Habits, classes_of, fit_habits, gap_posterior
from cupola.quality.inference.pairs import TIE
from cupola.quality.online import FLOOR, Plan
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
    unsure,
)
from cupola.quality.strategies.coded import Columns
from cupola.quality.strategies.confidence import (
    LEAST_LOOKS,
    MOST_SURE,
    Reliability,
    fitted_line,
    logit,
    reliability,
    settling_threshold,
)

special = Lazy("scipy.special")

NEWEST = 100_000  # judgements that habits are learned from
AT_A_TIME = 20_000  # tasks whose gaps are held at once


@dataclass(frozen=True, slots=True)
class PairsModel:
    """habits: of the crowd; workers: their numbers in it. offset, slope: of the confidence, logit scale, by golds that
    the fit was not told."""

    version: int
    method: str
    judgements: int
    threshold: float
    habits: Habits
    workers: dict[UUID, int]
    offset: float = 0.0
    slope: float = 1.0
    reliability: Reliability = ()
    rho: float = 0.0

    def care(self, workers: Sequence[UUID]) -> NDArray[np.float64]:
        """(n,) of each; somebody unknown is as careful as is usual."""
        known = [self.workers.get(worker, -1) for worker in workers]
        usual = float(np.exp(np.log(self.habits.care).mean())) if len(self.habits.care) else 1.0
        return np.append(self.habits.care, usual)[np.array(known, dtype=np.int64)]

    def classes(
        self, task: NDArray[np.int64], care: NDArray[np.float64], code: NDArray[np.int64], n_tasks: int
    ) -> NDArray[np.float64]:
        """(n_tasks, classes) what the votes come to; votes in any order."""
        order = np.argsort(task, kind="stable")
        edges = np.searchsorted(task[order], np.arange(0, n_tasks + AT_A_TIME, AT_A_TIME))
        out = [np.empty((0, len(self.habits.regions())))]
        for n, first in enumerate(range(0, n_tasks, AT_A_TIME)):
            rows = order[edges[n] : edges[n + 1]]
            count = min(AT_A_TIME, n_tasks - first)
            found = gap_posterior(self.habits, task[rows] - first, care[rows], code[rows], count)
            out.append(classes_of(self.habits, found))
        return np.concatenate(out)

    def worth(self, confidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) what a confidence is worth by this project's golds."""
        return np.asarray(
            np.minimum(special.expit(self.offset + self.slope * logit(confidence)), MOST_SURE), dtype=np.float64
        )


class _Frozen(msgspec.Struct):
    version: int
    method: str
    judgements: int
    threshold: float
    care: list[float]
    bias: float
    tie: float | None
    spread: float
    workers: list[UUID]
    offset: float
    slope: float
    reliability: Reliability


class PairsStrategy(Strategy[PairsModel]):
    name = "pairs"
    reads = frozenset({"codes"})
    reads_labels = False

    def cold(self, ontology: Ontology, threshold: float) -> PairsModel:
        habits = Habits(np.empty(0))
        if len(ontology.classes) <= TIE:
            habits = replace(habits, tie=None)
        return PairsModel(0, "cold-start", 0, threshold, habits, {})

    def fit(self, before: PairsModel, ontology: Ontology, evidence: Evidence, aims: Aims) -> tuple[PairsModel, People]:
        columns = Columns(evidence)
        made = PairsModel(
            before.version + 1,
            "pairs",
            len(columns.code),
            aims.threshold,
            self.cold(ontology, aims.threshold).habits,
            columns.workers,
        )
        n_tasks = len(columns.truth)
        count = np.bincount(columns.task, minlength=n_tasks)
        model = replace(made, habits=_habits(made, columns, columns.truth))
        posterior = model.classes(columns.task, model.habits.care[columns.worker], columns.code, n_tasks)
        known = np.flatnonzero((columns.gold >= 0) & (count > 0))
        if len(known) >= LEAST_LOOKS:
            blind = replace(made, habits=_habits(made, columns, np.full_like(columns.truth, -1)))
            told = blind.classes(columns.task, blind.habits.care[columns.worker], columns.code, n_tasks)[known]
            z, right = logit(told.max(axis=1)), told.argmax(axis=1) == columns.gold[known]
            offset, slope = fitted_line(z, right)
            model = replace(model, offset=offset, slope=slope, reliability=reliability(z, right))
        unknown = (columns.truth < 0) & (count > 0)
        threshold = settling_threshold(model.worth(posterior[unknown].max(axis=1)), aims)
        # how often each says what the others, and what is known, make of it
        truth = np.where(columns.truth >= 0, columns.truth, posterior.argmax(axis=1))
        agreed = np.bincount(
            columns.worker, weights=columns.code == truth[columns.task], minlength=len(columns.workers)
        )
        judged = np.bincount(columns.worker, minlength=len(columns.workers))
        people = columns.people(agreed / np.maximum(judged, 1), [[] for _ in columns.workers])
        return replace(model, threshold=threshold), people

    def decide(
        self, model: PairsModel, ontology: Ontology, tasks: Sequence[UUID], votes: Sequence[Vote], plan: Plan
    ) -> list[Ruling]:
        number = {task: n for n, task in enumerate(tasks)}
        coded = [vote for vote in votes if vote.code is not None]
        task = np.array([number[vote.task] for vote in coded], dtype=np.int64)
        code = np.array([vote.code for vote in coded], dtype=np.int64)
        posterior = model.classes(task, model.care([vote.worker for vote in coded]), code, len(tasks))
        count = np.bincount(task, minlength=len(tasks))
        best = posterior.max(axis=1)
        sure = np.where(count > 0, model.worth(best), best)
        mine = by_task(votes)
        out: list[Ruling] = []
        for n, one in enumerate(tasks):
            said, leader, p = int(count[n]), int(posterior[n].argmax()), float(sure[n])
            ids = [vote.id for vote in mine.get(one, ())]
            if said == 0:
                out.append(Ruling(one, unsure(0, plan), p, None, None, ids, posterior=posterior[n]))
                continue
            settled = said >= plan.min_votes and p >= plan.threshold
            verdict = "settle" if settled else unsure(said, plan)
            label = label_of(leader, ontology)
            out.append(Ruling(one, verdict, p, label, leader, ids, [Part("choice", p)], posterior[n]))
        return out

    def fits(self, model: PairsModel, ontology: Ontology) -> bool:
        return (model.habits.tie is not None) == (len(ontology.classes) > TIE)

    def value(self, model: PairsModel, ruling: Ruling, workers: Sequence[UUID]) -> NDArray[np.float64]:
        """Who sees more of a gap tells more, whatever the task."""
        return model.care(workers)

    def account(self, model: PairsModel, ontology: Ontology, votes: Sequence[Vote], plan: Plan) -> Account:
        coded = [vote for vote in votes if vote.code is not None]
        if not coded:
            return Account([], {}, None)
        code = np.array([vote.code for vote in coded], dtype=np.int64)
        workers = [vote.worker for vote in coded]
        care = model.care(workers)
        posterior = model.classes(np.zeros(len(code), np.int64), care, code, 1)[0]
        best = int(posterior.argmax())
        names = [spec.name for spec in ontology.classes]
        heard = []
        for who, how, said in zip(workers, care, code, strict=True):
            # how much likelier it is where the winner is true than where the next likely is
            chance = _of_classes(model.habits, float(how))[:, said]
            rest = float(np.delete(chance, best).max())
            heard.append(
                Heard(who, names[int(said)], float(np.log(max(float(chance[best]), FLOOR) / max(rest, FLOOR))))
            )
        sure = float(model.worth(posterior[best : best + 1])[0])
        left = max(1.0 - sure, 0.0) / max(1.0 - float(posterior[best]), FLOOR)
        told = {name: float(p) * left for name, p in zip(names, posterior, strict=True)}
        return Account(heard, {**told, names[best]: sure}, sure)

    def pool(self, model: PairsModel, ontology: Ontology) -> Pool:
        care = float(np.exp(np.log(model.habits.care).mean())) if len(model.habits.care) else 1.0
        prior = model.habits.regions() @ model.habits.prior
        basis = f"{model.judgements:,} judgements of this project" if model.judgements else "an assumed crowd"
        return Pool(_of_classes(model.habits, care)[None], np.ones(1), prior, model.rho, basis)

    def freeze(self, model: PairsModel) -> bytes:
        by_number = sorted(model.workers, key=model.workers.__getitem__)
        of = model.habits
        return msgspec.msgpack.encode(
            _Frozen(
                model.version, model.method, model.judgements, model.threshold, of.care.tolist(), of.bias, of.tie,
                of.spread, by_number, model.offset, model.slope, model.reliability,
            )
        )  # fmt: skip

    def thaw(self, state: bytes) -> PairsModel:
        kept = msgspec.msgpack.decode(state, type=_Frozen)
        return PairsModel(
            kept.version, kept.method, kept.judgements, kept.threshold,
            Habits(np.array(kept.care, dtype=np.float64), kept.bias, kept.tie, kept.spread),
            {worker: n for n, worker in enumerate(kept.workers)}, kept.offset, kept.slope, kept.reliability,
        )  # fmt: skip


def _of_classes(habits: Habits, care: float) -> NDArray[np.float64]:
    """(true, said): the chance of each answer of somebody of that care, by what is true."""
    weight = habits.regions() * habits.prior
    return np.asarray(
        (weight / weight.sum(axis=1, keepdims=True)) @ np.exp(habits.log_chance(care)).T, dtype=np.float64
    )


def _habits(model: PairsModel, columns: Columns, truth: NDArray[np.int16]) -> Habits:
    """What the newest judgements tell of everybody, beside what is known of their tasks."""
    newest = slice(-NEWEST, None)
    tasks, task = np.unique(columns.task[newest], return_inverse=True)
    return fit_habits(
        task.astype(np.int64),
        columns.worker[newest],
        columns.code[newest],
        n_tasks=len(tasks),
        n_raters=len(columns.workers),
        ties=model.habits.tie is not None,
        truth=truth[tasks].astype(np.int64),
    )
