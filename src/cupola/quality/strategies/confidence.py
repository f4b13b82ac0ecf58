"""What a raw confidence is worth, by golds that were looked at as work is: a line on the logit scale.

What every strategy that learns such a line shares, beside the line: the forecast of a crowd known by its accuracy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.quality.calibrate import DEFAULT_RHO
from cupola.quality.course import LOWEST, MOST_DOUBT
from cupola.quality.pool import Pool, pool_from_skill
from cupola.quality.strategies.base import Aims

optimize = Lazy("scipy.optimize")
special = Lazy("scipy.special")

LEAST_LOOKS = 20  # golds from which on they say how far to believe a confidence
SPREAD = (1.0, 0.3)  # of offset and log slope, from one crowd to the next
MOST_SURE = 0.9995
FOLDS = 5
RELIABILITY_EDGES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
FORECAST_CLASSES = 64  # a forecast takes answers for one of so many: chance agreement is as rare

Reliability = tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """offset, slope: of the confidence, logit scale; reliability: how well that held, see `reliability`. As made it
    takes a confidence for what it says."""

    offset: float = 0.0
    slope: float = 1.0
    reliability: Reliability = ()

    @classmethod
    def of(cls, claimed: NDArray[np.float64], right: NDArray[np.bool_]) -> Line:
        """By (n,) golds: the confidence that each was decided with, and whether it was right. Too few tell nothing."""
        if len(claimed) < LEAST_LOOKS:
            return cls()
        z = logit(claimed)
        return cls(*fitted_line(z, right), reliability(z, right))

    def worth(self, confidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) what a confidence is worth by this project's golds."""
        said = self.offset + self.slope * logit(confidence)
        return np.asarray(np.minimum(special.expit(said), MOST_SURE), dtype=np.float64)

    def worth_of(self, confidence: float) -> float:
        """`worth` of one."""
        return min(1.0 / (1.0 + math.exp(-(self.offset + self.slope * log_odds(confidence)))), MOST_SURE)


AS_SAID = Line()


def log_odds(share: float) -> float:
    """`logit` of one: a decision asks for each object of each task, where an array costs more than the sum."""
    inside = min(max(share, 1e-6), 1.0 - 1e-6)
    return math.log(inside / (1.0 - inside))


def logit(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) log odds, of shares held away from 0 and 1."""
    inside = np.clip(share, 1e-6, 1.0 - 1e-6)
    return np.asarray(np.log(inside / (1.0 - inside)), dtype=np.float64)


def fitted_line(z: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Offset and slope of raw confidences z (logits) that make what was right likeliest, held to 0 and 1."""
    answer = right.astype(np.float64)

    def loss(x: NDArray[np.float64]) -> float:
        said = x[0] + np.exp(x[1]) * z
        held = 0.5 * float(((x / np.array(SPREAD)) ** 2).sum())
        return float((np.logaddexp(0.0, said) - answer * said).sum()) + held

    found = optimize.minimize(loss, np.zeros(2), method="BFGS").x
    return float(found[0]), float(np.exp(found[1]))


def reliability(z: NDArray[np.float64], right: NDArray[np.bool_]) -> Reliability:
    """What was claimed, what was right, and of how many golds, by bins: each gold under what the others gave."""
    told = np.empty(len(z))
    for k in range(FOLDS):
        here = np.arange(len(z)) % FOLDS == k
        offset, slope = fitted_line(z[~here], right[~here])
        told[here] = special.expit(offset + slope * z[here])
    bins = np.digitize(told, RELIABILITY_EDGES)
    return tuple(
        (float(told[bins == b].mean()), float(right[bins == b].mean()), int((bins == b).sum())) for b in np.unique(bins)
    )


def settling_threshold(confidence: NDArray[np.float64], aims: Aims) -> float:
    """The lowest confidence to settle at that leaves no more than the crowd's share of the allowed error over all that
    was judged (what is not settled is an expert's), and no single task with much more doubt than is allowed on
    average. confidence: (n,) of the judged tasks."""
    allowed = (1.0 - aims.target_accuracy) * aims.share
    lowest = max(1.0 - MOST_DOUBT * (1.0 - aims.target_accuracy), LOWEST)
    if len(confidence) < LEAST_LOOKS:
        return max(aims.threshold, lowest)
    best_first = np.sort(confidence)[::-1]
    doubt = np.cumsum(1.0 - best_first) / len(best_first)
    within = int(np.searchsorted(doubt, allowed, side="right"))
    if within == 0:
        return max(aims.threshold, lowest)
    return float(max(best_first[within - 1], lowest))


def basis(judgements: int) -> str:
    """What a forecast is based on, in words."""
    return f"{judgements:,} judgements of this project" if judgements else "an assumed crowd"


def pool_of(accuracy: float, judgements: int, rho: float = DEFAULT_RHO) -> Pool:
    """Who judges, where of a crowd only the mean accuracy is known."""
    found = pool_from_skill(FORECAST_CLASSES, float(np.clip(accuracy, 0.05, 0.98)), rho)
    return replace(found, basis=basis(judgements))
