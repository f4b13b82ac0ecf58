"""Majority vote: the share of a task's votes."""

from __future__ import annotations

import numpy as np

from cupola.quality.inference.base import Crowd, Fit, check_table
from cupola.quality.inference.em import count, gold_of, shares


def majority(crowd: Crowd, *, start: Fit | None = None) -> Fit:
    """Vote shares as posterior; ties go to the lowest code. `start` changes nothing.

    The confusions are those implied by the shares, smoothed by one count towards the pool's.
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
    mass = posterior.sum(axis=0) + 1.0
    return Fit(posterior, confusion, mass / mass.sum(), "majority", 1)
