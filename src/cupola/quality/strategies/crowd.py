"""Single choices, settled by what was learned of a crowd: what `pairs` and `wide` share.

Such a strategy says what it learns of a crowd, what votes come to under that, and how it is kept. What follows from it
is here: golds that the crowd was not told say how far to believe a confidence (`confidence.Line`), what leaves little
enough error is settled, and who judged is told of.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.labels import Ontology, label_of
from cupola.quality.online import Decision, Plan
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
    AS_SAID,
    LEAST_LOOKS,
    Line,
    Reliability,
    settling_threshold,
)

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class CrowdModel(Generic[C]):
    """crowd: what was learned of it; workers: their numbers in it. line: what its confidence is worth, by golds that
    the fit was not told."""

    version: int
    method: str
    judgements: int
    threshold: float
    crowd: C
    workers: dict[UUID, int]
    line: Line = AS_SAID
    rho: float = 0.0  # how far errors repeat is part of the crowd, where it is known

    @property
    def reliability(self) -> Reliability:
        return self.line.reliability

    def numbers(self, workers: Sequence[UUID]) -> NDArray[np.int64]:
        """(n,) as the crowd knows them, -1 for somebody it has not seen."""
        return np.array([self.workers.get(worker, -1) for worker in workers], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Votes:
    """As columns, rows in any order: task, who and code (n,). who: as the crowd knows them, -1 for somebody it does
    not."""

    task: NDArray[np.int64]
    who: NDArray[np.int64]
    code: NDArray[np.int64]
    n_tasks: int

    @property
    def count(self) -> NDArray[np.int64]:
        """(n_tasks,) votes of each."""
        return np.bincount(self.task, minlength=self.n_tasks)


@dataclass(frozen=True, slots=True)
class Leads:
    """The likeliest class of each task (n_tasks,) and how sure it is, before the line; posterior (n_tasks, classes)
    where classes are few."""

    label: NDArray[np.int64]
    confidence: NDArray[np.float64]
    posterior: NDArray[np.float64] | None = None


@dataclass(frozen=True, slots=True)
class Learned(Generic[C]):
    """leads: of the tasks it was learned from; accuracy: (W,) how often each is taken to be right."""

    crowd: C
    method: str
    leads: Leads
    accuracy: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Told:
    """One task vote by vote. label, confidence: what leads; shares: of other classes too, where they have any;
    evidence: (n,) log-likelihood ratio (nats) of each vote for what leads."""

    label: int
    confidence: float
    shares: Sequence[tuple[int, float]]
    evidence: NDArray[np.float64]


class _Kept(msgspec.Struct):
    """What every kept model says; beside it stands what its strategy keeps of the crowd."""

    version: int
    method: str
    judgements: int
    threshold: float
    workers: list[UUID]
    offset: float
    slope: float
    reliability: Reliability


class CrowdStrategy(Strategy[CrowdModel[C]]):
    """The base of pairs and wide."""

    reads = frozenset({"codes"})
    reads_labels = False

    @abstractmethod
    def usual(self, ontology: Ontology) -> C:
        """A crowd that nobody has seen yet."""

    @abstractmethod
    def learn(self, columns: Columns, ontology: Ontology, truth: NDArray[np.int16] | None) -> Learned[C]:
        """What judgements tell of their makers. truth: (n_tasks,) what is known, -1 where nothing is; None for a look
        that is told nothing."""

    @abstractmethod
    def leads(self, crowd: C, votes: Votes) -> Leads:
        """What votes come to."""

    @abstractmethod
    def told(self, crowd: C, votes: Votes) -> Told:
        """The same of one task, vote by vote."""

    @abstractmethod
    def worths(self, crowd: C, who: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n,) what a judgement of each is expected to tell, whatever the task."""

    @abstractmethod
    def is_of(self, crowd: C, ontology: Ontology) -> bool:
        """Whether the crowd was learned from labels of this ontology."""

    @abstractmethod
    def keep(self, crowd: C) -> msgspec.Struct:
        """The crowd as fields that stand beside those of every model."""

    @abstractmethod
    def kept(self, state: bytes) -> C:
        """From a kept model, what `keep` wrote."""

    def hopeful(self, model: CrowdModel[C], votes: Votes, leads: Leads, plan: Plan) -> NDArray[np.bool_]:
        """(n_tasks,) whether further votes may settle a task; one of which that is false goes to an expert."""
        return np.ones(votes.n_tasks, dtype=np.bool_)

    # ------------------------------------------------------------ what follows
    def cold(self, ontology: Ontology, threshold: float) -> CrowdModel[C]:
        return CrowdModel(0, "cold-start", 0, threshold, self.usual(ontology), {})

    def fit(
        self, before: CrowdModel[C], ontology: Ontology, evidence: Evidence, aims: Aims
    ) -> tuple[CrowdModel[C], People]:
        columns = Columns(evidence)
        found = self.learn(columns, ontology, columns.truth)
        line = AS_SAID
        known = np.flatnonzero(columns.gold >= 0)
        if len(known) >= LEAST_LOOKS:  # a second look is not free
            blind = self.learn(columns, ontology, None).leads
            line = Line.of(blind.confidence[known], blind.label[known] == columns.gold[known])
        threshold = settling_threshold(line.worth(found.leads.confidence[columns.truth < 0]), aims)
        model = CrowdModel(
            before.version + 1, found.method, len(columns.code), threshold, found.crowd, columns.workers, line
        )
        return model, columns.people(found.accuracy, [[] for _ in columns.workers])

    def decide(
        self, model: CrowdModel[C], ontology: Ontology, tasks: Sequence[UUID], votes: Sequence[Vote], plan: Plan
    ) -> list[Ruling]:
        number = {task: n for n, task in enumerate(tasks)}
        cast = _columns(model, votes, number)
        found, count = self.leads(model.crowd, cast), cast.count
        sure = np.where(count > 0, model.line.worth(found.confidence), found.confidence)
        hopeful = self.hopeful(model, cast, found, plan)
        mine = by_task(votes)
        out: list[Ruling] = []
        for n, one in enumerate(tasks):
            p, label, said = float(sure[n]), int(found.label[n]), int(count[n])
            ids = [vote.id for vote in mine.get(one, ())]
            posterior = None if found.posterior is None else found.posterior[n]
            if said == 0:
                out.append(Ruling(one, unsure(0, plan), p, None, None, ids, posterior=posterior))
                continue
            verdict: Decision = unsure(said, plan) if hopeful[n] else "escalate"
            if said >= plan.min_votes and p >= plan.threshold:
                verdict = "settle"
            out.append(Ruling(one, verdict, p, label_of(label, ontology), label, ids, [Part("choice", p)], posterior))
        return out

    def fits(self, model: CrowdModel[C], ontology: Ontology) -> bool:
        return self.is_of(model.crowd, ontology)

    def value(self, model: CrowdModel[C], ruling: Ruling, workers: Sequence[UUID]) -> NDArray[np.float64]:
        return self.worths(model.crowd, model.numbers(workers))

    def account(self, model: CrowdModel[C], ontology: Ontology, votes: Sequence[Vote], plan: Plan) -> Account:
        coded = [vote for vote in votes if vote.code is not None]
        if not coded:
            return Account([], {}, None)
        cast = _columns(model, coded, dict.fromkeys([vote.task for vote in coded], 0))
        one = self.told(model.crowd, cast)
        sure = float(model.line.worth(np.array([one.confidence]))[0])
        rest = 1.0 - one.confidence
        left = max(1.0 - sure, 0.0) / rest if rest > 0 else 0.0
        names = [spec.name for spec in ontology.classes]
        heard = [
            Heard(vote.worker, names[int(code)], float(weight))
            for vote, code, weight in zip(coded, cast.code, one.evidence, strict=True)
        ]
        return Account(heard, {**{names[k]: p * left for k, p in one.shares}, names[one.label]: sure}, sure)

    def freeze(self, model: CrowdModel[C]) -> bytes:
        return msgspec.msgpack.encode(
            {
                "version": model.version,
                "method": model.method,
                "judgements": model.judgements,
                "threshold": model.threshold,
                **msgspec.structs.asdict(self.keep(model.crowd)),
                "workers": sorted(model.workers, key=model.workers.__getitem__),
                "offset": model.line.offset,
                "slope": model.line.slope,
                "reliability": model.line.reliability,
            }
        )

    def thaw(self, state: bytes) -> CrowdModel[C]:
        kept = msgspec.msgpack.decode(state, type=_Kept)
        return CrowdModel(
            kept.version, kept.method, kept.judgements, kept.threshold, self.kept(state),
            {worker: n for n, worker in enumerate(kept.workers)}, Line(kept.offset, kept.slope, kept.reliability),
        )  # fmt: skip


def _columns(model: CrowdModel[C], votes: Sequence[Vote], number: dict[UUID, int]) -> Votes:
    coded = [vote for vote in votes if vote.code is not None]
    return Votes(
        np.array([number[vote.task] for vote in coded], dtype=np.int64),
        model.numbers([vote.worker for vote in coded]),
        np.array([vote.code for vote in coded], dtype=np.int64),
        len(number),
    )
