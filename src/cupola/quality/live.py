"""The online side of inference: frozen parameters of a project, and vectorised decisions over its tasks.

Pure numbers: codes in, decisions out. How parameters come about: `fitting`; as bytes: `keeping`.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from cupola.quality import standing
from cupola.quality.calibrate import DEFAULT_RHO, temper
from cupola.quality.course import Course
from cupola.quality.inference.blend import doubted
from cupola.quality.online import FLOOR, cold_start
from cupola.quality.pool import Pool

COLD_ACCURACY = 0.8
DEFAULT = "blend"
PROVEN_FROM = 15  # compared judgements of a person


@dataclass(frozen=True, slots=True)
class Parameters:
    """Frozen parameters of one project: confusion (W, K, K) P(said | truth) by worker, prior (K,), rho.

    version counts refits; version 0 is the cold start. `newcomer` (K, K) stands for workers no fit has seen.
    threshold: the confidence at which a task settles before there is a course, and the lowest at which any does.
    standing: (5,) what the confidence is made with (see the module of that name); None for the cold start, which only
    knows rho. reliability: (claimed, observed, n) by bins of confidence, over looks at golds whose truth neither the
    fit nor the coefficients had seen. activity: (W,) judgements of each, and compared: (W,) those of them that stand
    beside gold, an expert's answer or somebody else's; None in models of before. echo: see `pool.Pool`. course: when to
    settle, to ask on and to give up; None before the first fit.
    """

    version: int
    method: str
    rho: float
    prior: NDArray[np.float64]
    workers: dict[UUID, int]
    confusion: NDArray[np.float64]
    newcomer: NDArray[np.float64]
    judgements: int
    threshold: float
    standing: NDArray[np.float64] | None = None
    reliability: tuple[tuple[float, float, int], ...] = ()
    activity: NDArray[np.float64] | None = None
    echo: float = 0.0
    course: Course | None = None
    compared: NDArray[np.float64] | None = None

    @property
    def n_classes(self) -> int:
        return len(self.prior)

    def proven(self, worker: UUID) -> bool:
        """Whether a task may settle on what this person alone has said. Whose answers nobody has looked at seems as
        good as everybody, settles tasks that then nobody looks at, and so is never found out."""
        if self.compared is None:
            return True
        number = self.workers.get(worker)
        return number is not None and bool(self.compared[number] >= PROVEN_FROM)

    def tables(self, workers: list[UUID]) -> NDArray[np.float64]:
        """(n, K, K) log tables of these workers; who is unknown gets the newcomer's."""
        index = np.array([self.workers.get(worker, -1) for worker in workers], dtype=np.int64)
        some = np.broadcast_to(self.newcomer, (len(index), *self.newcomer.shape)).copy()
        some[index >= 0] = self.confusion[index[index >= 0]]
        return np.asarray(np.log(np.maximum(some, FLOOR)))

    def said(self, workers: list[UUID], code: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, K) log P(what each of these workers said | truth): the columns of their tables, and no more of them."""
        index = np.array([self.workers.get(worker, -1) for worker in workers], dtype=np.int64)
        columns = np.ascontiguousarray(self.newcomer[:, code].T)
        known = index >= 0
        columns[known] = self.confusion[index[known], :, code[known]]
        return np.asarray(np.log(np.maximum(columns, FLOOR)))


def cold(n_classes: int, threshold: float = 0.995) -> Parameters:
    """Before any judgement: everybody is right four times in five."""
    table = cold_start(n_classes, COLD_ACCURACY)
    prior = np.full(n_classes, 1.0 / n_classes)
    return Parameters(0, "cold-start", DEFAULT_RHO, prior, {}, np.zeros((0, n_classes, n_classes)), table, 0, threshold)


def pool_of(parameters: Parameters) -> Pool:
    """Who judges, as a forecast takes it: everybody as often as they have judged so far."""
    tables = parameters.confusion if len(parameters.confusion) else parameters.newcomer[None]
    activity = np.ones(len(tables)) if parameters.activity is None else np.maximum(parameters.activity, 1e-9)
    basis = f"{parameters.judgements:,} judgements of this project" if parameters.judgements else "an assumed crowd"
    return Pool(
        tables,
        activity / activity.sum(),
        parameters.prior,
        parameters.rho,
        basis,
        parameters.standing,
        parameters.echo,
    )


def posteriors(
    parameters: Parameters, task: NDArray[np.int64], n_tasks: int, workers: list[UUID], code: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Calibrated posteriors (n_tasks, K) and votes (n_tasks,) from judgements as columns (n,)."""
    evidence, votes = _evidence(parameters, task, n_tasks, workers, code)
    if parameters.standing is None:
        return temper(evidence, votes, parameters.prior, parameters.rho), votes
    before = standing.tempered(evidence, votes, parameters.prior)
    agreeing = standing.agreement_with(before.argmax(axis=1), task, code)
    return _confident(parameters, evidence, votes, agreeing), votes


def _confident(
    parameters: Parameters, evidence: NDArray[np.float64], votes: NDArray[np.int64], agreeing: NDArray[np.float64]
) -> NDArray[np.float64]:
    if parameters.standing is None:
        return temper(evidence, votes, parameters.prior, parameters.rho)
    made_of = standing.features(evidence, votes, parameters.prior, agreeing)
    top = standing.worth(parameters.standing, made_of, parameters.n_classes)
    before = standing.tempered(evidence, votes, parameters.prior)
    # nobody has said anything of a task without votes: what is known of it is how common the classes are
    return np.where(votes[:, None] > 0, standing.placed(before, top), parameters.prior)


def _evidence(
    parameters: Parameters, task: NDArray[np.int64], n_tasks: int, workers: list[UUID], code: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n_tasks, K) evidence and (n_tasks,) votes."""
    return gathered(parameters.said(workers, code), task, code, n_tasks, parameters.prior, parameters.method)


def gathered(
    said: NDArray[np.float64],
    task: NDArray[np.int64],
    code: NDArray[np.int64],
    n_tasks: int,
    prior: NDArray[np.float64],
    method: str,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sums of log likelihoods said (n, K) by task, and the votes. A blend doubts what nobody said (see `blend`)."""
    evidence = np.zeros((n_tasks, len(prior)))
    np.add.at(evidence, task, said)
    votes = np.bincount(task, minlength=n_tasks)
    if method == "blend" and len(code):
        voted = np.zeros(evidence.shape, dtype=np.bool_)
        voted[task, code] = True
        evidence -= doubted(evidence + np.log(np.maximum(prior, FLOOR)), voted)[:, None] * ~voted
    return evidence, votes


def information(tables: NDArray[np.float64], posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) nats that one judgement of each worker is expected to tell about a task.

    tables: (n, K, K) log P(said | truth); posterior: (K,). Mutual information of what is said and what is true.
    """
    joint = np.exp(tables) * posterior[None, :, None]
    said = joint.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * (np.log(joint) - np.log(posterior)[None, :, None] - np.log(said)[:, None, :])
    return np.asarray(np.nansum(terms, axis=(1, 2)))
