"""The sequential plan: look after every item, stop when you like, and the claim still holds.

A betting martingale against "the error rate is at least the limit". Each audited item multiplies the capital of a
set of gamblers; under that hypothesis no gambler's capital can be expected to grow, so by Ville's inequality it
ever exceeds 1 / (1 - confidence) with a probability of at most 1 - confidence, whenever and however often one looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel

# Bets as shares of the largest allowed one, and the share of the capital on each. With three quarters on the
# largest a flawless stream is certified soonest; the small bets carry the case when errors occur.
BETS = (0.97, 0.9, 0.7, 0.5, 0.3)
WEIGHTS = (0.75, 0.0625, 0.0625, 0.0625, 0.0625)


@dataclass(frozen=True, slots=True)
class Sequential:
    """The state of a sequential audit: immutable, small, and enough to go on from.

    limit: the error rate to refute; confidence: of the claim. n, errors: so far. capital: (B,) log capital of each
    gambler; best: the largest log of the mixture ever reached. population: items of a finite release that is drawn
    without replacement (then what is left is worse than the limit when what was seen is better); None for a stream.
    """

    limit: float
    confidence: float = 0.95
    n: int = 0
    errors: int = 0
    capital: tuple[float, ...] = tuple(0.0 for _ in BETS)
    best: float = 0.0
    population: int | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.limit < 1.0:
            raise invalid("limit-range", f"limit is {self.limit}; it lies strictly between 0 and 1.", place="/limit")
        if not 0.0 < self.confidence < 1.0:
            raise invalid("confidence-range", f"confidence is {self.confidence}.", place="/confidence")

    @property
    def log_evidence(self) -> float:
        """log of the mixture's capital now (nats)."""
        return float(np.logaddexp.reduce(np.asarray(self.capital) + np.log(WEIGHTS)))

    @property
    def reached(self) -> bool:
        """Whether the claim "error rate < limit" has been earned at any moment so far."""
        return bool(self.best >= -np.log1p(-self.confidence))

    @property
    def p_value(self) -> float:
        """An anytime-valid p-value of "the error rate is at least the limit"."""
        return float(min(1.0, np.exp(-self.best)))

    @property
    def limit_left(self) -> float:
        """The error rate of the next item if the whole release sat exactly at the limit."""
        if self.population is None:
            return self.limit
        left = self.population - self.n
        if left <= 0:
            raise invalid("audit-complete", f"All {self.population} items have been audited.")
        return (self.limit * self.population - self.errors) / left

    def seen(self, wrong: bool) -> Self:
        """The state after one more audited item."""
        limit = self.limit_left
        if limit >= 1.0:  # fewer items are left than errors would have to be: refuted for certain
            refuted = limit > 1.0 or not wrong
            best = float("inf") if refuted else self.best
            return replace(self, n=self.n + 1, errors=self.errors + int(wrong), best=best)
        gain = tuple(float(value) for value in gains(limit, wrong)) if limit > 0.0 else (0.0,) * len(BETS)
        capital = tuple(c + g for c, g in zip(self.capital, gain, strict=True))
        after = replace(self, n=self.n + 1, errors=self.errors + int(wrong), capital=capital)
        return replace(after, best=max(self.best, after.log_evidence))

    def seen_all(self, wrong: Iterable[bool]) -> Self:
        """The state after many items, in their order."""
        state = self
        for one in wrong:
            state = state.seen(bool(one))
        return state


def gains(limit: float, wrong: bool) -> NDArray[np.float64]:
    """(B,) log of what an item multiplies each gambler's capital by.

    A bet b pays 1 + b (limit - x) with x = 1 for an error, 0 else; the largest leaves a thirtieth of its capital
    after an error, so that one error is dear, but not the end.
    """
    bets = np.asarray(BETS) / (1.0 - limit)
    return np.asarray(np.log1p(bets * (limit - (1.0 if wrong else 0.0))), dtype=np.float64)


def items_needed(limit: float, confidence: float = 0.95, errors: int = 0, every: int = 400) -> int:
    """How many items until the claim, when `errors` errors come one after each `every` right items from the start."""
    state = Sequential(limit, confidence)
    left = errors
    while not state.reached:
        wrong = left > 0 and state.n > 0 and state.n % every == 0
        left -= int(wrong)
        state = state.seen(wrong)
    return state.n


def upper_bound(wrong: Iterable[bool], confidence: float = 0.95, grid: int = 2_000) -> float:
    """The least error rate that the sequence refutes: an anytime-valid upper bound, by inverting the test.

    1.0 when nothing is refuted yet. Rates are tried on a logarithmic grid from 1e-5 to 1.
    """
    outcomes = np.fromiter((bool(one) for one in wrong), dtype=np.bool_)
    limits = np.geomspace(1e-5, 0.999, grid)
    low, high = 0, grid  # the refuted limits are an upper set
    while low < high:
        middle = (low + high) // 2
        if best_log_evidence(outcomes, float(limits[middle])) >= -np.log1p(-confidence):
            high = middle
        else:
            low = middle + 1
    return float(limits[low]) if low < grid else 1.0


def best_log_evidence(wrong: NDArray[np.bool_], limit: float) -> float:
    """The largest log capital ever reached over a whole sequence (n,) of outcomes."""
    return float(_best(wrong, gains(limit, False), gains(limit, True), np.log(np.asarray(WEIGHTS))))


@kernel
def _best(
    wrong: NDArray[np.bool_],
    on_right: NDArray[np.float64],
    on_wrong: NDArray[np.float64],
    log_weight: NDArray[np.float64],
) -> float:
    capital = log_weight.copy()
    best = 0.0
    for i in range(len(wrong)):
        top = -np.inf
        for b in range(len(capital)):
            capital[b] += on_wrong[b] if wrong[i] else on_right[b]
            top = max(top, capital[b])
        total = 0.0
        for b in range(len(capital)):
            total += np.exp(capital[b] - top)
        best = max(best, top + np.log(total))
    return best
