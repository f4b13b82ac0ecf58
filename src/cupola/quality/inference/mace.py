"""MACE: each worker either knows, or spams with a habit of their own. For comparison with the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.em import DEFAULT_ITERATIONS, DEFAULT_TOLERANCE, run

SPAM_PRIOR = (0.5, 0.5)  # pseudo-counts of spamming and of knowing
HABIT_PRIOR = 0.1  # pseudo-count of each label in a worker's habit


def mace(
    crowd: Crowd,
    *,
    start: Fit | None = None,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Fit:
    """MAP EM for P(said | truth) = (1 - theta_w) [said = truth] + theta_w xi_w[said].

    Source: Hovy, Berg-Kirkpatrick, Vaswani & Hovy, NAACL (2013). Starts from vote shares, so without restarts.
    """
    classes = crowd.n_classes
    index = np.arange(classes)
    theta = np.full(crowd.n_workers, 0.5)
    xi = np.full((crowd.n_workers, classes), 1.0 / classes)

    def maximise(counts: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
        agreed = np.ascontiguousarray(counts[:, index, index])  # (W, K)
        chance = theta[:, None] * xi
        by_habit = counts.sum(axis=2) - agreed + agreed * chance / (1.0 - theta[:, None] + chance)
        made = counts.sum(axis=(1, 2))
        spam = by_habit.sum(axis=1)
        theta[:] = np.clip((spam + SPAM_PRIOR[0]) / (made + sum(SPAM_PRIOR)), 1e-4, 1.0 - 1e-4)
        xi[:] = (by_habit + HABIT_PRIOR) / (spam[:, None] + HABIT_PRIOR * classes)
        likelihood = np.repeat((theta[:, None] * xi)[:, :, None], classes, axis=2)
        likelihood[:, index, index] += 1.0 - theta[:, None]
        return likelihood

    return run(crowd, maximise, "mace", class_prior=1.0, start=start, iterations=iterations, tolerance=tolerance)
