"""Crowds with a known truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd


def honest_crowd(
    seed: int, n_tasks: int = 200, n_workers: int = 12, classes: int = 3, votes: int = 5, low: float = 0.55
) -> tuple[Crowd, NDArray[np.int64]]:
    """A crowd of workers right with 0.55-0.95, whose errors fall evenly; and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n_tasks)
    skill = rng.uniform(low, 0.95, n_workers)
    task = np.repeat(np.arange(n_tasks), votes)
    worker = np.concatenate([rng.permutation(n_workers)[:votes] for _ in range(n_tasks)])
    right = rng.random(len(task)) < skill[worker]
    label = np.where(right, truth[task], (truth[task] + rng.integers(1, classes, len(task))) % classes)
    crowd = Crowd.from_codes(task, worker, label, n_tasks=n_tasks, n_workers=n_workers, n_classes=classes)
    return crowd, truth
