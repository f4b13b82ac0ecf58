"""sparse_coin: people of one skill each, tasks of some difficulty, and a wrong answer that tempts everybody alike.

Made for many classes, where a confusion matrix each is neither affordable nor learnable: a hundred classes are ten
thousand cells a person, and each vote would fill a cell of its own and then be explained by it. Memory grows with the
judgements and not with the classes.

Of a task of difficulty d, worker w knows the answer with probability sigmoid(skill_w - d). Who does not know says the
task's tempting wrong answer with probability `repeat`, else guesses by habit. Difficulty, and with it how far errors
repeat each other, is learned from the agreement seen: in a crowd of noise nobody is believed, whatever EM would like.
Sources: the guessing worker is that of MACE (Hovy et al., NAACL 2013), difficulty that of GLAD (Whitehill et al., NIPS
2009) as a random effect (integrated over, not estimated task by task).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.coin_model import (
    NO_GOLD,
    NODES,
    SHARES,
    USUAL_DIFFICULTY,
    USUAL_REPEAT,
    USUAL_SKILL,
    CoinModel,
    Leading,
    infer,
    leading_of,
)
from cupola.quality.inference.em import gold_of

optimize = Lazy("scipy.optimize")
special = Lazy("scipy.special")

# from so many classes on it is right more often than confusion matrices, and more honest (see ADR 0051)
WIDE_CLASSES = 20
DEFAULT_ITERATIONS = 60
DEFAULT_TOLERANCE = 1e-4
# what is believed of a crowd before it has judged anything, and for how many tasks, people or answers that counts
FIRST_ROUNDS = 20
SKILL_SPREAD, SPREAD_PEOPLE = 0.8, 10.0
POPULARITY = 10.0  # pseudo-count of each class: with many, what is common by chance is not believed to be common
SKILL_RANGE = (-5.0, 6.0)
MOST_PATTERNED, PATTERN_VOTES = 20_000, 7  # tasks, and votes of each, that the crowd's level is told from
GUESSER = 0.4  # of the crowd's accuracy: below it, somebody is taken to guess
STARTS = ((0.0, 0.0, 0.0), (0.0, -0.7, 1.5), (0.0, 0.6, 1.5), (-3.0, 0.0, 0.0))  # of the search for the level
LEVEL_SPREAD = np.array([1.5, 0.35, 1.0])  # how far a crowd's mean skill, log difficulty and logit repeat wander


@dataclass(frozen=True, slots=True)
class SparseFit:
    """label: (n_tasks,) int16, -1 for a task without votes or gold; posterior: (n_tasks,) that it is right, honest as
    it stands; accuracy: (n_workers,); known: (n,) of each judgement, that its maker knew the answer."""

    label: NDArray[np.int16]
    posterior: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    method: str
    iterations: int
    model: CoinModel
    leading: Leading


def sparse_coin(
    crowd: Crowd,
    *,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> SparseFit:
    """EM for the model of this module, over the labels each task received; the others share what is left.

    The E-step goes through every pair of a true and a tempting answer and seven difficulties; skills move by one Newton
    step a round. Deterministic. O(judgements + classes) memory.
    """
    classes, workers = crowd.n_classes, crowd.n_workers
    worker, said = crowd.worker.astype(np.int64), crowd.label.astype(np.int64)
    gold = gold_of(crowd)
    keys, times = np.unique(worker * classes + said, return_counts=True)
    made = np.bincount(worker, minlength=workers).astype(np.float64)
    heard = np.bincount(said, minlength=classes).astype(np.float64)
    even = (heard + POPULARITY) / (heard.sum() + POPULARITY * classes)
    level, difficulty, repeat = crowd_level(crowd, SKILL_SPREAD * NODES, SHARES)
    model = CoinModel(
        np.full(workers, level), level, keys, times.astype(np.float64), made, even, even, difficulty, repeat
    )
    guess = model.guesses(worker, said, seen=True)
    columns = (crowd.starts, worker, said, guess, gold)
    model, first = _learned(model, columns, min(iterations, FIRST_ROUNDS), tolerance)
    # people differ more, or otherwise, than was assumed: what is hard and what is repeated look different then. Who
    # only guesses is left out of it: that nobody joins them says nothing of the tasks.
    sane = model.accuracy > GUESSER * np.average(model.accuracy, weights=np.maximum(made, 1e-9))
    kept = crowd if sane[worker].all() else crowd.keep(sane[worker])
    heard = np.where(sane, made, 0.0)
    middle = float(np.average(model.skill, weights=heard)) if len(kept) else level
    level, difficulty, repeat = crowd_level(kept, model.skill - middle, heard / max(heard.sum(), 1.0))
    model = replace(model, skill=model.skill + level - middle, newcomer=level, difficulty=difficulty, repeat=repeat)
    model, second = _learned(model, columns, iterations - first, tolerance)
    found = leading_of(model, crowd.starts, said, model.knows(model.skill)[worker], guess, gold)
    return SparseFit(
        found.label.astype(np.int16), found.confidence, model.accuracy, "sparse_coin", first + second, model, found
    )


def _patterns(crowd: Crowd) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """How tasks disagree: starts and labels of one made-up task for each pattern met, and how often it was met.

    A pattern is how many of a task's votes fell together: 3, 2 + 1, 1 + 1 + 1. Of tasks with many votes the first few
    in the crowd's order are looked at.
    """
    counts: dict[tuple[int, ...], float] = {}
    for t in range(crowd.n_tasks) if crowd.n_tasks <= MOST_PATTERNED else _spaced(crowd.n_tasks, MOST_PATTERNED):
        votes = crowd.label[crowd.starts[t] : crowd.starts[t + 1]][:PATTERN_VOTES]
        if len(votes) > 1:
            pattern = tuple(sorted(np.unique(votes, return_counts=True)[1].tolist(), reverse=True))
            counts[pattern] = counts.get(pattern, 0.0) + 1.0
    found = sorted(counts)
    labels = [np.repeat(np.arange(len(pattern)), pattern) for pattern in found]
    starts = np.cumsum([0, *(len(one) for one in labels)])
    said = np.concatenate([np.zeros(0, np.int64), *labels]).astype(np.int64)
    return starts.astype(np.int64), said, np.array([counts[pattern] for pattern in found])


def crowd_level(crowd: Crowd, skill: NDArray[np.float64], share: NDArray[np.float64]) -> tuple[float, float, float]:
    """How much better all are, spread of difficulty and repeat that make the disagreement seen likeliest.

    skill, share: (m,) skills that people have, around 0, and how many of the judgements are made with each. Who made
    which judgement is not looked at, so that nothing can explain itself. Held near what is usual.
    """
    starts, said, times = _patterns(crowd)
    usual = np.array([USUAL_SKILL, np.log(USUAL_DIFFICULTY), np.log(USUAL_REPEAT / (1.0 - USUAL_REPEAT))])
    if len(times) == 0:
        return USUAL_SKILL, USUAL_DIFFICULTY, USUAL_REPEAT
    common = np.bincount(crowd.label, minlength=crowd.n_classes) / len(crowd)
    classes = max(2, round(float(1.0 / (common**2).sum())))  # as many even classes agree by chance as often
    classes = max(classes, int(said.max()) + 1)
    even = np.full(classes, 1.0 / classes)
    tasks, n = len(times), len(said)

    def loss(x: NDArray[np.float64]) -> float:
        difficulty, repeat = float(np.exp(x[1])), float(special.expit(x[2]))
        knows = (special.expit(x[0] + skill[None, :] - difficulty * NODES[:, None]) @ share)[None, :]
        evidence = np.empty(tasks)
        one, each = np.zeros(1), np.zeros(n)
        infer(
            starts, np.zeros(n, np.int64), said, knows, np.full(n, 1.0 / classes), even, repeat, NO_GOLD,
            SHARES, NODES, np.empty(tasks, np.int64), np.empty(tasks), np.empty(tasks + 1, np.int64),
            np.empty(n + tasks, np.int64), np.empty(n + tasks), each, one, one.copy(), one.copy(), np.zeros(classes),
            np.zeros(4), evidence,
        )  # fmt: skip
        return float(-(times @ evidence) + 0.5 * (((x - usual) / LEVEL_SPREAD) ** 2).sum())

    tries = [
        optimize.minimize(loss, usual + np.array(away), method="Nelder-Mead", options={"xatol": 0.01, "fatol": 0.01})
        for away in STARTS
    ]
    found = min(tries, key=lambda one: float(one.fun)).x
    return float(found[0]), float(np.exp(found[1])), float(special.expit(found[2]))


def _spaced(n: int, count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, n - 1, count).astype(np.int64))


def _learned(
    model: CoinModel, columns: tuple[NDArray[Any], ...], iterations: int, tolerance: float
) -> tuple[CoinModel, int]:
    """Skills and class shares by EM; difficulty, repeat and the mean of the skills stay."""
    starts, worker, said, guess, gold = columns
    level, spread, change, done = model.newcomer, SKILL_SPREAD, np.inf, 0
    before = np.zeros(len(said))
    active = model.made > 0
    while done < iterations and change > tolerance:
        sums = _pass(model, starts, worker, said, model.knows(model.skill), guess, gold)
        curvature = sums.information + 1.0 / spread**2
        gradient = sums.known - sums.expected - (model.skill - level) / spread**2
        skill = np.clip(model.skill + np.clip(gradient / curvature, -1.0, 1.0), *SKILL_RANGE)
        variance = float((((skill - level) ** 2 + 1.0 / curvature)[active]).sum()) + SPREAD_PEOPLE * SKILL_SPREAD**2
        spread = float(np.sqrt(variance / (active.sum() + SPREAD_PEOPLE)))
        prior = (sums.mass + POPULARITY) / (sums.mass.sum() + POPULARITY * model.n_classes)
        model = replace(model, skill=skill, prior=prior)
        change = float(np.abs(sums.votes - before).mean()) if len(said) else 0.0
        before = sums.votes
        done += 1
    return model, done


@dataclass(frozen=True, slots=True)
class _Sums:
    """What one pass adds up: by worker, by class, and over all."""

    known: NDArray[np.float64]
    expected: NDArray[np.float64]
    information: NDArray[np.float64]
    mass: NDArray[np.float64]
    votes: NDArray[np.float64]
    squares: float
    tasks: float
    repeated: float
    guessed: float


def _pass(
    model: CoinModel,
    starts: NDArray[np.int64],
    worker: NDArray[np.int64],
    said: NDArray[np.int64],
    knows: NDArray[np.float64],
    guess: NDArray[np.float64],
    gold: NDArray[np.int16],
) -> _Sums:
    n, workers = len(said), len(model.skill)
    known, expected, information = np.zeros(workers), np.zeros(workers), np.zeros(workers)
    votes = np.zeros(n)
    mass = np.zeros(model.n_classes)
    totals = np.zeros(4)
    tasks = len(starts) - 1
    label, confidence = np.empty(tasks, np.int64), np.empty(tasks)
    first, labels, shares = np.empty(tasks + 1, np.int64), np.empty(n + tasks, np.int64), np.empty(n + tasks)
    infer(
        starts, worker, said, knows, guess, model.prior, model.repeat, gold, SHARES, NODES,
        label, confidence, first, labels, shares, votes, known, expected, information, mass, totals, np.empty(tasks),
    )  # fmt: skip
    return _Sums(known, expected, information, mass, votes, *(float(value) for value in totals))
