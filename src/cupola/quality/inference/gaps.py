"""Which of two candidates of one item is better: the pairwise model where no candidate stands in two pairs.

`pairs.bradley_terry` ranks candidates that meet again and again. Here each pair is met once, by a few people, so that
its gap is not estimated but integrated over, and what is learned is the crowd: how much of a gap each sees (care), the
taste for whatever stands first, and within which gap people call a tie. Likelihood as there (Bradley & Terry,
Biometrika 39, 1952; Rao & Kupper, JASA 62, 1967, for ties); expectation-maximisation over the gaps on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.quality.inference.pairs import FIRST, SECOND, TIE

special = Lazy("scipy.special")

GRID: NDArray[np.float64] = np.linspace(-10.0, 10.0, 201)  # gaps, logit scale, as somebody of care 1 sees them
CARES: NDArray[np.float64] = np.geomspace(0.05, 4.0, 20)
CARE_SD = 0.8  # prior sd of log care
SPREAD, SPREAD_HELD = 3.0, 10.0  # prior sd of gaps, and for how many tasks it counts
BIAS_SD = 1.0
USUAL_TIE, TIE_SD = 1.0, 0.5  # half-width of a tie, and prior sd of its log
ROUNDS, STILL = 60, 1e-3
LEAST = 1e-12
STEPS = (0.4, 0.1, 0.02)


@dataclass(frozen=True, slots=True)
class Habits:
    """Of a crowd. care: (raters,) how much of a gap each sees, 1 is usual, near 0 a coin; bias: logit lead of whatever
    is shown first; tie: logit half-width of a tie, None where none can be said; spread: sd of gaps."""

    care: NDArray[np.float64]
    bias: float = 0.0
    tie: float | None = USUAL_TIE
    spread: float = SPREAD

    @property
    def prior(self) -> NDArray[np.float64]:
        """(gaps,) of the grid."""
        weight = np.exp(-0.5 * (GRID / self.spread) ** 2)
        return np.asarray(weight / weight.sum(), dtype=np.float64)

    def regions(self) -> NDArray[np.float64]:
        """(classes, gaps) how much of each gap is the first, the second, a tie."""
        half = self.tie or 0.0
        step = float(GRID[1] - GRID[0])
        # a gap of the grid stands for all up to the next: it may lie on both sides
        first = np.clip((GRID - half) / step + 0.5, 0.0, 1.0)
        second = first[::-1]
        return np.stack([first, second] if self.tie is None else [first, second, 1.0 - first - second])

    def log_chance(self, care: float) -> NDArray[np.float64]:
        """(classes, gaps) log chance of what somebody of that care says."""
        lead, half = care * GRID + self.bias, self.tie or 0.0
        win, lose = special.expit(lead - half), special.expit(-lead - half)
        rows = [win, lose] if self.tie is None else [win, lose, 1.0 - win - lose]
        return np.asarray(np.log(np.maximum(np.stack(rows), LEAST)), dtype=np.float64)


def gap_posterior(
    habits: Habits, task: NDArray[np.int64], care: NDArray[np.float64], outcome: NDArray[np.int64], n_tasks: int
) -> NDArray[np.float64]:
    """(n_tasks, gaps) what the gap of each pair may be. task, care, outcome: (n,), one row a vote."""
    told = np.tile(np.log(habits.prior), (n_tasks, 1))
    cares, kind = np.unique(care, return_inverse=True)
    for n, one in enumerate(cares):
        table = habits.log_chance(float(one))
        for said in (FIRST, SECOND, TIE)[: len(table)]:
            votes = np.bincount(task[(kind == n) & (outcome == said)], minlength=n_tasks)
            told += votes[:, None] * table[said]
    told = np.exp(told - told.max(axis=1, keepdims=True))
    return np.asarray(told / told.sum(axis=1, keepdims=True), dtype=np.float64)


def classes_of(habits: Habits, posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_tasks, classes) of (n_tasks, gaps): how likely the first is better, the second, neither."""
    return posterior @ habits.regions().T


