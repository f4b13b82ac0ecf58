"""pairs: which of two candidates is better, or neither (see `inference.gaps`).

A choice among three classes knows nothing of what they mean: here a tie lies between the two, whoever is careless calls
the gap smaller than it is, and whatever is shown first is liked a little more. What is settled is what nobody's habits
changed: on which side the gap lies, or that it is small enough for a tie.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.labels import Ontology
from cupola.quality.inference.gaps import Habits, classes_of, fit_habits, gap_posterior
from cupola.quality.inference.pairs import TIE
from cupola.quality.online import FLOOR
from cupola.quality.pool import Pool
from cupola.quality.strategies.coded import Columns
from cupola.quality.strategies.confidence import basis
from cupola.quality.strategies.crowd import CrowdModel, CrowdStrategy, Leads, Learned, Told, Votes

NEWEST = 100_000  # judgements that habits are learned from
AT_A_TIME = 20_000  # tasks whose gaps are held at once


class _Habits(msgspec.Struct):
    care: list[float]
    bias: float
    tie: float | None
    spread: float


class PairsStrategy(CrowdStrategy[Habits]):
    name = "pairs"

    def usual(self, ontology: Ontology) -> Habits:
        habits = Habits(np.empty(0))
        return replace(habits, tie=None) if len(ontology.classes) <= TIE else habits

    def learn(self, columns: Columns, ontology: Ontology, truth: NDArray[np.int16] | None) -> Learned[Habits]:
        known = np.full_like(columns.truth, -1) if truth is None else truth
        habits = _habits(self.usual(ontology), columns, known)
        found = self.leads(habits, Votes(columns.task, columns.worker, columns.code, len(known)))
        # how often each says what the others, and what is known, make of it
        said = columns.code == np.where(known >= 0, known, found.label)[columns.task]
        agreed = np.bincount(columns.worker, weights=said, minlength=len(columns.workers))
        judged = np.bincount(columns.worker, minlength=len(columns.workers))
        return Learned(habits, "pairs", found, agreed / np.maximum(judged, 1))

    def leads(self, crowd: Habits, votes: Votes) -> Leads:
        posterior = _classes(crowd, votes)
        return Leads(posterior.argmax(axis=1), posterior.max(axis=1), posterior)

    def told(self, crowd: Habits, votes: Votes) -> Told:
        posterior = _classes(crowd, votes)[0]
        best = int(posterior.argmax())
        evidence = np.empty(len(votes.code))
        for n, (care, said) in enumerate(zip(self.worths(crowd, votes.who), votes.code, strict=True)):
            # how much likelier it is where the winner is true than where the next likely is
            chance = _of_classes(crowd, float(care))[:, said]
            rest = float(np.delete(chance, best).max())
            evidence[n] = np.log(max(float(chance[best]), FLOOR) / max(rest, FLOOR))
        return Told(best, float(posterior[best]), list(enumerate(posterior.tolist())), evidence)

    def worths(self, crowd: Habits, who: NDArray[np.int64]) -> NDArray[np.float64]:
        """Who sees more of a gap tells more; somebody unknown is as careful as is usual."""
        return np.append(crowd.care, _usual_care(crowd))[who]

    def is_of(self, crowd: Habits, ontology: Ontology) -> bool:
        return (crowd.tie is not None) == (len(ontology.classes) > TIE)

    def pool(self, model: CrowdModel[Habits], ontology: Ontology) -> Pool:
        of = model.crowd
        table = _of_classes(of, _usual_care(of))
        return Pool(table[None], np.ones(1), of.regions() @ of.prior, model.rho, basis(model.judgements))

    def keep(self, crowd: Habits) -> msgspec.Struct:
        return _Habits(crowd.care.tolist(), crowd.bias, crowd.tie, crowd.spread)

    def kept(self, state: bytes) -> Habits:
        of = msgspec.msgpack.decode(state, type=_Habits)
        return Habits(np.array(of.care, dtype=np.float64), of.bias, of.tie, of.spread)


def _usual_care(habits: Habits) -> float:
    return float(np.exp(np.log(habits.care).mean())) if len(habits.care) else 1.0


def _classes(habits: Habits, votes: Votes) -> NDArray[np.float64]:
    """(n_tasks, classes) what the votes come to."""
    care = np.append(habits.care, _usual_care(habits))[votes.who]
    order = np.argsort(votes.task, kind="stable")
    edges = np.searchsorted(votes.task[order], np.arange(0, votes.n_tasks + AT_A_TIME, AT_A_TIME))
    out = [np.empty((0, len(habits.regions())))]
    for n, first in enumerate(range(0, votes.n_tasks, AT_A_TIME)):
        rows = order[edges[n] : edges[n + 1]]
        count = min(AT_A_TIME, votes.n_tasks - first)
        found = gap_posterior(habits, votes.task[rows] - first, care[rows], votes.code[rows], count)
        out.append(classes_of(habits, found))
    return np.concatenate(out)


def _of_classes(habits: Habits, care: float) -> NDArray[np.float64]:
    """(true, said): the chance of each answer of somebody of that care, by what is true."""
    weight = habits.regions() * habits.prior
    return np.asarray(
        (weight / weight.sum(axis=1, keepdims=True)) @ np.exp(habits.log_chance(care)).T, dtype=np.float64
    )


def _habits(usual: Habits, columns: Columns, truth: NDArray[np.int16]) -> Habits:
    """What the newest judgements tell of everybody, beside what is known of their tasks."""
    newest = slice(-NEWEST, None)
    tasks, task = np.unique(columns.task[newest], return_inverse=True)
    return fit_habits(
        task.astype(np.int64),
        columns.worker[newest],
        columns.code[newest],
        n_tasks=len(tasks),
        n_raters=len(columns.workers),
        ties=usual.tie is not None,
        truth=truth[tasks].astype(np.int64),
    )
