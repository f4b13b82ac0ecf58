"""Labels that are not one class: put together from all, and believed as far as people stand behind what came out.

What several labels say together is made by the kind's own method (`rover`, `shapes`, `multilabel`). Judgements fall
into groups of agreement (a kind's distance within its tolerance), and a one-coin model with an open world weighs the
groups: somebody who is wrong is wrong in one of many ways, so that two independent wrong answers rarely agree. Golds,
looked at through few votes, put the confidence right.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.labels import Label, Ontology, code_of, decode_label, kind_of, merge, same, units, words
from cupola.quality.calibrate import DEFAULT_RHO
from cupola.quality.online import Plan, decide
from cupola.quality.pool import Pool
from cupola.quality.strategies.base import (
    Account,
    Aims,
    Compared,
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
from cupola.quality.strategies.confidence import AS_SAID, Line, Reliability, pool_of

REPEAT = 0.2  # P(a second wrong answer is the same wrong answer): the middle of what is measured on real crowds
PRIOR_ACCURACY, PRIOR_STRENGTH = 0.8, 5.0
NEAR = 4.0  # agreement with what settled counts a quarter: the worker's own vote is part of it
MOST_LOOKS = 400


@dataclass(frozen=True, slots=True)
class ConsensusModel:
    """accuracy: of each worker known, P(their label is right). say: how much each is heard where labels are put
    together, 1 for somebody of the middle. line: what a confidence is worth. more: what else the method has learned."""

    version: int
    method: str
    rho: float
    judgements: int
    threshold: float
    accuracy: dict[UUID, float]
    say: dict[UUID, float]
    line: Line = AS_SAID
    more: bytes = b""

    @property
    def reliability(self) -> Reliability:
        return self.line.reliability

    def accuracies(self, workers: Sequence[UUID]) -> NDArray[np.float64]:
        """(n,) of these workers; somebody unknown is taken for the usual person."""
        return np.array([self.accuracy.get(worker, PRIOR_ACCURACY) for worker in workers], dtype=np.float64)

    def says(self, workers: Sequence[UUID]) -> list[float]:
        return [self.say.get(worker, 1.0) for worker in workers]


class _Kept(msgspec.Struct):
    version: int
    method: str
    rho: float
    judgements: int
    threshold: float
    accuracy: dict[UUID, float]
    say: dict[UUID, float]
    offset: float = 0.0
    slope: float = 1.0
    more: bytes = b""
    reliability: Reliability = ()


@dataclass(frozen=True, slots=True)
class Weighed:
    """What votes on one task come to: a label, how sure, the places of those who stand behind it, and its parts."""

    label: Label
    confidence: float
    behind: list[int]
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Said:
    """What labels say together. confidence: what the method itself makes of it, 0 where it only puts together; parts:
    how sure each unit is, empty where the units are no surer than the whole."""

    label: Label
    confidence: float = 0.0
    parts: list[Part] = field(default_factory=list)


class Consensus(Strategy[ConsensusModel]):
    """The base of rover, shapes and multilabel: they say how labels are put together and what is learned of hands."""

    reads = frozenset({"truths"})
    reads_labels = True

    @abstractmethod
    def together(
        self, model: ConsensusModel, labels: Sequence[Label], workers: Sequence[UUID], ontology: Ontology
    ) -> Said:
        """What these labels say together."""

    @abstractmethod
    def learn(self, model: ConsensusModel, ontology: Ontology, evidence: Evidence) -> ConsensusModel:
        """The model with what this method learns of people beyond their accuracy."""

    # ------------------------------------------------------------ one task
    def weigh(
        self, model: ConsensusModel, labels: Sequence[Label], workers: Sequence[UUID], ontology: Ontology
    ) -> Weighed:
        """One label at least. What all say together, or what the likeliest group of agreement says, whichever is surer:
        a text of twelve words that nobody got wholly right can still be known."""
        skill = np.clip(model.accuracies(workers), 0.05, 0.995)
        groups = grouped(labels, ontology)
        every = self.together(model, labels, workers, ontology)
        found = self._backed(every, labels, groups, skill, model.rho, ontology)
        members = groups[int(np.argmax(chances(groups, skill, model.rho)[:-1]))]
        if not set(members) <= set(found.behind):
            own = [labels[n] for n in members]
            part = self.together(model, own, [workers[n] for n in members], ontology)
            part = replace(part, parts=[replace(p, behind=tuple(members[n] for n in p.behind)) for p in part.parts])
            other = self._backed(replace(part, confidence=0.0), labels, groups, skill, model.rho, ontology)
            if not set(members) <= set(other.behind):
                middle = merge(own, skill[members].tolist(), ontology)
                other = self._backed(Said(middle), labels, groups, skill, model.rho, ontology)
            found = max(found, other, key=lambda one: one.confidence)
        sure = self.confidence(model, found.confidence)
        parts = found.parts or [Part(one.name, sure, tuple(found.behind)) for one in units(found.label, ontology)]
        return replace(found, confidence=sure, parts=parts)

    @staticmethod
    def _backed(
        said: Said,
        labels: Sequence[Label],
        groups: list[list[int]],
        skill: NDArray[np.float64],
        rho: float,
        ontology: Ontology,
    ) -> Weighed:
        """A label with the raw confidence that those who stand behind it give it, or its own where that is higher."""
        tolerance, distance = kind_of(ontology).tolerance, kind_of(ontology).distance
        behind = [
            n for n, one in enumerate(labels) if said.label == one or distance(said.label, one, ontology) <= tolerance
        ]
        others = [left for group in groups if (left := [n for n in group if n not in behind])]
        raw = float(chances([behind, *others], skill, rho)[0]) if behind else 0.0
        return Weighed(said.label, max(raw, said.confidence), behind, said.parts)

    def confidence(self, model: ConsensusModel, raw: float) -> float:
        """What a raw confidence is worth by this project's golds."""
        return model.line.worth_of(raw)

    def decide(
        self, model: ConsensusModel, ontology: Ontology, tasks: Sequence[UUID], votes: Sequence[Vote], plan: Plan
    ) -> list[Ruling]:
        mine = by_task(votes)
        out: list[Ruling] = []
        for task in tasks:
            heard = mine.get(task, [])
            if not heard:
                out.append(Ruling(task, unsure(0, plan), 0.0, None, None, []))
                continue
            labels = [decode_label(vote.label) for vote in heard]
            found = self.weigh(model, labels, [vote.worker for vote in heard], ontology)
            pair = np.array([found.confidence, 1.0 - found.confidence])
            verdict = decide(pair, len(heard), plan) if found.confidence > 0.5 else unsure(len(heard), plan)
            code = code_of(found.label, ontology)
            ids = [vote.id for vote in heard]
            out.append(Ruling(task, verdict, found.confidence, found.label, code, ids, found.parts))
        return out

    def fits(self, model: ConsensusModel, ontology: Ontology) -> bool:
        return True

    def value(self, model: ConsensusModel, ruling: Ruling, workers: Sequence[UUID]) -> NDArray[np.float64]:
        return model.accuracies(workers)

    def account(self, model: ConsensusModel, ontology: Ontology, votes: Sequence[Vote], plan: Plan) -> Account:
        labels = [decode_label(vote.label) for vote in votes]
        workers = [vote.worker for vote in votes]
        if not labels:
            return Account([], {}, None)
        found = self.weigh(model, labels, workers, ontology)
        skill = np.clip(model.accuracies(workers), 0.05, 0.995)
        weight = np.log(skill / (1.0 - skill))
        heard = [
            Heard(worker, words(label, ontology), float(weight[n] if n in found.behind else -weight[n]))
            for n, (worker, label) in enumerate(zip(workers, labels, strict=True))
        ]
        return Account(heard, {words(found.label, ontology): found.confidence}, found.confidence)

    # ------------------------------------------------------------ the model
    def cold(self, ontology: Ontology, threshold: float) -> ConsensusModel:
        return ConsensusModel(0, self.name, DEFAULT_RHO, 0, threshold, {}, {})

    def fit(
        self, before: ConsensusModel, ontology: Ontology, evidence: Evidence, aims: Aims
    ) -> tuple[ConsensusModel, People]:
        workers = {worker: n for n, worker in enumerate(evidence.made)}
        right, seen = _compared(evidence.truths, workers, ontology)
        near_right, near_seen = _compared(evidence.settled, workers, ontology)
        a = right + near_right / NEAR + PRIOR_ACCURACY * PRIOR_STRENGTH
        b = np.maximum(seen + PRIOR_STRENGTH + near_seen / NEAR - a, 1e-3)
        skill = (a / (a + b)).tolist()
        made = sum(evidence.made.values())
        model = ConsensusModel(
            before.version + 1, self.name, before.rho, made, aims.threshold, dict(zip(workers, skill, strict=True)), {}
        )
        model = self._put_right(self.learn(model, ontology, evidence), ontology, evidence.truths, aims.plan)
        judged = np.array(list(evidence.made.values()), dtype=np.int64)
        return model, People(list(workers), judged, seen, right, a, b, [[] for _ in workers])

    def _put_right(
        self, model: ConsensusModel, ontology: Ontology, truths: Sequence[Compared], plan: Plan
    ) -> ConsensusModel:
        """The confidence as golds have it. Everybody judges every gold, while decisions rest on a few votes: each gold
        is looked at through a few, drawn from a seed that the data give."""
        votes: dict[UUID, list[Compared]] = {}
        for row in truths:
            votes.setdefault(row.task, []).append(row)
        rng = np.random.default_rng(len(truths))
        claimed, right = [], []
        for task in sorted(votes)[:MOST_LOOKS]:
            mine = votes[task]
            some = rng.permutation(len(mine))[: int(rng.integers(1, plan.max_votes + 1))]
            labels = [decode_label(mine[n].label) for n in some]
            found = self.weigh(model, labels, [mine[n].worker for n in some], ontology)
            claimed.append(found.confidence)
            right.append(same(found.label, decode_label(mine[0].truth), ontology))
        return replace(model, line=Line.of(np.array(claimed), np.array(right, dtype=np.bool_)))

    def pool(self, model: ConsensusModel, ontology: Ontology) -> Pool:
        accuracy = float(np.mean(list(model.accuracy.values()))) if model.accuracy else PRIOR_ACCURACY
        return pool_of(accuracy, model.judgements, model.rho)

    def freeze(self, model: ConsensusModel) -> bytes:
        of = model.line
        return msgspec.msgpack.encode(
            _Kept(
                model.version, model.method, model.rho, model.judgements, model.threshold, model.accuracy, model.say,
                of.offset, of.slope, model.more, of.reliability,
            )
        )  # fmt: skip

    def thaw(self, state: bytes) -> ConsensusModel:
        kept = msgspec.msgpack.decode(state, type=_Kept)
        return ConsensusModel(
            kept.version, kept.method, kept.rho, kept.judgements, kept.threshold, kept.accuracy, kept.say,
            Line(kept.offset, kept.slope, kept.reliability), kept.more,
        )  # fmt: skip


