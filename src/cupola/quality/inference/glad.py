"""GLAD: tasks differ in difficulty, workers in ability. For comparison, and for its difficulties."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.jit import kernel
from cupola.quality.inference.base import Crowd, Fit, check_table
from cupola.quality.inference.em import DEFAULT_TOLERANCE, gold_of, shares

DEFAULT_ITERATIONS = 50
ABILITY_PRIOR = (1.0, 1.0)  # mean and sd of a worker's ability
EASE_SD = 1.0  # sd of log ease, around 0


def glad(
    crowd: Crowd,
    *,
    start: Fit | None = None,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Fit:
    """EM for P(right) = sigmoid(ability_w * ease_t), errors even; one damped Newton step of each a round.

    Source: Whitehill et al., NIPS (2009), with normal priors. `start` gives the first posteriors when it has
    the same tasks. The confusion of a worker is one-coin at the accuracy expected over the tasks they did.
    """
    check_table(crowd, "glad")
    classes = crowd.n_classes
    gold = gold_of(crowd)
    posterior = np.empty((crowd.n_tasks, classes))
    if start is not None and start.posterior.shape == posterior.shape:
        posterior[:] = start.posterior
    else:
        shares(crowd.starts, crowd.label, gold, posterior)
    ability = np.full(crowd.n_workers, ABILITY_PRIOR[0])
    log_ease = np.zeros(crowd.n_tasks)
    evidence = np.zeros_like(posterior)
    prior = (posterior.sum(axis=0) + 1.0) / (crowd.n_tasks + classes)
    done, converged, log_likelihood = 0, False, 0.0
    while done < iterations and not converged:
        _maximise(crowd.starts, crowd.worker, crowd.label, posterior, ability, log_ease)
        log_likelihood, change = _expect(
            crowd.starts, crowd.worker, crowd.label, ability, log_ease, np.log(prior), gold, posterior, evidence
        )
        prior = (posterior.sum(axis=0) + 1.0) / (crowd.n_tasks + classes)
        done += 1
        converged = change <= tolerance * max(crowd.n_tasks, 1)
    accuracy = _accuracy(crowd.task, crowd.worker, ability, log_ease)
    wrong = (1.0 - accuracy) / max(classes - 1, 1)
    confusion = np.repeat(wrong, classes * classes).reshape(-1, classes, classes)
    index = np.arange(classes)
    confusion[:, index, index] = accuracy[:, None] if classes > 1 else 1.0
    return Fit(posterior, confusion, prior, "glad", done, converged, log_likelihood, evidence)


@kernel
def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(x, -30.0), 30.0)))


@kernel
def _maximise(
    starts: NDArray[np.int64],
    worker: NDArray[np.int32],
    label: NDArray[np.int16],
    posterior: NDArray[np.float64],
    ability: NDArray[np.float64],
    log_ease: NDArray[np.float64],
) -> None:
    """One Fisher-scoring step of the eases, then one of the abilities, each at most 1 long."""
    slope_w = np.empty(len(ability))
    curve_w = np.ones(len(ability))
    for w in range(len(ability)):
        slope_w[w] = 1.0 - ability[w]
    for t in range(len(starts) - 1):
        ease = np.exp(log_ease[t])
        slope = -log_ease[t]
        curve = 1.0
        for row in range(starts[t], starts[t + 1]):
            a = ability[worker[row]]
            p = _sigmoid(a * ease)
            slope += (posterior[t, label[row]] - p) * a * ease
            curve += p * (1.0 - p) * (a * ease) ** 2
        log_ease[t] = min(max(log_ease[t] + min(max(slope / curve, -1.0), 1.0), -4.0), 4.0)
        ease = np.exp(log_ease[t])
        for row in range(starts[t], starts[t + 1]):
            w = worker[row]
            p = _sigmoid(ability[w] * ease)
            slope_w[w] += (posterior[t, label[row]] - p) * ease
            curve_w[w] += p * (1.0 - p) * ease**2
    for w in range(len(ability)):
        ability[w] += min(max(slope_w[w] / curve_w[w], -1.0), 1.0)


@kernel
def _expect(
    starts: NDArray[np.int64],
    worker: NDArray[np.int32],
    label: NDArray[np.int16],
    ability: NDArray[np.float64],
    log_ease: NDArray[np.float64],
    log_prior: NDArray[np.float64],
    gold: NDArray[np.int16],
    posterior: NDArray[np.float64],
    evidence: NDArray[np.float64],
) -> tuple[float, float]:
    classes = posterior.shape[1]
    log_likelihood = 0.0
    change = 0.0
    fresh = np.empty(classes)
    for t in range(len(starts) - 1):
        ease = np.exp(log_ease[t])
        evidence[t] = 0.0
        for row in range(starts[t], starts[t + 1]):
            p = _sigmoid(ability[worker[row]] * ease)
            wrong = np.log((1.0 - p) / max(classes - 1, 1))
            right = np.log(p)
            for k in range(classes):
                evidence[t, k] += right if k == label[row] else wrong
        top = -np.inf
        for k in range(classes):
            top = max(top, evidence[t, k] + log_prior[k])
        total = 0.0
        for k in range(classes):
            fresh[k] = np.exp(evidence[t, k] + log_prior[k] - top)
            total += fresh[k]
        log_likelihood += top + np.log(total)
        known = gold[t] if len(gold) else -1
        for k in range(classes):
            value = fresh[k] / total
            if known >= 0:
                value = 1.0 if k == known else 0.0
            change += abs(value - posterior[t, k])
            posterior[t, k] = value
    return log_likelihood, change


@kernel
def _accuracy(
    task: NDArray[np.int32], worker: NDArray[np.int32], ability: NDArray[np.float64], log_ease: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(W,) mean of P(right) over the tasks a worker did, with one more at ease 1."""
    total = np.empty(len(ability))
    made = np.ones(len(ability))
    for w in range(len(ability)):
        total[w] = _sigmoid(ability[w])
    for row in range(len(task)):
        w = worker[row]
        total[w] += _sigmoid(ability[w] * np.exp(log_ease[task[row]]))
        made[w] += 1.0
    return total / made
