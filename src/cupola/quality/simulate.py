"""A crowd whose truth is known: latent difficulty, a confuser that misleads everyone alike, and people of every kind.

Seeded and public: the tests, the planner and the documentation all draw from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.quality.inference.base import Crowd

Kind = Literal["expert", "ordinary", "biased", "spammer", "ring", "drifting", "copier"]
KINDS: tuple[Kind, ...] = ("expert", "ordinary", "biased", "spammer", "ring", "drifting", "copier")


@dataclass(frozen=True, slots=True)
class World:
    """What to simulate.

    base_error: an ordinary worker's mean error rate (0.001-0.2 are realistic). repeat: r, the chance that a wrong
    vote is the task's confuser label rather than any wrong label. difficulty_sd: of the tasks, on the logit scale.
    votes: judgements a task, drawn evenly from low..high. zipf: exponent of the workers' activity, 0 for equal.
    class_skew: 0 for equal classes, 1 for a class half as frequent as the one before. mix: workers of each kind.
    """

    tasks: int = 1_000
    classes: int = 4
    votes: tuple[int, int] = (3, 5)
    base_error: float = 0.15
    repeat: float = 0.3
    difficulty_sd: float = 1.0
    zipf: float = 0.8
    class_skew: float = 0.0
    mix: dict[Kind, int] = field(default_factory=lambda: {"expert": 3, "ordinary": 30, "biased": 5, "spammer": 2})
    model_error: float = 0.25  # of the one model that the copiers copy
    drift_to: float = 0.5  # error rate that a drifting worker ends with
    ring_tasks: int = 0  # further tasks that the whole ring takes together: rings look for each other's company

    def __post_init__(self) -> None:
        checks = (
            (self.tasks >= 1, "tasks", "at least 1"),
            (self.classes >= 2, "classes", "at least 2"),
            (1 <= self.votes[0] <= self.votes[1] <= self.workers, "votes", "1 <= low <= high <= workers"),
            (0.0 < self.base_error < 1.0, "base_error", "between 0 and 1"),
            (0.0 <= self.repeat <= 1.0, "repeat", "from 0 to 1"),
        )
        for holds, name, rule in checks:
            if not holds:
                raise invalid("world-range", f"{name} is {getattr(self, name)}; it must be {rule}.", place=f"/{name}")

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return sum(self.mix.values())


@dataclass(frozen=True, slots=True)
class Simulated:
    """crowd; truth (n_tasks,); kind of each worker; difficulty (n_tasks,) logit; confuser (n_tasks,) wrong label;
    model (n_tasks,) the model's answer; position (n,) the how-manieth judgement of its worker each row was."""

    crowd: Crowd
    truth: NDArray[np.int16]
    kind: tuple[Kind, ...]
    difficulty: NDArray[np.float64]
    confuser: NDArray[np.int16]
    model: NDArray[np.int16]
    position: NDArray[np.int32]


def simulate(world: World, seed: int = 0) -> Simulated:
    """Draw a world. The same seed gives the same judgements on every machine."""
    rng = np.random.default_rng(seed)
    frequency = (1.0 - world.class_skew / 2.0) ** np.arange(world.classes)
    truth = rng.choice(world.classes, world.tasks, p=frequency / frequency.sum()).astype(np.int16)
    difficulty = rng.normal(0.0, world.difficulty_sd, world.tasks)
    confuser = ((truth + rng.integers(1, world.classes, world.tasks)) % world.classes).astype(np.int16)
    model = np.where(rng.random(world.tasks) < world.model_error, confuser, truth).astype(np.int16)

    kinds: list[Kind] = [kind for kind in KINDS for _ in range(world.mix.get(kind, 0))]
    order = rng.permutation(len(kinds))
    kinds = [kinds[i] for i in order]
    activity = 1.0 / np.arange(1, len(kinds) + 1) ** world.zipf
    rng.shuffle(activity)
    task, worker = _assign(world, activity / activity.sum(), rng)
    task, worker = _gather(world, kinds, task, worker, rng)
    position = _positions(task, worker, len(kinds), rng)
    label = _answers(world, kinds, task, worker, position, truth, difficulty, confuser, model, rng)
    crowd = Crowd.from_codes(task, worker, label, n_tasks=world.tasks, n_workers=len(kinds), n_classes=world.classes)
    sort = np.lexsort((worker, task))
    return Simulated(crowd, truth, tuple(kinds), difficulty, confuser, model, position[sort])


