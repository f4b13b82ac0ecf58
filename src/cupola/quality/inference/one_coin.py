"""One-coin: each worker is right with one probability, wrong in the pool's proportions (or evenly)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.em import DEFAULT_ITERATIONS, DEFAULT_TOLERANCE, run

COIN_STRENGTH = 4.0  # judgements' worth of the pool's accuracy given to each worker
CLASS_PRIOR = 1.0
ACCURACY_RANGE = (1e-3, 1 - 1e-3)
FEW_CLASSES = 8  # up to here the priors are as they were measured best on real sets


def coin_accuracy(counts: NDArray[np.float64], strength: float) -> NDArray[np.float64]:
    """(W,) accuracy of each worker, shrunk to the pool's by `strength` judgements; counts: (W, said, truth)."""
    right = np.trace(counts, axis1=1, axis2=2)
    made = counts.sum(axis=(1, 2))
    pool = right.sum() / max(float(made.sum()), 1e-12) if made.sum() > 0 else 0.5
    accuracy = (right + strength * pool) / (made + strength) if strength > 0 else right / np.maximum(made, 1e-12)
    return np.asarray(np.clip(accuracy, *ACCURACY_RANGE), dtype=np.float64)


def held_to(strength: float, classes: int) -> float:
    """The strength of a prior over one row of a confusion matrix: a row of many cells needs more to be held.

    A vote fills one cell. Where a cell's own prior is far less than a vote, each vote explains itself: the truth was
    something else, and this person is known to say just this then.
    """
    return strength * max(1.0, classes / FEW_CLASSES)


def one_coin(
    crowd: Crowd,
    *,
    start: Fit | None = None,
    strength: float = COIN_STRENGTH,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Fit:
    """EM for the one-coin (homogeneous Dawid-Skene) model with shrunk accuracies; errors fall evenly.

    Source: the homogeneous special case of Dawid & Skene (1979); see Li & Yu (2014).
    """
    classes = crowd.n_classes

    def maximise(counts: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
        accuracy = coin_accuracy(counts, strength)
        wrong = (1.0 - accuracy) / max(classes - 1, 1)
        likelihood = np.repeat(wrong, classes * classes).reshape(-1, classes, classes)
        index = np.arange(classes)
        likelihood[:, index, index] = accuracy[:, None] if classes > 1 else 1.0
        return likelihood

    return run(
        crowd,
        maximise,
        "one_coin",
        class_prior=CLASS_PRIOR,
        start=start,
        iterations=iterations,
        tolerance=tolerance,
    )
