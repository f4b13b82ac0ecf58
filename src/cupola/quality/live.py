"""The online side of inference: frozen parameters of a project, and vectorised decisions over its tasks.

Pure numbers: codes in, decisions out. Labels without codes (several classes, text, boxes) go through `agreeing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.quality import plan as planner
from cupola.quality.calibrate import DEFAULT_RHO, rho_of, temper
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.model import SETTLE_SHARE
from cupola.quality.online import FLOOR, cold_start, newcomer

COLD_ACCURACY = 0.8
CHUNK_VOTES = 3  # a gold judged by everybody is cut into tasks of so many votes: the regime that decisions are made in
LOWEST_THRESHOLD = 0.5
GIVE_UP_FROM, GIVE_UP_PER_WORKER = 600, 10  # judgements a fit must rest on before it gives a task up
RHO_FROM = 50  # golds from which rho is fitted; below, the default stands


@dataclass(frozen=True, slots=True)
class Parameters:
    """Frozen parameters of one project: confusion (W, K, K) P(said | truth) by worker, prior (K,), rho.

    version counts refits; version 0 is the cold start. `newcomer` (K, K) stands for workers no fit has seen.
    threshold: calibrated posterior at which a task settles. It is part of the model, because what may settle depends on
    how much doubt the experts take out of the release.
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

    @property
    def n_classes(self) -> int:
        return len(self.prior)

    def tables(self, workers: list[UUID]) -> NDArray[np.float64]:
        """(n, K, K) log tables of these workers; who is unknown gets the newcomer's."""
        index = np.array([self.workers.get(worker, -1) for worker in workers], dtype=np.int64)
        all_tables = np.concatenate([self.confusion, self.newcomer[None]])
        return np.asarray(np.log(np.maximum(all_tables[index], FLOOR)))


def cold(n_classes: int, threshold: float = 0.995) -> Parameters:
    """Before any judgement: everybody is right four times in five."""
    table = cold_start(n_classes, COLD_ACCURACY)
    prior = np.full(n_classes, 1.0 / n_classes)
    return Parameters(0, "cold-start", DEFAULT_RHO, prior, {}, np.zeros((0, n_classes, n_classes)), table, 0, threshold)


def refit(
    before: Parameters,
    tasks: NDArray[np.int64],
    workers: NDArray[np.int64],
    codes: NDArray[np.int64],
    worker_ids: list[UUID],
    gold: NDArray[np.int16],
    *,
    target_accuracy: float,
    max_votes: int,
) -> Parameters:
    """Fit coin_ds on all judgements of a project: task, worker, code as columns (n,); gold (n_tasks,), -1 unknown.

    rho comes from golds that the fit was not told, cut into tasks of a few votes, so that it is right for the number
    of votes at which decisions are made. The threshold is the lowest that leaves no more than
    SETTLE_SHARE of the allowed error in the whole release, counting what the experts take over (see `plan.forecast`).
    """
    classes = before.n_classes
    n_tasks, n_workers = len(gold), len(worker_ids)
    crowd = Crowd.from_codes(
        tasks, workers, codes, n_tasks=n_tasks, n_workers=n_workers, n_classes=classes, gold=gold, duplicates="last"
    )
    fit = coin_ds(crowd)
    rho = _rho(tasks, workers, codes, gold, n_workers, classes)
    counts = np.bincount(workers, minlength=n_workers).astype(float)
    pool = planner.Pool(fit.confusion, counts / counts.sum(), fit.prior, rho, "the project so far")
    # the planner leaves half of the error it is told; we want the crowd to leave SETTLE_SHARE of what is allowed
    aim = 1.0 - (1.0 - target_accuracy) * SETTLE_SHARE * 2.0
    expected = planner.forecast(n_tasks, pool, aim, max_votes=max_votes)
    return Parameters(
        before.version + 1,
        fit.method,
        rho,
        fit.prior,
        {worker: n for n, worker in enumerate(worker_ids)},
        fit.confusion,
        newcomer(fit.confusion, np.maximum(counts, 1e-9)),
        len(codes),
        max(expected.threshold, LOWEST_THRESHOLD),
    )


