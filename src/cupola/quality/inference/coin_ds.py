"""coin_ds: a confusion matrix for each worker, held near that worker's own one-coin matrix until data speak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.em import DEFAULT_ITERATIONS, DEFAULT_TOLERANCE, run
from cupola.quality.inference.one_coin import CLASS_PRIOR, COIN_STRENGTH, FEW_CLASSES, coin_accuracy, held_to

STRENGTH = 10.0  # judgements' worth of the prior in each row of a worker's matrix


def coin_ds(
    crowd: Crowd,
    *,
    start: Fit | None = None,
    strength: float = STRENGTH,
    coin_strength: float = COIN_STRENGTH,
    class_prior: float = CLASS_PRIOR,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Fit:
    """MAP Dawid-Skene with a hierarchical prior: pool -> a worker's accuracy -> a worker's matrix.

    strength: Dirichlet strength of each row, centred on the worker's own shrunk accuracy on the diagonal and the
    pool's proportions of errors off it. coin_strength: how strongly that accuracy is shrunk to the pool's.
    Where data are sparse it is the one-coin model, where they are plenty it is Dawid-Skene.
    """
    classes = crowd.n_classes
    index = np.arange(classes)
    firm, even = held_to(strength, classes), 1.0 / min(classes, FEW_CLASSES)

    def maximise(counts: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
        accuracy = coin_accuracy(counts, coin_strength)
        off = counts.sum(axis=0) + even  # (said, truth), a whiff of evenness for classes never met
        off[index, index] = 0.0
        off /= np.maximum(off.sum(axis=0, keepdims=True), 1e-12)
        centre = off[None] * (1.0 - accuracy)[:, None, None]
        centre[:, index, index] = accuracy[:, None] if classes > 1 else 1.0
        counts_plus = counts + firm * centre
        return np.asarray(counts_plus / counts_plus.sum(axis=1, keepdims=True), dtype=np.float64)

    return run(
        crowd,
        maximise,
        "coin_ds",
        class_prior=class_prior,
        start=start,
        iterations=iterations,
        tolerance=tolerance,
    )
