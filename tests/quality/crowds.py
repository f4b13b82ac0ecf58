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


def skewed_crowd(
    seed: int,
    *,
    classes: int = 2,
    rare: float = 0.15,
    votes: int = 7,
    false_rare: float = 0.1,
    missed: float = 0.3,
    difficulty: float = 1.5,
    people_differ: float = 0.6,
    n_tasks: int = 1_200,
    n_workers: int = 40,
) -> tuple[Crowd, NDArray[np.int64]]:
    """One class is common. People take it for a rare one, or miss a rare one, each with a care and a leaning of their
    own; difficulty is shared by all and spreads with so many logits."""
    rng = np.random.default_rng(seed)
    is_rare = rng.random(n_tasks) < rare
    truth = np.where(is_rare, rng.integers(1, classes, n_tasks), 0)
    active = 1.0 / np.arange(1, n_workers + 1) ** 0.8
    worker = np.argsort(-(np.log(active) + rng.gumbel(size=(n_tasks, n_workers))), axis=1)[:, :votes].ravel()
    task = np.repeat(np.arange(n_tasks), votes)
    hard, care, leaning = (
        rng.normal(0.0, difficulty, n_tasks),
        *rng.normal(0.0, people_differ, (2, n_workers)),
    )
    error = np.where(is_rare[task], missed, false_rare)
    logit = np.log(error / (1.0 - error)) - care[worker] + hard[task]
    logit += np.where(is_rare[task], -1.0, 1.0) * leaning[worker]
    wrong = rng.random(len(task)) < 1.0 / (1.0 + np.exp(-logit))
    label = np.where(wrong, (truth[task] + rng.integers(1, classes, len(task))) % classes, truth[task])
    return Crowd.from_codes(task, worker, label, n_tasks=n_tasks, n_workers=n_workers, n_classes=classes), truth


def calibration_error(claimed: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error in ten bins of equal width."""
    box = np.minimum((claimed * 10).astype(int), 9)
    return float(
        sum(abs(claimed[box == b].mean() - right[box == b].mean()) * (box == b).mean() for b in np.unique(box))
    )
