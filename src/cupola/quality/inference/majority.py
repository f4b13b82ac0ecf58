"""Majority vote: the share of a task's votes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.jit import kernel
from cupola.quality.inference.base import Crowd, Fit, check_table
from cupola.quality.inference.em import count, gold_of, shares
from cupola.quality.inference.one_coin import coin_accuracy


def majority(crowd: Crowd, *, start: Fit | None = None, iterations: int = 1) -> Fit:
    """Vote shares as posterior; ties go to the lowest code. `start` and `iterations` change nothing.

    The confusions are those implied by the shares, smoothed by one count towards the pool's. The evidence counts
    every vote alike, at the pool's accuracy, so that a calibrated majority is still the majority.
    """
    check_table(crowd, "majority")
    classes = crowd.n_classes
    posterior = np.empty((crowd.n_tasks, classes))
    shares(crowd.starts, crowd.label, gold_of(crowd), posterior)
    counts = np.empty((crowd.n_workers, classes, classes))
    count(crowd.starts, crowd.worker, crowd.label, posterior, counts)
    table = counts.transpose(0, 2, 1)  # (W, truth, said)
    pool = table.sum(axis=0) + 1.0 / classes
    pool /= pool.sum(axis=1, keepdims=True)
    confusion = (table + pool) / (table.sum(axis=2, keepdims=True) + 1.0)
    accuracy = float(coin_accuracy(counts.sum(axis=0, keepdims=True), 1.0)[0])
    evidence = np.zeros((crowd.n_tasks, classes))
    _tally(crowd.starts, crowd.label, np.log(max(accuracy * max(classes - 1, 1) / (1.0 - accuracy), 1.01)), evidence)
    return Fit(posterior, confusion, np.full(classes, 1.0 / classes), "majority", 1, evidence=evidence)


@kernel
def _tally(starts: NDArray[np.int64], label: NDArray[np.int16], weight: float, out: NDArray[np.float64]) -> None:
    for t in range(len(starts) - 1):
        for row in range(starts[t], starts[t + 1]):
            out[t, label[row]] += weight
