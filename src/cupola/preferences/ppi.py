"""A mean from few answers of people and many of a judge: prediction-powered, never wider than it must be.

Source: Angelopoulos, Duchi & Zrnic, PPI++: Efficient prediction-powered inference (2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

special = Lazy("scipy.special")
LEAST_LABELLED = 10


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with a two-sided interval; n: items that people judged; judged: those that the judge alone judged."""

    value: float
    low: float
    high: float
    n: int
    judged: int
    weight: float  # lambda: how far the judge is heard, 0 not at all
    effective: float  # how many times as many people's answers the interval is worth


def mean(
    people: NDArray[np.float64], judge: NDArray[np.float64], alone: NDArray[np.float64], *, confidence: float = 0.95
) -> Mean:
    """The mean of what people would say of all items.

    people, judge: (n,) their and the judge's values of the same items, drawn at random from all; alone: (N,) the
    judge's values of the others. Raises Problem with fewer than LEAST_LABELLED items of people: intervals are normal
    ones.
    """
    n, others = len(people), len(alone)
    if len(judge) != n:
        raise invalid("column-length", f"{n} values of people and {len(judge)} of the judge.")
    if n < LEAST_LABELLED:
        raise invalid(
            "too-few-people",
            f"People judged {n} items; an interval needs {LEAST_LABELLED}.",
            remedy="Have more items judged by people.",
        )
    z = float(special.ndtri(0.5 + confidence / 2.0))
    plain = float(people.var(ddof=1)) / n
    if others == 0 or float(judge.var()) == 0.0:
        half = z * plain**0.5
        middle = float(people.mean())
        return Mean(middle, middle - half, middle + half, n, others, 0.0, 1.0)
    spread = float(np.concatenate([judge, alone]).var(ddof=1))
    together = float(np.cov(people, judge, ddof=1)[0, 1])
    weight = float(np.clip(together / ((1.0 + n / others) * spread), 0.0, 1.0))
    value = float(weight * alone.mean() + (people - weight * judge).mean())
    variance = weight**2 * float(alone.var(ddof=1) if others > 1 else spread) / others
    variance += float((people - weight * judge).var(ddof=1)) / n
    half = z * variance**0.5
    return Mean(value, value - half, value + half, n, others, weight, plain / variance if variance > 0 else 1.0)
