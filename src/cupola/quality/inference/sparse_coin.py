"""sparse_coin: the one-coin model for thousands of classes; memory grows with judgements, not with classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.quality.inference.base import Crowd
from cupola.quality.inference.em import gold_of
from cupola.quality.inference.jit import kernel
from cupola.quality.inference.one_coin import ACCURACY_RANGE, COIN_STRENGTH

DEFAULT_ITERATIONS = 50
DEFAULT_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class SparseFit:
    """label: (n_tasks,) int16, -1 for a task without votes or gold; posterior: (n_tasks,) of that label, calibrated
    by `rho`; accuracy: (n_workers,)."""

    label: NDArray[np.int16]
    posterior: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    method: str
    iterations: int


def sparse_coin(
    crowd: Crowd,
    *,
    rho: float = 0.0,
    strength: float = COIN_STRENGTH,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> SparseFit:
    """EM for the one-coin model over the labels each task received; the others share what is left.

    Errors fall evenly on the other classes and classes are equally likely before a vote. rho: see `calibrate`;
    it touches only the posterior that is returned.
    """
    accuracy = np.full(crowd.n_workers, 0.7)
    share = np.empty(len(crowd))
    label = np.empty(crowd.n_tasks, np.int16)
    posterior = np.empty(crowd.n_tasks)
    made = np.bincount(crowd.worker, minlength=crowd.n_workers)
    gold = gold_of(crowd)
    done, change = 0, np.inf
    before = np.zeros(len(crowd))
    while done < iterations and change > tolerance:
        weight = np.log(accuracy / (1.0 - accuracy) * max(crowd.n_classes - 1, 1))
        _expect(crowd.starts, crowd.worker, crowd.label, weight, crowd.n_classes, gold, 0.0, share, label, posterior)
        right = np.bincount(crowd.worker, weights=share, minlength=crowd.n_workers)
        pool = right.sum() / max(len(crowd), 1)
        accuracy = np.clip((right + strength * pool) / (made + strength), *ACCURACY_RANGE)
        change = float(np.abs(share - before).mean()) if len(crowd) else 0.0
        before[:] = share
        done += 1
    weight = np.log(accuracy / (1.0 - accuracy) * max(crowd.n_classes - 1, 1))
    _expect(crowd.starts, crowd.worker, crowd.label, weight, crowd.n_classes, gold, rho, share, label, posterior)
    return SparseFit(label, posterior, accuracy, "sparse_coin", done)


@kernel
def _expect(
    starts: NDArray[np.int64],
    worker: NDArray[np.int32],
    label: NDArray[np.int16],
    weight: NDArray[np.float64],
    classes: int,
    gold: NDArray[np.int16],
    rho: float,
    share: NDArray[np.float64],
    best: NDArray[np.int16],
    posterior: NDArray[np.float64],
) -> None:
    """share[row]: P(the vote of that row is right); the best label of each task and its posterior."""
    longest = 0
    for t in range(len(starts) - 1):
        longest = max(longest, starts[t + 1] - starts[t])
    seen = np.empty(longest, np.int16)
    score = np.empty(longest)
    slot = np.empty(longest, np.int64)
    for t in range(len(starts) - 1):
        found = 0
        for row in range(starts[t], starts[t + 1]):
            place = 0
            while place < found and seen[place] != label[row]:
                place += 1
            if place == found:
                seen[place] = label[row]
                score[place] = 0.0
                found += 1
            score[place] += weight[worker[row]]
            slot[row - starts[t]] = place
        known = gold[t] if len(gold) else -1
        if known >= 0:
            best[t] = known
            posterior[t] = 1.0
            for row in range(starts[t], starts[t + 1]):
                share[row] = 1.0 if label[row] == known else 0.0
            continue
        if found == 0:
            best[t] = -1
            posterior[t] = 1.0 / classes
            continue
        scale = 1.0 / (1.0 + max(starts[t + 1] - starts[t] - 1, 0) * rho)
        lead = 0
        top = 0.0
        for place in range(found):
            score[place] *= scale
            top = max(top, score[place])
            if score[place] > score[lead] or (score[place] == score[lead] and seen[place] < seen[lead]):
                lead = place
        total = max(classes - found, 0) * np.exp(-top)
        for place in range(found):
            score[place] = np.exp(score[place] - top)
            total += score[place]
        best[t] = seen[lead]
        posterior[t] = score[lead] / total
        for row in range(starts[t], starts[t + 1]):
            share[row] = score[slot[row - starts[t]]] / total
