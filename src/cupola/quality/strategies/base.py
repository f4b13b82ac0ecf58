"""What a strategy is: how the labels of a kind are settled. The table of them is in `strategies/__init__.py`.

A strategy is an object without a state of its own. What a project has learned of its people is a *model*: made by `fit`
from what is stored, kept as bytes by `freeze`, read by `thaw`, and never changed; `decide` is a function of the model
and the votes, so any decision can be made again from what was stored. Pure numbers: no database, no clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.labels import Label, Ontology
from cupola.quality.course import USUAL_PRICES, Course, Prices
from cupola.quality.model import WorkerFlag
from cupola.quality.online import Decision, Plan
from cupola.quality.pool import Pool

Reads = Literal["codes", "truths", "labels"]


class Vote(Protocol):
    """One judgement. label: its JSON, "" where the strategy does not read labels."""

    @property
    def id(self) -> UUID: ...
    @property
    def task(self) -> UUID: ...
    @property
    def worker(self) -> UUID: ...
    @property
    def code(self) -> int | None: ...
    @property
    def label(self) -> str: ...


class Coded(Protocol):
    """One judgement as a class."""

    @property
    def task(self) -> UUID: ...
    @property
    def worker(self) -> UUID: ...
    @property
    def code(self) -> int: ...


class Compared(Protocol):
    """One judgement beside what is true of its task, both as JSON."""

    @property
    def task(self) -> UUID: ...
    @property
    def worker(self) -> UUID: ...
    @property
    def label(self) -> str: ...
    @property
    def truth(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a fit is made from; a strategy gets what it says it `reads`, and the counts.

    made: judgements by worker. codes: judgements as classes, in the order of time; golds, experts: what is true of some
    tasks, as classes; said: what a model said beforehand, as classes. truths: judgements beside gold; settled: beside
    what was settled; labels: judgements as labels.
    """

    made: Mapping[UUID, int]
    codes: Sequence[Coded] = ()
    golds: Mapping[UUID, int] = field(default_factory=dict)
    experts: Mapping[UUID, int] = field(default_factory=dict)
    said: Mapping[UUID, int] = field(default_factory=dict)
    truths: Sequence[Compared] = ()
    settled: Sequence[Compared] = ()
    labels: Sequence[Vote] = ()


@dataclass(frozen=True, slots=True)
class Aims:
    """What the project wants: accuracy, the share of its errors that the crowd may leave, and how votes are asked for.

    threshold: the confidence to settle at where nothing better is known. prices: of a judgement and an expert's answer;
    items: tasks of the project.
    """

    target_accuracy: float
    share: float
    threshold: float
    plan: Plan
    prices: Prices = USUAL_PRICES
    items: int = 0


@dataclass(frozen=True, slots=True)
class People:
    """What a fit says of a project's workers: judgements, golds seen and right, Beta(a, b) of the skill, flags."""

    workers: list[UUID]
    judged: NDArray[np.int64]
    seen: NDArray[np.int64]
    right: NDArray[np.int64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    flags: list[list[WorkerFlag]]


@dataclass(frozen=True, slots=True)
class Part:
    """The confidence of one unit of a label (see `labels.Unit`). behind: places of the votes that stand behind it."""

    unit: str
    confidence: float
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is to be done with one task. label, code: what it would settle as; None where there is nothing to say.

    posterior: for who asks what a judgement would tell, by class where labels have codes. opinions: what of models it
    rests on beside the votes (see `quality.opinions`).
    """

    task: UUID
    verdict: Decision
    confidence: float
    label: Label | None
    code: int | None
    votes: list[UUID]
    parts: list[Part] = field(default_factory=list)
    posterior: NDArray[np.float64] | None = None
    opinions: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Heard:
    """One judgement of a decision. evidence: log-likelihood ratio (nats) that it gave what was settled."""

    worker: UUID
    said: str
    evidence: float


@dataclass(frozen=True, slots=True)
class Account:
    """Why a decision was made: the votes and what each weighed, what else was possible, how sure it was."""

    heard: list[Heard]
    posterior: dict[str, float]
    confidence: float | None


class Model(Protocol):
    """What every model tells of itself. version counts fits; 0 is the cold start, before anything was judged."""

    @property
    def version(self) -> int: ...
    @property
    def method(self) -> str: ...
    @property
    def rho(self) -> float: ...
    @property
    def judgements(self) -> int: ...
    @property
    def threshold(self) -> float: ...
    @property
    def reliability(self) -> tuple[tuple[float, float, int], ...]: ...


M = TypeVar("M", bound=Model)


class Strategy(ABC, Generic[M]):
    """One way to settle. reads: what of the judgements its `fit` needs beside counts; reads_labels: whether `decide`
    needs the labels themselves, or only their codes."""

    name: ClassVar[str]
    reads: ClassVar[frozenset[Reads]]
    reads_labels: ClassVar[bool]

    @abstractmethod
    def cold(self, ontology: Ontology, threshold: float) -> M:
        """The model of a project in which nothing has been judged."""

    @abstractmethod
    def fit(self, before: M, ontology: Ontology, evidence: Evidence, aims: Aims) -> tuple[M, People]:
        """A new version from everything judged. Needs one judgement at least."""

    @abstractmethod
    def decide(
        self, model: M, ontology: Ontology, tasks: Sequence[UUID], votes: Sequence[Vote], plan: Plan
    ) -> list[Ruling]:
        """A ruling on each of the tasks, in their order. votes: all that count, of these tasks and no others."""

    @abstractmethod
    def fits(self, model: M, ontology: Ontology) -> bool:
        """Whether a kept model is about labels of this ontology: a project may have taken another version of it."""

    @abstractmethod
    def value(self, model: M, ruling: Ruling, workers: Sequence[UUID]) -> NDArray[np.float64]:
        """(n,) what a judgement of each worker is expected to tell about a task on which there is that ruling."""

    @abstractmethod
    def account(self, model: M, ontology: Ontology, votes: Sequence[Vote], plan: Plan) -> Account:
        """A past decision made again, in words and numbers."""

    def course(self, model: M) -> Course | None:
        """When tasks settle, are asked on and are given up, where the model knows more than one threshold."""
        return None

    def experts_alone(self, model: M) -> bool:
        """Whether the crowd is not worth asking, so that tasks nobody has judged are left to experts."""
        found = self.course(model)
        return found is not None and found.experts_alone

    @abstractmethod
    def pool(self, model: M, ontology: Ontology) -> Pool:
        """Who judges, as a forecast takes it."""

    @abstractmethod
    def freeze(self, model: M) -> bytes:
        """The model as bytes."""

    @abstractmethod
    def thaw(self, state: bytes) -> M:
        """What `freeze` wrote, to single precision."""


AnyStrategy = Strategy[Any]


def unsure(votes: int, plan: Plan) -> Decision:
    """What follows where nothing can be settled yet."""
    return "escalate" if votes >= plan.max_votes else "more"


def by_task(votes: Sequence[Vote]) -> dict[UUID, list[Vote]]:
    """The votes of each task, in the order given."""
    out: dict[UUID, list[Vote]] = {}
    for vote in votes:
        out.setdefault(vote.task, []).append(vote)
    return out


def numbered(values: Sequence[UUID]) -> dict[UUID, int]:
    """Each value's number, in the order of first appearance."""
    return {value: n for n, value in enumerate(dict.fromkeys(values))}