def fit_habits(
    task: NDArray[np.int64],
    rater: NDArray[np.int64],
    outcome: NDArray[np.int64],
    *,
    n_tasks: int,
    n_raters: int,
    ties: bool,
    truth: NDArray[np.int64] | None = None,
) -> Habits:
    """The habits of a crowd from its votes. task, rater, outcome: (n,), outcome 0 first, 1 second, 2 tie; truth:
    (n_tasks,) what is known, -1 where nothing is."""
    habits = Habits(np.ones(n_raters), tie=USUAL_TIE if ties else None)
    known = np.flatnonzero(truth >= 0) if truth is not None else np.array([], np.int64)
    for _ in range(ROUNDS):
        before = habits
        gaps = gap_posterior(habits, task, habits.care[rater], outcome, n_tasks)
        if truth is not None and len(known):
            within = gaps[known] * habits.regions()[truth[known]] + LEAST * habits.prior
            gaps[known] = within / within.sum(axis=1, keepdims=True)
        spread = np.sqrt((SPREAD_HELD * SPREAD**2 + float((gaps @ GRID**2).sum())) / (SPREAD_HELD + n_tasks))
        habits = replace(habits, care=_cares(habits, gaps, task, rater, outcome, n_raters), spread=float(spread))
        habits = _common(habits, gaps, task, habits.care[rater], outcome)
        if _moved(before, habits) < STILL:
            break
    return habits


def _moved(a: Habits, b: Habits) -> float:
    return max(
        float(np.abs(a.care - b.care).max(initial=0.0)), abs(a.bias - b.bias), abs((a.tie or 0.0) - (b.tie or 0.0)),
        abs(a.spread - b.spread) / 10,
    )  # fmt: skip


def _cares(
    habits: Habits,
    gaps: NDArray[np.float64],
    task: NDArray[np.int64],
    rater: NDArray[np.int64],
    outcome: NDArray[np.int64],
    n_raters: int,
) -> NDArray[np.float64]:
    """(raters,) the mean of each one's care, from what they said of gaps known that well."""
    score = np.empty((len(CARES), n_raters))
    for n, care in enumerate(CARES):
        expected = gaps @ habits.log_chance(float(care)).T
        score[n] = np.bincount(rater, weights=expected[task, outcome], minlength=n_raters)
        score[n] -= 0.5 * (np.log(care) / CARE_SD) ** 2
    weight = np.exp(score - score.max(axis=0))
    return np.asarray(np.exp((weight * np.log(CARES)[:, None]).sum(axis=0) / weight.sum(axis=0)), dtype=np.float64)


def _common(
    habits: Habits,
    gaps: NDArray[np.float64],
    task: NDArray[np.int64],
    care: NDArray[np.float64],
    outcome: NDArray[np.int64],
) -> Habits:
    """The taste for the first and the width of a tie that make what was said likeliest, step by step."""
    # of people nearly as careful as each other one table is enough
    nearest = np.abs(np.log(care)[:, None] - np.log(CARES)[None, :]).argmin(axis=1)
    held = np.zeros((len(CARES), 3, len(GRID)))
    for n in np.unique(nearest):
        for said in (FIRST, SECOND, TIE):
            held[n, said] = gaps[task[(nearest == n) & (outcome == said)]].sum(axis=0)

    def likelihood(one: Habits) -> float:
        total = -0.5 * (one.bias / BIAS_SD) ** 2
        if one.tie is not None:
            total -= 0.5 * (np.log(one.tie / USUAL_TIE) / TIE_SD) ** 2
        for n in np.unique(nearest):
            table = one.log_chance(float(CARES[n]))
            total += float((held[n, : len(table)] * table).sum())
        return total

    best, worth = habits, likelihood(habits)
    for step in STEPS:
        for _ in range(10):
            tries = [replace(best, bias=best.bias + by) for by in (step, -step)]
            if best.tie is not None:
                tries += [replace(best, tie=best.tie * float(np.exp(by))) for by in (step, -step)]
            found = max(tries, key=likelihood)
            if likelihood(found) <= worth:
                break
            best, worth = found, likelihood(found)
    return best