def _assign(
    world: World, share: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Who judges what: the busy more often, nobody twice (weighted sampling without replacement, Gumbel keys)."""
    votes = rng.integers(world.votes[0], world.votes[1] + 1, world.tasks)
    most = int(votes.max())
    chosen = np.empty((world.tasks, most), np.int64)
    step = max(1, 4_000_000 // len(share))
    for first in range(0, world.tasks, step):
        rows = min(step, world.tasks - first)
        keys = np.log(share) + rng.gumbel(size=(rows, len(share)))
        chosen[first : first + rows] = np.argsort(-keys, axis=1)[:, :most]
    keep = np.arange(most) < votes[:, None]
    return np.repeat(np.arange(world.tasks), votes), chosen[keep]


def _gather(
    world: World, kinds: list[Kind], task: NDArray[np.int64], worker: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows, and those of the ring on the tasks it takes together."""
    ring = [w for w, kind in enumerate(kinds) if kind == "ring"]
    if not ring or world.ring_tasks == 0:
        return task, worker
    block = rng.choice(world.tasks, min(world.ring_tasks, world.tasks), replace=False)
    more = np.array([(t, w) for t in block.tolist() for w in ring], dtype=np.int64)
    both = np.unique(np.concatenate([np.column_stack([task, worker]), more]), axis=0)
    return both[:, 0], both[:, 1]


def _positions(
    task: NDArray[np.int64], worker: NDArray[np.int64], n_workers: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """In what order each worker came to their tasks: tasks are served in a random order."""
    time = rng.permutation(int(task.max()) + 1)[task]
    out = np.empty(len(task), np.int32)
    order = np.lexsort((time, worker))
    starts = np.searchsorted(worker[order], np.arange(n_workers))
    out[order] = np.arange(len(task)) - starts[worker[order]]
    return out


def _answers(
    world: World,
    kinds: list[Kind],
    task: NDArray[np.int64],
    worker: NDArray[np.int64],
    position: NDArray[np.int32],
    truth: NDArray[np.int16],
    difficulty: NDArray[np.float64],
    confuser: NDArray[np.int16],
    model: NDArray[np.int16],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    classes = world.classes
    base = np.log((1.0 - world.base_error) / world.base_error)
    skill = base + rng.normal(0.0, 0.5, len(kinds))  # log-odds of being right on a task of middle difficulty
    kind = np.array(kinds)
    skill[kind == "expert"] = base + np.log(10.0)
    logit = skill[worker] - difficulty[task]
    made = np.bincount(worker, minlength=len(kinds))
    ends_at = np.log((1.0 - world.drift_to) / world.drift_to)
    late = np.clip(position / np.maximum(made[worker], 1) * 2.0 - 1.0, 0.0, 1.0)  # drift sets in half-way
    drifting = kind[worker] == "drifting"
    logit[drifting] = (1 - late[drifting]) * logit[drifting] + late[drifting] * ends_at
    right = rng.random(len(task)) < 1.0 / (1.0 + np.exp(-logit))
    any_wrong = (truth[task] + rng.integers(1, classes, len(task))) % classes
    wrong = np.where(rng.random(len(task)) < world.repeat, confuser[task], any_wrong)
    label = np.where(right, truth[task], wrong).astype(np.int64)

    favourite = rng.integers(0, classes, len(kinds))  # of the biased: what they say when in doubt
    doubt = (kind[worker] == "biased") & (rng.random(len(task)) < 0.3)
    label = np.where(doubt, favourite[worker], label)
    spam = kind[worker] == "spammer"
    always = rng.random(len(kinds)) < 0.5  # half of them always press the same key
    noise = rng.integers(0, classes, len(task))
    label = np.where(spam, np.where(always[worker], favourite[worker], noise), label)
    # a ring answers as one: its leader's answer, whatever that is
    ring_answer = np.where(rng.random(world.tasks) < 0.6, truth, rng.integers(0, classes, world.tasks))
    ring = (kind[worker] == "ring") & (rng.random(len(task)) < 0.95)
    label = np.where(ring, ring_answer[task], label)
    copied = (kind[worker] == "copier") & (rng.random(len(task)) < 0.95)
    return np.where(copied, model[task], label).astype(np.int64)
