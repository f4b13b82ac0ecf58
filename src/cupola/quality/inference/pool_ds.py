"""pool_ds: a confusion matrix for each worker, held near the pool's matrix moved to that worker's accuracy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.em import DEFAULT_ITERATIONS, DEFAULT_TOLERANCE, run
from cupola.quality.inference.one_coin import ACCURACY_RANGE, CLASS_PRIOR, COIN_STRENGTH, FEW_CLASSES, held_to

STRENGTH = 10.0
CLASS_STRENGTH = 1000.0  # judgements' worth of the overall accuracy in each class's; few classes are that frequent


def pool_ds(
    crowd: Crowd,
    *,
    start: Fit | None = None,
    strength: float = STRENGTH,
    coin_strength: float = COIN_STRENGTH,
    class_strength: float = CLASS_STRENGTH,
    class_prior: float = CLASS_PRIOR,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Fit:
    """MAP Dawid-Skene whose prior knows that some classes are harder for everyone.

    Each worker's prior matrix is the pool's, its diagonal moved on the logit scale by how much better or worse
    than the pool the worker is (shrunk by coin_strength judgements). class_strength shrinks the pool's accuracy
    in each class to its accuracy overall.
    """
    classes = crowd.n_classes
    index = np.arange(classes)
    firm, even = held_to(strength, classes), 1.0 / min(classes, FEW_CLASSES)

    def maximise(counts: NDArray[np.float64], mass: NDArray[np.float64]) -> NDArray[np.float64]:
        pool = counts.sum(axis=0)  # (said, truth)
        total = float(pool.sum())
        overall = float(np.clip(pool.trace() / total if total > 0 else 0.5, *ACCURACY_RANGE))
        by_class = (pool[index, index] + class_strength * overall) / (pool.sum(axis=0) + class_strength)
        by_class = np.clip(by_class, *ACCURACY_RANGE)
        off = pool + even
        off[index, index] = 0.0
        off /= np.maximum(off.sum(axis=0, keepdims=True), 1e-12)
        right = counts[:, index, index].sum(axis=1)
        met = counts.sum(axis=1)  # (W, truth)
        due = met @ by_class  # how often the pool would have been right on the same tasks
        wrong = met.sum(axis=1) - right
        due_wrong = met.sum(axis=1) - due
        held, missed = coin_strength * overall + 1e-9, coin_strength * (1.0 - overall) + 1e-9
        shift = np.log((right + held) / (np.maximum(wrong, 0.0) + missed))
        shift -= np.log((due + held) / (np.maximum(due_wrong, 0.0) + missed))
        accuracy = 1.0 / (1.0 + np.exp(-(np.log(by_class / (1.0 - by_class))[None] + shift[:, None])))
        accuracy = np.clip(accuracy, *ACCURACY_RANGE)
        centre = off[None] * (1.0 - accuracy)[:, None, :]
        centre[:, index, index] = accuracy if classes > 1 else 1.0
        counts_plus = counts + firm * centre
        return np.asarray(counts_plus / counts_plus.sum(axis=1, keepdims=True), dtype=np.float64)

    return run(
        crowd,
        maximise,
        "pool_ds",
        class_prior=class_prior,
        start=start,
        iterations=iterations,
        tolerance=tolerance,
    )
