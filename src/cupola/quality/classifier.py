"""A classifier as one more worker: trained on the crowd's posteriors, heard only on tasks it was not trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from cupola.kernel.errors import invalid
from cupola.quality.calibrate import DEFAULT_RHO, calibrated
from cupola.quality.inference.base import Crowd, Fit, evidence_of

FOLDS = 5
PENALTY = 1.0  # ridge on the weights of standardised features, in units of one task
ROUNDS = 3
FLOOR = 1e-6


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

    found = minimize(
        loss, np.zeros((dims + 1) * classes), jac=True, method="L-BFGS-B", options={"maxiter": 200, "ftol": 1e-7}
    )
    return np.asarray(found.x, dtype=np.float64).reshape(dims + 1, classes)


def out_of_fold(
    features: NDArray[np.float64],
    target: NDArray[np.float64],
    *,
    folds: int = FOLDS,
    penalty: float = PENALTY,
    seed: int = 0,
) -> NDArray[np.float64]:
    """(n, K) probabilities of each task from a regression trained on the other folds.

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
        weights = train_softmax(scaled[~test], target[~test], penalty=penalty)
        logits = scaled[test] @ weights[:-1] + weights[-1]
        logits -= logits.max(axis=1, keepdims=True)
        out[test] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return out


def join(fit: Fit, crowd: Crowd, probabilities: NDArray[np.float64], *, rho: float = DEFAULT_RHO) -> Fit:
    """The fit with a classifier's out-of-fold probabilities (n_tasks, K) heard as one more voice.

    Its weight is fitted, by log-loss against the crowd's calibrated posteriors, never against truth; it is at
    most 1.5 and 0 when it knows nothing. A row of NaN means: the classifier has no opinion on that task.
    """
    if probabilities.shape != fit.posterior.shape:
        raise invalid("classifier-shape", f"probabilities has shape {probabilities.shape}, not {fit.posterior.shape}.")
    heard: NDArray[np.bool_] = np.asarray(np.isfinite(probabilities).all(axis=1), dtype=np.bool_)
    if np.any(probabilities[heard] < 0):
        raise invalid("classifier-negative", "A probability is below 0.", place="probabilities")
    shares = np.maximum(probabilities, FLOOR)
    marginal = shares[heard].mean(axis=0) if heard.any() else np.ones(crowd.n_classes)
    log_ratio = np.where(heard[:, None], np.log(shares / shares.sum(axis=1, keepdims=True)) - np.log(marginal), 0.0)
    crowd_says = calibrated(fit, crowd.with_gold(None), rho)
    judged = heard & (crowd.votes > 0)
    log_prior = np.log(np.maximum(fit.prior, 1e-300))

    def loss(weight: float) -> float:
        logits = weight * log_ratio[judged] + log_prior
        logits -= logits.max(axis=1, keepdims=True)
        return float(-(crowd_says[judged] * (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))).sum())

    weight = float(minimize_scalar(loss, bounds=(0.0, 1.5), method="bounded").x) if judged.any() else 0.0
    # the calibration layer scales everything by the number of votes; the classifier is a vote of its own kind,
    # so it is entered as strong as if it were not to be scaled
    scale = 1.0 + np.maximum(crowd.votes - 1.0, 0.0) * rho
    evidence = evidence_of(fit, crowd) + weight * log_ratio * scale[:, None]
    logits = log_prior + evidence
    posterior = np.exp(logits - logits.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    if crowd.gold is not None:
        known = crowd.gold >= 0
        posterior[known] = 0.0
        posterior[known, crowd.gold[known]] = 1.0
    return Fit(
        posterior,
        fit.confusion,
        fit.prior,
        f"{fit.method}+classifier",
        fit.iterations,
        fit.converged,
        fit.log_likelihood,
        evidence,
    )


def learn_and_join(
    fit: Fit,
    crowd: Crowd,
    features: NDArray[np.float64],
    *,
    rho: float = DEFAULT_RHO,
    penalty: float = PENALTY,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> tuple[Fit, NDArray[np.float64]]:
    """Train on the crowd's posteriors out of fold, join, and again on what came of it.

    features: (n_tasks, d). Each round a task's target comes from its votes and from regressions not trained on
    it. Returns the joined fit and the last out-of-fold probabilities (n_tasks, K).
    """
    joined = fit
    probabilities = np.empty_like(fit.posterior)
    for _ in range(rounds):
        target = calibrated(joined, crowd, rho)
        probabilities = out_of_fold(features, target, penalty=penalty, seed=seed)
        joined = join(fit, crowd, probabilities, rho=rho)
    return joined, probabilities
