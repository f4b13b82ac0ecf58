"""A made crowd that compares two candidates of each item: careless and careful people, ties, a taste for the first."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Said:
    """A vote, as a strategy reads it."""

    id: UUID
    task: UUID
    worker: UUID
    code: int
    label: str = ""


@dataclass(frozen=True)
class PairsCrowd:
    """truth: (tasks,) 0 the first is better, 1 the second, 2 neither."""

    tasks: list[UUID]
    workers: list[UUID]
    care: NDArray[np.float64]
    truth: NDArray[np.int64]
    votes: list[Said]


def pairs_crowd(
    seed: int, *, tasks: int = 400, workers: int = 24, votes: int = 3, bias: float = 0.8, tie: float = 1.0
) -> PairsCrowd:
    """Gaps are normal (sd 2.8), each sees `care` times the gap (a third of the people next to nothing), adds `bias` for
    what stands first and logistic noise, and calls a tie within `tie`."""
    rng = np.random.default_rng(seed)
    gap = rng.normal(0.0, 2.8, tasks)
    truth = np.where(np.abs(gap) < tie, 2, np.where(gap > 0, 0, 1))
    care = np.where(np.arange(workers) % 3 == 0, 0.15, rng.uniform(0.9, 1.8, workers))
    ids = [UUID(int=n + 1) for n in range(tasks)]
    people = [UUID(int=10_000 + n) for n in range(workers)]
    made: list[Said] = []
    for n in range(tasks):
        for who in rng.choice(workers, votes, replace=False):
            seen = care[who] * gap[n] + bias + rng.logistic()
            code = 2 if abs(seen) < tie else (0 if seen > 0 else 1)
            made.append(Said(UUID(int=1_000_000 + len(made)), ids[n], people[who], int(code)))
    return PairsCrowd(ids, people, care, truth, made)
