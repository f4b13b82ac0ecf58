"""Several labels for one task: each class is a yes-or-no question, and a worker's care is shared among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.quality.calibrate import DEFAULT_RHO, calibrated
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.coin_ds import coin_ds


@dataclass(frozen=True, slots=True)
class MultiFit:
    """chosen: (n_tasks, K) which classes apply; probability: (n_tasks, K) calibrated, of each by itself. prior, table:
    (K, 2) and (K, n_workers, 2, 2) P(said | applies not, applies) of each class; a K of 1 where all share one."""

    chosen: NDArray[np.bool_]
    probability: NDArray[np.float64]
    prior: NDArray[np.float64]
    table: NDArray[np.float64]


def multilabel(
    task: Sequence[int],
    worker: Sequence[int],
    labels: Sequence[Sequence[int]],
    n_classes: int,
    *,
    rho: float = DEFAULT_RHO,
    gold: NDArray[np.int16] | None = None,
    by_class: bool = True,
) -> MultiFit:
    """The set of classes of each task, from sets given by several workers (an empty set is an answer too).

    Each class is fitted as a binary crowd by coin_ds, started from the fit of all classes together, so a rare class
    borrows the workers' care from the others. gold: (n_tasks, K) 1 applies, 0 does not, -1 unknown. by_class: give each
    class tables of its own, not only one to all (which is what thousands of classes can afford).
    Raises Problem for a class outside 0..n_classes - 1.
    """
    rows = len(task)
    given = np.zeros((rows, n_classes), np.int16)
    for row, own in enumerate(labels):
        for code in own:
            if not 0 <= code < n_classes:
                raise invalid("label-unknown", f"Row {row}: class {code} is not in 0..{n_classes - 1}.")
            given[row, code] = 1
    tasks, workers = np.asarray(task, dtype=np.int64), np.asarray(worker, dtype=np.int64)
    n_tasks = int(tasks.max()) + 1 if rows else 0
    n_workers = int(workers.max()) + 1 if rows else 0
    together = Crowd.from_codes(
        (tasks[:, None] * n_classes + np.arange(n_classes)).ravel(),
        np.repeat(workers, n_classes),
        given.ravel(),
        n_tasks=n_tasks * n_classes,
        n_workers=n_workers,
        n_classes=2,
        gold=None if gold is None else gold.ravel(),
    )
    pooled = coin_ds(together)
    if not by_class:
        probability = calibrated(pooled, together, rho)[:, 1].reshape(n_tasks, n_classes)
        return MultiFit(probability > 0.5, probability, pooled.prior[None], pooled.confusion[None])
    prior, table = np.empty((n_classes, 2)), np.empty((n_classes, n_workers, 2, 2))
    probability = np.empty((n_tasks, n_classes))
    for k in range(n_classes):
        crowd = Crowd.from_codes(
            tasks,
            workers,
            given[:, k],
            n_tasks=n_tasks,
            n_workers=n_workers,
            n_classes=2,
            gold=None if gold is None else gold[:, k],
        )
        fit = coin_ds(crowd, start=pooled)
        probability[:, k] = calibrated(fit, crowd, rho)[:, 1]
        prior[k], table[k] = fit.prior, fit.confusion
    return MultiFit(probability > 0.5, probability, prior, table)