def _rho(
    tasks: NDArray[np.int64],
    workers: NDArray[np.int64],
    codes: NDArray[np.int64],
    gold: NDArray[np.int16],
    n_workers: int,
    classes: int,
) -> float:
    known = gold[tasks] >= 0
    if int((gold >= 0).sum()) == 0 or int(known.sum()) < RHO_FROM:
        return DEFAULT_RHO
    # the fit must not have been told the answers it is scored on
    blind: Fit = coin_ds(
        Crowd.from_codes(
            tasks, workers, codes, n_tasks=len(gold), n_workers=n_workers, n_classes=classes, duplicates="last"
        )
    )
    order = np.lexsort((workers[known] * 2_654_435_761 % 1_000_003, tasks[known]))
    task, worker, code = tasks[known][order], workers[known][order], codes[known][order]
    starts = np.flatnonzero(np.concatenate([[True], task[1:] != task[:-1]]))
    within = np.arange(len(task)) - np.repeat(starts, np.diff(np.append(starts, len(task))))
    piece = np.unique(np.stack([task, within // CHUNK_VOTES]), axis=1, return_inverse=True)[1].ravel()
    n_pieces = int(piece.max()) + 1
    evidence = np.zeros((n_pieces, classes))
    np.add.at(evidence, piece, np.log(np.maximum(blind.confusion[worker, :, code], FLOOR)))
    truth = np.zeros(n_pieces, np.int16)
    truth[piece] = gold[task]
    votes = np.bincount(piece, minlength=n_pieces)
    return rho_of(evidence, votes, blind.prior, truth)


def posteriors(
    parameters: Parameters, task: NDArray[np.int64], n_tasks: int, workers: list[UUID], code: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Calibrated posteriors (n_tasks, K) and votes (n_tasks,) from judgements as columns (n,)."""
    evidence = np.zeros((n_tasks, parameters.n_classes))
    if len(code):
        tables = parameters.tables(workers)
        np.add.at(evidence, task, tables[np.arange(len(code)), :, code])
    votes = np.bincount(task, minlength=n_tasks)
    return temper(evidence, votes, parameters.prior, parameters.rho), votes


def reachable(
    parameters: Parameters,
    task: NDArray[np.int64],
    n_tasks: int,
    workers: list[UUID],
    code: NDArray[np.int64],
    max_votes: int,
) -> NDArray[np.bool_]:
    """(n_tasks,) whether a task can still settle: if all the votes it may yet get agreed with its likeliest class.

    The votes to come are taken to be those of a good worker (upper quartile). Where even that would not do, further
    votes buy nothing and an expert is asked at once. A young model gives no task up: it does not know its crowd yet.
    """
    if parameters.judgements < max(GIVE_UP_FROM, GIVE_UP_PER_WORKER * len(parameters.workers)):
        return np.ones(n_tasks, dtype=np.bool_)
    evidence = np.zeros((n_tasks, parameters.n_classes))
    if len(code):
        tables = parameters.tables(workers)
        np.add.at(evidence, task, tables[np.arange(len(code)), :, code])
    votes = np.bincount(task, minlength=n_tasks)
    best = temper(evidence, votes, parameters.prior, parameters.rho).argmax(axis=1)
    to_come = np.maximum(max_votes - votes, 0)
    accuracy = np.einsum("wkk,k->w", parameters.confusion, parameters.prior)
    good = parameters.confusion[int(np.argsort(accuracy)[(3 * len(accuracy)) // 4])]
    agreeing = np.log(np.maximum(good[:, best], FLOOR)).T  # (n_tasks, K)
    at_best = temper(
        evidence + agreeing * to_come[:, None], np.maximum(votes + to_come, 1), parameters.prior, parameters.rho
    )
    return np.asarray(at_best.max(axis=1) >= parameters.threshold)


def information(tables: NDArray[np.float64], posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) nats that one judgement of each worker is expected to tell about a task.

    tables: (n, K, K) log P(said | truth); posterior: (K,). Mutual information of what is said and what is true.
    """
    joint = np.exp(tables) * posterior[None, :, None]
    said = joint.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * (np.log(joint) - np.log(posterior)[None, :, None] - np.log(said)[:, None, :])
    return np.asarray(np.nansum(terms, axis=(1, 2)))


class _Frozen(msgspec.Struct):
    """Parameters as bytes."""

    version: int
    method: str
    rho: float
    prior: list[float]
    workers: list[UUID]
    confusion: bytes
    newcomer: bytes
    judgements: int
    threshold: float


def freeze(parameters: Parameters) -> bytes:
    """Parameters as bytes, for `model_version.state`: any past decision can be replayed from them."""
    by_number: list[Any] = [None] * len(parameters.workers)
    for worker, n in parameters.workers.items():
        by_number[n] = worker
    return msgspec.msgpack.encode(
        _Frozen(
            parameters.version,
            parameters.method,
            parameters.rho,
            parameters.prior.tolist(),
            by_number,
            parameters.confusion.astype("<f4").tobytes(),
            parameters.newcomer.astype("<f4").tobytes(),
            parameters.judgements,
            parameters.threshold,
        )
    )


def thaw(state: bytes) -> Parameters:
    """The parameters that `freeze` wrote (tables in single precision)."""
    frozen = msgspec.msgpack.decode(state, type=_Frozen)
    classes = len(frozen.prior)
    shape = (len(frozen.workers), classes, classes)
    return Parameters(
        frozen.version,
        frozen.method,
        frozen.rho,
        np.array(frozen.prior),
        {worker: n for n, worker in enumerate(frozen.workers)},
        np.frombuffer(frozen.confusion, "<f4").astype(float).reshape(shape),
        np.frombuffer(frozen.newcomer, "<f4").astype(float).reshape(classes, classes),
        frozen.judgements,
        frozen.threshold,
    )
