"""The expectation step that every confusion-matrix method shares, and the loop around it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.jit import kernel
from cupola.quality.inference.base import Crowd, Fit, check_table

DEFAULT_ITERATIONS = 100
DEFAULT_TOLERANCE = 1e-5  # mean absolute change of the posterior at which EM stops
RESCALE_EVERY = 16  # votes multiplied before the product is brought back to 1; a factor is >= 1e-12

NO_GOLD = np.full(0, -1, np.int16)


@kernel
def expect(
    starts: NDArray[np.int64],
    worker: NDArray[np.int32],
    label: NDArray[np.int16],
    likelihood: NDArray[np.float64],
    prior: NDArray[np.float64],
    gold: NDArray[np.int16],
    posterior: NDArray[np.float64],
    counts: NDArray[np.float64],
    mass: NDArray[np.float64],
) -> tuple[float, float]:
    """One pass over the judgements: posteriors, and the expected counts they imply.

    likelihood: (W, said, truth); posterior: (T, K), counts: (W, said, truth) and mass: (K,), the
    posteriors' sum, are overwritten.
    Multiplies and rescales instead of adding logarithms: no exp or log for each class.
    Returns (log-likelihood in nats, sum of the absolute changes of the posterior).
    """
    classes = posterior.shape[1]
    counts[:] = 0.0
    mass[:] = 0.0
    product = np.empty(classes)
    log_likelihood = 0.0
    change = 0.0
    for t in range(len(starts) - 1):
        for k in range(classes):
            product[k] = prior[k]
        since = 0
        scale = 0.0
        for row in range(starts[t], starts[t + 1]):
            factors = likelihood[worker[row], label[row]]
            for k in range(classes):
                product[k] *= factors[k]
            since += 1
            if since == RESCALE_EVERY:
                top = 0.0
                for k in range(classes):
                    top = max(top, product[k])
                scale += np.log(top)
                inverse = 1.0 / top
                for k in range(classes):
                    product[k] *= inverse
                since = 0
        known = gold[t] if len(gold) else -1
        if known >= 0:
            log_likelihood += np.log(max(product[known], 1e-300)) + scale
            for k in range(classes):
                product[k] = 1.0 if k == known else 0.0
        else:
            total = 0.0
            for k in range(classes):
                total += product[k]
            log_likelihood += np.log(total) + scale
            inverse = 1.0 / total
            for k in range(classes):
                product[k] *= inverse
        for k in range(classes):
            change += abs(product[k] - posterior[t, k])
            posterior[t, k] = product[k]
            mass[k] += product[k]
        for row in range(starts[t], starts[t + 1]):
            cell = counts[worker[row], label[row]]
            for k in range(classes):
                cell[k] += product[k]
    return log_likelihood, change


@kernel
def count(
    starts: NDArray[np.int64],
    worker: NDArray[np.int32],
    label: NDArray[np.int16],
    posterior: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> None:
    """Expected counts (W, said, truth) under given posteriors (T, K)."""
    classes = posterior.shape[1]
    counts[:] = 0.0
    for t in range(len(starts) - 1):
        for row in range(starts[t], starts[t + 1]):
            cell = counts[worker[row], label[row]]
            for k in range(classes):
                cell[k] += posterior[t, k]


@kernel
def shares(
    starts: NDArray[np.int64], label: NDArray[np.int16], gold: NDArray[np.int16], posterior: NDArray[np.float64]
) -> None:
    """Each task's vote shares into posterior (T, K): uniform without votes, one-hot where gold is known."""
    classes = posterior.shape[1]
    for t in range(len(starts) - 1):
        known = gold[t] if len(gold) else -1
        votes = starts[t + 1] - starts[t]
        if known >= 0:
            posterior[t] = 0.0
            posterior[t, known] = 1.0
        elif votes == 0:
            posterior[t] = 1.0 / classes
        else:
            posterior[t] = 0.0
            for row in range(starts[t], starts[t + 1]):
                posterior[t, label[row]] += 1.0 / votes


def gold_of(crowd: Crowd) -> NDArray[np.int16]:
    """The golds as the kernels want them: an empty array when there are none."""
    return NO_GOLD if crowd.gold is None else crowd.gold


# (counts (W, said, truth), posterior mass of each class (K,)) -> likelihood (W, said, truth)
Maximise = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def run(
    crowd: Crowd,
    maximise: Maximise,
    method: str,
    *,
    class_prior: float,
    start: Fit | None,
    iterations: int,
    tolerance: float,
) -> Fit:
    """Expectation maximisation from vote shares, or from the worker tables of an earlier fit.

    class_prior: pseudo-count added to each class. start: a fit with the same classes; it may know fewer workers
    (new ones start as the average of the known). Deterministic.
    """
    check_table(crowd, method)
    classes = crowd.n_classes
    gold = gold_of(crowd)
    mass = np.zeros(classes)
    posterior = np.empty((crowd.n_tasks, classes))
    counts = np.empty((crowd.n_workers, classes, classes))
    if start is None:
        shares(crowd.starts, crowd.label, gold, posterior)
        count(crowd.starts, crowd.worker, crowd.label, posterior, counts)
        mass = posterior.sum(axis=0)
        prior = (mass + class_prior) / (mass.sum() + class_prior * classes)
        likelihood = maximise(counts, mass)
    else:
        posterior[:] = 1.0 / classes
        prior = start.prior
        likelihood = _warm(start, crowd)
    log_likelihood = 0.0
    done = 0
    converged = False
    while done < iterations and not converged:
        log_likelihood, change = expect(
            crowd.starts, crowd.worker, crowd.label, likelihood, prior, gold, posterior, counts, mass
        )
        prior = (mass + class_prior) / (mass.sum() + class_prior * classes)
        likelihood = maximise(counts, mass)
        done += 1
        converged = change <= tolerance * max(crowd.n_tasks, 1)
    return Fit(
        posterior=posterior,
        confusion=np.ascontiguousarray(likelihood.transpose(0, 2, 1)),
        prior=prior,
        method=method,
        iterations=done,
        converged=converged,
        log_likelihood=float(log_likelihood),
    )


def _warm(start: Fit, crowd: Crowd) -> NDArray[np.float64]:
    """The likelihood table (W, said, truth) of an earlier fit, with average rows for workers it did not know."""
    known = start.confusion[: crowd.n_workers].transpose(0, 2, 1)
    missing = crowd.n_workers - len(known)
    if missing <= 0:
        return np.ascontiguousarray(known)
    average = known.mean(axis=0, keepdims=True)
    return np.ascontiguousarray(np.concatenate([known, np.repeat(average, missing, axis=0)]))
