"""Comparisons into a ranking: Bradley-Terry with ties, raters of different care, and a taste for the first place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

optimize = Lazy("scipy.optimize")

FIRST, SECOND, TIE = 0, 1, 2
STRENGTH_SD = 2.0  # prior sd of an item's strength, logit scale: keeps an unbeaten item finite
CARE_SD = 0.5  # prior sd of log care around the pool's
BIAS_SD = 1.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """strength: (items,) logit scale, mean 0; error: (items,) standard errors; care: (raters,) 1 is the pool's, 0 a
    coin; position_bias: logit lead of whatever is shown first; tie: logit half-width within which a tie is called, None
    when no tie was ever given."""

    strength: NDArray[np.float64]
    error: NDArray[np.float64]
    care: NDArray[np.float64]
    position_bias: float
    tie: float | None
    converged: bool

    @property
    def order(self) -> NDArray[np.int64]:
        """(items,) the strongest first; equals by number."""
        return np.asarray(np.argsort(-self.strength, kind="stable"), dtype=np.int64)


def bradley_terry(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    outcome: NDArray[np.int64],
    rater: NDArray[np.int64] | None = None,
    *,
    n_items: int | None = None,
    position_bias: bool = True,
    rater_care: bool = True,
) -> Ranking:
    """MAP fit of P(first wins) = sigmoid(care_r (s_first - s_second) + bias - tie), and so for second.

    first, second: (n,) items as shown; outcome: (n,) 0 first, 1 second, 2 tie; rater: (n,). With one rater, no care and
    no bias it is the classic model, lightly held to the middle. Standard errors from the observed information.
    Sources: Bradley & Terry, Biometrika 39 (1952); Rao & Kupper, JASA 62 (1967) for ties; Chen et al., WSDM (2013)
    for raters. Raises Problem for an item compared with itself or an unknown outcome.
    """
    n = len(first)
    if n == 0:
        raise invalid("table-empty", "There are no comparisons.")
    same = np.flatnonzero(first == second)
    if len(same):
        raise invalid("pair-same", f"Row {int(same[0])} compares item {int(first[same[0]])} with itself.")
    if not np.isin(outcome, (FIRST, SECOND, TIE)).all():
        row = int(np.flatnonzero(~np.isin(outcome, (FIRST, SECOND, TIE)))[0])
        raise invalid("outcome-unknown", f"Row {row} has the outcome {int(outcome[row])}; it is 0, 1 or 2.")
    items = int(max(first.max(), second.max())) + 1 if n_items is None else n_items
    who = np.zeros(n, np.int64) if rater is None else np.asarray(rater, dtype=np.int64)
    raters = int(who.max()) + 1
    ties = bool((outcome == TIE).any())
    use_care = rater_care and raters > 1

    def unpack(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
        care = np.exp(x[items : items + raters]) if use_care else np.ones(raters)
        return x[:items], care, float(x[-2]) if position_bias else 0.0, float(np.exp(x[-1])) if ties else 0.0

    def loss(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        strength, care, bias, tie = unpack(x)
        gap = strength[first] - strength[second]
        lead = care[who] * gap + bias
        win, lose = _sigmoid(lead - tie), _sigmoid(-lead - tie)
        draw = np.maximum(1.0 - win - lose, 1e-12)
        chance = np.where(outcome == FIRST, win, np.where(outcome == SECOND, lose, draw))
        value = -np.log(np.maximum(chance, 1e-300)).sum()
        # d log chance / d lead and / d tie
        win_slope, lose_slope = win * (1.0 - win), lose * (1.0 - lose)
        by_lead = np.where(
            outcome == FIRST, 1.0 - win, np.where(outcome == SECOND, lose - 1.0, (lose_slope - win_slope) / draw)
        )
        by_tie = np.where(
            outcome == FIRST, win - 1.0, np.where(outcome == SECOND, lose - 1.0, (win_slope + lose_slope) / draw)
        )
        gradient = np.zeros_like(x)
        push = by_lead * care[who]
        gradient[:items] = -np.bincount(first, weights=push, minlength=items)
        gradient[:items] += np.bincount(second, weights=push, minlength=items)
        gradient[:items] += strength / STRENGTH_SD**2
        value += 0.5 * float((strength**2).sum()) / STRENGTH_SD**2
        if use_care:
            log_care = x[items : items + raters]
            gradient[items : items + raters] = -np.bincount(who, weights=by_lead * gap * care[who], minlength=raters)
            gradient[items : items + raters] += log_care / CARE_SD**2
            value += 0.5 * float((log_care**2).sum()) / CARE_SD**2
        if position_bias:
            gradient[-2] = -by_lead.sum() + bias / BIAS_SD**2
            value += 0.5 * bias**2 / BIAS_SD**2
        if ties:
            gradient[-1] = -(by_tie * tie).sum() + x[-1]
            value += 0.5 * float(x[-1]) ** 2
        return float(value), gradient

    start = np.zeros(items + raters + 2)
    start[-1] = -1.0
    found = optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-10, "gtol": 1e-6}
    )
    strength, care, bias, tie = unpack(np.asarray(found.x, dtype=np.float64))
    lead = care[who] * (strength[first] - strength[second]) + bias
    win, lose = _sigmoid(lead - tie), _sigmoid(-lead - tie)
    weight = (win * (1.0 - win) + lose * (1.0 - lose)) / (2.0 if not ties else 1.0) * care[who] ** 2
    information = np.full(items, 1.0 / STRENGTH_SD**2)
    information += np.bincount(first, weights=weight, minlength=items)
    information += np.bincount(second, weights=weight, minlength=items)
    return Ranking(
        strength - strength.mean(), 1.0 / np.sqrt(information), care, bias, tie if ties else None, bool(found.success)
    )


def comparisons_of(
    rankings: list[list[int]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rankings (best first) as comparisons: first, second, outcome, rater; every pair within each ranking."""
    rows = [
        (better, worse, FIRST, rater)
        for rater, ranking in enumerate(rankings)
        for place, better in enumerate(ranking)
        for worse in ranking[place + 1 :]
    ]
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -35.0, 35.0))), dtype=np.float64)
