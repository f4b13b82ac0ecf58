"""Dawid-Skene: a full confusion matrix for each worker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.em import DEFAULT_ITERATIONS, DEFAULT_TOLERANCE, run

SMOOTHING = 0.01  # pseudo-count of each cell: keeps a likelihood above zero and no more
FLOOR = 1e-12


def dawid_skene(
    crowd: Crowd,
    *,
    start: Fit | None = None,
    smoothing: float = SMOOTHING,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Fit:
    """EM from vote shares; with smoothing=0 the classic maximum-likelihood estimate.

    smoothing: Dirichlet pseudo-count of each cell of a worker's matrix (MAP).
    Source: Dawid & Skene, Applied Statistics 28 (1979).
    """
    classes = crowd.n_classes

    def maximise(counts: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
        total = counts.sum(axis=1, keepdims=True) + smoothing * classes  # (W, 1, truth)
        likelihood = (counts + smoothing) / np.where(total > 0, total, 1.0)
        # a class a worker never met under no smoothing says nothing about what they would answer
        likelihood = np.where(total > 0, likelihood, 1.0 / classes)
        return np.maximum(likelihood, FLOOR)

    return run(
        crowd,
        maximise,
        "dawid_skene",
        class_prior=smoothing,
        start=start,
        iterations=iterations,
        tolerance=tolerance,
    )
