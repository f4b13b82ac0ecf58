"""Simulated crowds whose truth is known: experts among the misled."""

from __future__ import annotations

from typing import Any

import numpy as np

from cupola.quality.collusion import collusion
from cupola.quality.inference.base import Crowd

SEEDS = 5


def run() -> dict[str, Any]:
    """Everything of this part."""
    out: dict[str, Any] = {"experts among the misled": experts()}
    for name, found in out.items():
        print(f"  {name}: {found}", flush=True)
    return out


def misled(seed: int, classes: int, *, ring: int = 0, tasks: int = 1_500, people: int = 40) -> Crowd:
    """Six right in 95 of 100, three times as busy as 34 others whom a fifth of the tasks misleads; and a ring."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, tasks)
    hard = rng.random(tasks) < 0.2
    tempting = (truth + rng.integers(1, classes, tasks)) % classes
    busy = np.where(np.arange(people) < 6, 3.0, 1.0)
    worker = np.argsort(-(np.log(busy) + rng.gumbel(size=(tasks, people))), axis=1)[:, :5].ravel()
    task = np.repeat(np.arange(tasks), 5)
    chance = np.where(worker < 6, 0.95, np.where(hard[task], 0.3, 0.8))
    label = np.where(rng.random(len(task)) < chance, truth[task], tempting[task])
    block = rng.choice(tasks, 60, replace=False)
    shared = np.where(rng.random(60) < 0.5, rng.integers(0, classes, 60), truth[block])
    for member in range(people, people + ring):
        task, worker = np.concatenate([task, block]), np.concatenate([worker, np.full(60, member)])
        label = np.concatenate([label, shared])
    return Crowd.from_codes(task, worker, label, n_tasks=tasks, n_workers=people + ring, n_classes=classes)


def experts() -> dict[str, float]:
    """Shares of honest people accused, and of a ring's members found, over crowds of 2 to 4 classes."""
    accused, found, crowds = 0, 0, 0
    for classes in (2, 3, 4):
        for seed in range(2 * SEEDS):
            accused += len(collusion(misled(seed, classes)))
            flagged = {flag.worker for flag in collusion(misled(seed, classes, ring=6))}
            found += len(flagged & set(range(40, 46)))
            accused += len(flagged - set(range(40, 46)))
            crowds += 1
    return {"honest accused": accused / (2 * 40 * crowds), "ring found": found / (6 * crowds)}
