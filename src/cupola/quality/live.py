"""The online side of inference: frozen parameters of a project, and vectorised decisions over its tasks.

A decision may rest on a single vote, where rho has no say, and EM thinks too well of people it has seen little of. So
the posterior has a second figure here, its sharpness: the power it is raised to, fitted beside rho on golds.

Pure numbers: codes in, decisions out. Labels without codes (several classes, text, boxes) go through `agreeing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from cupola.quality import plan as planner
from cupola.quality.calibrate import DEFAULT_RHO, MAX_RHO, PRIOR_LOG_SD, temper
from cupola.quality.choose import choose
from cupola.quality.inference.base import Crowd, evidence_of
from cupola.quality.inference.blend import SUPPORT
from cupola.quality.inference.methods import METHODS
from cupola.quality.online import FLOOR, cold_start, newcomer

COLD_ACCURACY = 0.8
# A gold that everybody judged is cut into tasks of one, two and three votes: the regime that decisions are made in.
PIECES = np.array([0, 1, 1, 2, 2, 2])
PIECES_HEARD = 3.0  # however many pieces a gold makes, it counts as at most so many: they share its difficulty
DEFAULT_SHARPNESS, SHARPNESS_LOG_SD = 0.75, 0.25  # the middle and the spread of real sets (0.3-1.0)
LOWEST_THRESHOLD = 0.5
FOLDS = 5
RELIABILITY_EDGES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
GIVE_UP_FROM, GIVE_UP_PER_WORKER = 600, 10  # judgements a fit must rest on before it gives a task up
CANDIDATES = ("one_coin", "dawid_skene", "coin_ds", "pool_ds", "blend")  # whose tables say all that they know
DEFAULT = "blend"
CLASSES_TO_CHOOSE = 64  # beyond, tables of every candidate cost more than the choice brings


@dataclass(frozen=True, slots=True)
class Parameters:
    """Frozen parameters of one project: confusion (W, K, K) P(said | truth) by worker, prior (K,), rho.

    version counts refits; version 0 is the cold start. `newcomer` (K, K) stands for workers no fit has seen.
    threshold: calibrated posterior at which a task settles. It is part of the model, because what may settle depends on
    how much doubt the experts take out of the release. reliability: (claimed, observed, n) by bins of confidence, over
    pieces of gold whose truth neither the fit nor the calibration had seen.
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
    sharpness: float = 1.0
    reliability: tuple[tuple[float, float, int], ...] = ()

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
    known: NDArray[np.int16],
    golds: NDArray[np.int16],
    *,
    target_accuracy: float,
    share: float,
    max_votes: int,
) -> Parameters:
    """Fit the project's model on all its judgements: task, worker, code as columns (n,).

    known: (n_tasks,) what gold and experts say, -1 unknown; the fit is held to it. golds: the golds alone, which were
    drawn blindly (an expert sees the doubtful ones). They choose the method and rho, by fits that were not told them.
    The threshold is the lowest that leaves no more than `share` of the allowed error in the whole release, counting
    what the experts take over (see `plan.forecast`).
    """
    classes = before.n_classes
    n_tasks, n_workers = len(known), len(worker_ids)
    pieces, truth, heard, source = cut(tasks, workers, codes, golds, n_workers, classes)
    candidates = CANDIDATES if classes <= CLASSES_TO_CHOOSE else (DEFAULT,)
    chosen = choose(pieces, truth, candidates=candidates, default=DEFAULT)
    scored = np.flatnonzero(truth >= 0)
    evidence, votes, prior = evidence_of(chosen.fit, pieces)[scored], pieces.votes[scored], chosen.fit.prior
    rho, sharpness = calibration(evidence, votes, prior, truth[scored], heard[scored])
    crowd = Crowd.from_codes(
        tasks, workers, codes, n_tasks=n_tasks, n_workers=n_workers, n_classes=classes, gold=known, duplicates="last"
    )
    fit = METHODS[chosen.method](crowd)
    counts = np.bincount(workers, minlength=n_workers).astype(float)
    pool = planner.Pool(fit.confusion, counts / counts.sum(), fit.prior, rho, "the project so far", sharpness)
    expected = planner.forecast(n_tasks, pool, target_accuracy, max_votes=max_votes, share=share)
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
        sharpness,
        reliability(evidence, votes, prior, truth[scored], heard[scored], source[scored]),
    )


