"""A classifier as one more worker: trained on the crowd's posteriors, heard only on tasks it was not trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.quality.calibrate import DEFAULT_RHO, calibrated
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.methods import DEFAULT_METHOD, METHODS, Method

optimize = Lazy("scipy.optimize")

FOLDS = 5
PENALTY = 30.0  # ridge on the weights of standardised features, in units of one task
PENALTIES = (10.0, 100.0)
ROUNDS = 3


def train_softmax(
    features: NDArray[np.float64], target: NDArray[np.float64], *, penalty: float = PENALTY
) -> NDArray[np.float64]:
    """(d + 1, K) weights of a multinomial logistic regression on soft targets, the intercept last.

    features: (n, d), standardised by the caller; target: (n, K), rows sum to 1. L-BFGS, deterministic.
    """
    rows, dims = features.shape
    classes = target.shape[1]
    design = np.column_stack([features, np.ones(rows)])

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(dims + 1, classes)
        logits = design @ weights
        logits -= logits.max(axis=1, keepdims=True)
        log_total = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        probability = np.exp(logits - log_total)
        value = -(target * (logits - log_total)).sum() + 0.5 * penalty * (weights[:-1] ** 2).sum()
        gradient = design.T @ (probability - target)
        gradient[:-1] += penalty * weights[:-1]
        return float(value), gradient.ravel()

    found = optimize.minimize(
        loss, np.zeros((dims + 1) * classes), jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-7}
    )
    return np.asarray(found.x, dtype=np.float64).reshape(dims + 1, classes)


def out_of_fold(
    features: NDArray[np.float64],
    target: NDArray[np.float64],
    judged: NDArray[np.bool_] | None = None,
    *,
    folds: int = FOLDS,
    penalty: float = PENALTY,
    seed: int = 0,
) -> NDArray[np.float64]:
    """(n, K) probabilities of each task from a regression trained on the other folds.

    judged: (n,) which tasks may be trained on; all unless given.

    Raises Problem when features are not finite or there are fewer rows than folds.
    """
    if features.ndim != 2 or len(features) != len(target):
        raise invalid("features-shape", f"features has shape {features.shape}, targets {target.shape}.")
    if not np.isfinite(features).all():
        row = int(np.flatnonzero(~np.isfinite(features).all(axis=1))[0])
        raise invalid("features-nan", f"The features of row {row} are not finite.", place=f"features, row {row}")
    if len(features) < folds:
        raise invalid("features-few", f"{len(features)} tasks cannot be split into {folds} folds.")
    centred = features - features.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred / np.where(spread > 0, spread, 1.0)
    fold = np.random.default_rng(seed).permutation(len(features)) % folds
    out = np.empty_like(target)
    for k in range(folds):
        test = fold == k
        train = ~test if judged is None else ~test & judged
        weights = train_softmax(scaled[train], target[train], penalty=penalty)
        logits = scaled[test] @ weights[:-1] + weights[-1]
        logits -= logits.max(axis=1, keepdims=True)
        out[test] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return out


def join(
    crowd: Crowd, probabilities: NDArray[np.float64], *, method: Method = METHODS[DEFAULT_METHOD]
) -> tuple[Fit, Crowd]:
    """The crowd with a classifier as one more worker, and a fit of both.

    probabilities: (n_tasks, K), out of fold: of each task by a classifier that was not trained on it. Only its answers
    count, its own confidence does not: how far each answer is to be believed is learned like any worker's confusion
    matrix, which came out both more accurate and better calibrated than weighing its probabilities. A row of NaN
    means that it has no answer. The new worker's number is crowd.n_workers. Raises Problem for a wrong shape.
    """
    if probabilities.shape != (crowd.n_tasks, crowd.n_classes):
        raise invalid(
            "classifier-shape",
            f"probabilities has shape {probabilities.shape}, not ({crowd.n_tasks}, {crowd.n_classes}).",
        )
    heard = np.flatnonzero(np.asarray(np.isfinite(probabilities).all(axis=1)))
    answers = probabilities[heard].argmax(axis=1)
    joined = Crowd.from_codes(
        np.concatenate([crowd.task, heard]),
        np.concatenate([crowd.worker, np.full(len(heard), crowd.n_workers)]),
        np.concatenate([crowd.label, answers]),
        n_tasks=crowd.n_tasks,
        n_workers=crowd.n_workers + 1,
        n_classes=crowd.n_classes,
        gold=crowd.gold,
        duplicates="keep",
    )
    return method(joined), joined


def learn_and_join(
    crowd: Crowd,
    features: NDArray[np.float64],
    *,
    method: Method = METHODS[DEFAULT_METHOD],
    rho: float = DEFAULT_RHO,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> tuple[Fit, Crowd, NDArray[np.float64]]:
    """Train on the crowd's calibrated posteriors out of fold, join, and again on what came of it.

    features: (n_tasks, d). Tasks without a vote are predicted, not trained on. The ridge is chosen by the log-loss of
    out-of-fold predictions against those posteriors; no truth is used but the crowd's golds. Returns the joined fit,
    the joined crowd and the last out-of-fold probabilities (n_tasks, K).
    """
    target = calibrated(method(crowd), crowd, rho)
    judged = crowd.votes > 0
    tried = [(_loss(out_of_fold(features, target, judged, penalty=p, seed=seed), target, judged), p) for p in PENALTIES]
    penalty = min(tried)[1]
    fit, joined, probabilities = method(crowd), crowd, target
    for turn in range(max(rounds, 1)):
        probabilities = out_of_fold(features, target, judged, penalty=penalty, seed=seed + turn)
        fit, joined = join(crowd, probabilities, method=method)
        target = calibrated(fit, joined, rho)
    return fit, joined, probabilities


def _loss(probabilities: NDArray[np.float64], target: NDArray[np.float64], judged: NDArray[np.bool_]) -> float:
    return float(-(target[judged] * np.log(np.maximum(probabilities[judged], 1e-12))).sum())