# ---------------------------------------------------------------- agreement
def grouped(labels: Sequence[Label], ontology: Ontology) -> list[list[int]]:
    """Places of labels that agree: each with all of its group within the kind's tolerance."""
    tolerance, distance = kind_of(ontology).tolerance, kind_of(ontology).distance
    groups: list[list[int]] = []
    for n, label in enumerate(labels):
        home = next((g for g in groups if all(distance(label, labels[m], ontology) <= tolerance for m in g)), None)
        if home is None:
            groups.append([n])
        else:
            home.append(n)
    return groups


def chances(groups: list[list[int]], skill: NDArray[np.float64], rho: float) -> NDArray[np.float64]:
    """(groups + 1,) posterior of each group being right, and last: of none."""
    scores = np.array([_score(group, groups, skill) for group in groups] + [_score([], groups, skill)])
    logits = scores / (1.0 + (len(skill) - 1) * rho)
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _score(right: list[int], groups: list[list[int]], skill: NDArray[np.float64]) -> float:
    """log P(votes | this group is right)"""
    total = float(np.log(skill[right]).sum())
    for group in groups:
        if group is not right and group:
            # the first wrong answer is free, each further one repeats it
            total += float(np.log1p(-skill[group]).sum()) + (len(group) - 1) * float(np.log(REPEAT))
    return total


def _compared(
    rows: Sequence[Compared], workers: dict[UUID, int], ontology: Ontology
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(W,) comparisons in which each was right, and (W,) all of theirs."""
    right, seen = np.zeros(len(workers), np.int64), np.zeros(len(workers), np.int64)
    truths: dict[str, Label] = {}
    for row in rows:
        n = workers.get(row.worker)
        if n is None:
            continue
        truth = truths.get(row.truth)
        if truth is None:
            truth = truths[row.truth] = decode_label(row.truth)
        seen[n] += 1
        right[n] += same(decode_label(row.label), truth, ontology)
    return right, seen