def cut(
    tasks: NDArray[np.int64],
    workers: NDArray[np.int64],
    codes: NDArray[np.int64],
    golds: NDArray[np.int16],
    n_workers: int,
    classes: int,
) -> tuple[Crowd, NDArray[np.int16], NDArray[np.float64], NDArray[np.int64]]:
    """The crowd with every gold cut into PIECES; (n_pieces,) the truth of each, -1 unknown; (n_pieces,) its weight;
    (n_pieces,) the task it comes from."""
    order = np.lexsort((workers * 2_654_435_761 % 1_000_003, tasks))
    task, worker, code = tasks[order], workers[order], codes[order]
    new_task = np.concatenate([[True], task[1:] != task[:-1]])
    starts = np.flatnonzero(new_task)
    within = np.arange(len(task)) - np.repeat(starts, np.diff(np.append(starts, len(task))))
    is_gold = golds[task] >= 0
    part = np.where(is_gold, within // len(PIECES) * len(PIECES) + PIECES[within % len(PIECES)], 0)
    piece = np.cumsum(new_task | np.concatenate([[True], part[1:] != part[:-1]])) - 1
    n_pieces = int(piece[-1]) + 1
    truth = np.full(n_pieces, -1, np.int16)
    truth[piece] = golds[task]
    source = np.zeros(n_pieces, np.int64)
    source[piece] = task
    made = np.bincount(source, minlength=len(golds))[source]
    crowd = Crowd.from_codes(
        piece, worker, code, n_tasks=n_pieces, n_workers=n_workers, n_classes=classes, duplicates="last"
    )
    return crowd, truth, np.minimum(made, PIECES_HEARD) / made, source


def calibration(
    evidence: NDArray[np.float64],
    votes: NDArray[np.int64],
    prior: NDArray[np.float64],
    truth: NDArray[np.int16],
    heard: NDArray[np.float64],
) -> tuple[float, float]:
    """rho and sharpness with the least log-loss, each with a log-normal prior around what is usual.

    evidence (n, K), votes, truth and weight (n,) of pieces of gold, by a fit that was not told them.
    """
    usual = np.log([DEFAULT_RHO, DEFAULT_SHARPNESS])
    if len(truth) == 0:
        return DEFAULT_RHO, DEFAULT_SHARPNESS
    rows = np.arange(len(truth))

    def loss(logs: NDArray[np.float64]) -> float:
        right = sharpened(temper(evidence, votes, prior, float(np.exp(logs[0]))), float(np.exp(logs[1])))[rows, truth]
        penalty = 0.5 * (((logs - usual) / (PRIOR_LOG_SD, SHARPNESS_LOG_SD)) ** 2).sum()
        return float(penalty - (heard * np.log(np.maximum(right, FLOOR))).sum())

    found = minimize(loss, usual, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-3})
    rho, sharpness = np.exp(found.x)
    return float(min(max(rho, 0.01), MAX_RHO)), float(min(max(sharpness, 0.1), 1.5))


def reliability(
    evidence: NDArray[np.float64],
    votes: NDArray[np.int64],
    prior: NDArray[np.float64],
    truth: NDArray[np.int16],
    heard: NDArray[np.float64],
    source: NDArray[np.int64],
) -> tuple[tuple[float, float, int], ...]:
    """What was claimed and what was right, by bins: each piece under the calibration that the other golds gave."""
    golds, number = np.unique(source, return_inverse=True)
    if len(golds) < 2 * FOLDS:
        return ()
    fold = number % FOLDS
    claimed, right = np.empty(len(truth)), np.empty(len(truth), np.bool_)
    for k in range(FOLDS):
        here, rest = fold == k, fold != k
        rho, sharpness = calibration(evidence[rest], votes[rest], prior, truth[rest], heard[rest])
        posterior = sharpened(temper(evidence[here], votes[here], prior, rho), sharpness)
        claimed[here], right[here] = posterior.max(axis=1), posterior.argmax(axis=1) == truth[here]
    bins = np.digitize(claimed, RELIABILITY_EDGES)
    return tuple(
        (
            float(np.average(claimed[bins == b], weights=heard[bins == b])),
            float(np.average(right[bins == b], weights=heard[bins == b])),
            int((bins == b).sum()),
        )
        for b in np.unique(bins)
    )


def sharpened(posterior: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """(n, K) the posterior to this power: the whole log posterior times sharpness."""
    power = posterior**sharpness
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def posteriors(
    parameters: Parameters, task: NDArray[np.int64], n_tasks: int, workers: list[UUID], code: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Calibrated posteriors (n_tasks, K) and votes (n_tasks,) from judgements as columns (n,)."""
    evidence, votes = _evidence(parameters, task, n_tasks, workers, code)
    return _posterior(parameters, evidence, votes), votes


def _posterior(parameters: Parameters, evidence: NDArray[np.float64], votes: NDArray[np.int64]) -> NDArray[np.float64]:
    return sharpened(temper(evidence, votes, parameters.prior, parameters.rho), parameters.sharpness)


def _evidence(
    parameters: Parameters, task: NDArray[np.int64], n_tasks: int, workers: list[UUID], code: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n_tasks, K) summed log likelihoods, and (n_tasks,) votes. A blend doubts what nobody said (see `blend`)."""
    evidence = np.zeros((n_tasks, parameters.n_classes))
    if len(code):
        tables = parameters.tables(workers)
        np.add.at(evidence, task, tables[np.arange(len(code)), :, code])
    votes = np.bincount(task, minlength=n_tasks)
    if parameters.method == "blend" and len(code):
        voted = np.zeros(evidence.shape, dtype=np.bool_)
        voted[task, code] = True
        best = (evidence + np.log(np.maximum(parameters.prior, FLOOR))).argmax(axis=1)
        unheard = (votes > 0) & ~voted[np.arange(n_tasks), best]
        evidence -= SUPPORT * (unheard[:, None] & ~voted)
    return evidence, votes


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
    evidence, votes = _evidence(parameters, task, n_tasks, workers, code)
    best = _posterior(parameters, evidence, votes).argmax(axis=1)
    to_come = np.maximum(max_votes - votes, 0)
    accuracy = np.einsum("wkk,k->w", parameters.confusion, parameters.prior)
    good = parameters.confusion[int(np.argsort(accuracy)[(3 * len(accuracy)) // 4])]
    agreeing = np.log(np.maximum(good[:, best], FLOOR)).T  # (n_tasks, K)
    at_best = _posterior(parameters, evidence + agreeing * to_come[:, None], np.maximum(votes + to_come, 1))
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
    sharpness: float = 1.0  # of models that knew no other
    reliability: tuple[tuple[float, float, int], ...] = ()


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
            parameters.sharpness,
            parameters.reliability,
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
        frozen.sharpness,
        frozen.reliability,
    )
