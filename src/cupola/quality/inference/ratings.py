"""Ratings: each rater has a mean of their own, a scale of their own and a care of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid

ROUNDS = 100
BIAS_STRENGTH = 4.0  # ratings' worth of "no bias"
SCALE_STRENGTH = 10.0  # ratings' worth of "uses the scale as the pool does"
CARE_STRENGTH = 5.0  # ratings' worth of the pool's noise


@dataclass(frozen=True, slots=True)
class Rated:
    """value: (items,) on the raters' common scale; error: (items,) standard errors; bias, scale, noise: (raters,):
    a rating is value * scale + (1 - scale) * mean + bias + noise."""

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    bias: NDArray[np.float64]
    scale: NDArray[np.float64]
    noise: NDArray[np.float64]
    rounds: int


def rate(
    item: NDArray[np.int64],
    rater: NDArray[np.int64],
    rating: NDArray[np.float64],
    *,
    n_items: int | None = None,
    n_raters: int | None = None,
    rounds: int = ROUNDS,
) -> Rated:
    """Values of items from ratings, by coordinate ascent with shrinkage; an item without ratings gets the mean.

    item, rater: (n,) codes; rating: (n,) finite numbers. The raters' biases average to 0 and their scales to 1, so
    the value stays in the ratings' unit. Raises Problem for a rating that is not a finite number.
    """
    if len(rating) == 0:
        raise invalid("table-empty", "There are no ratings.")
    if not np.isfinite(rating).all():
        row = int(np.flatnonzero(~np.isfinite(rating))[0])
        raise invalid("rating-nan", f"The rating of row {row} is not a finite number.", place=f"row {row}")
    items = int(item.max()) + 1 if n_items is None else n_items
    raters = int(rater.max()) + 1 if n_raters is None else n_raters
    mean = float(rating.mean())
    centred = rating - mean
    value: NDArray[np.float64] = np.zeros(items)
    bias: NDArray[np.float64] = np.zeros(raters)
    scale: NDArray[np.float64] = np.ones(raters)
    spread = max(float(centred.var()), 1e-9)
    noise = np.full(raters, spread / 2.0)
    made = np.bincount(rater, minlength=raters)
    item_spread = spread / 2.0
    done = 0
    for _ in range(rounds):
        done += 1
        before = value.copy()
        precision = scale[rater] / noise[rater]
        total = np.bincount(item, weights=precision * scale[rater], minlength=items) + 1.0 / item_spread
        value = np.bincount(item, weights=precision * (centred - bias[rater]), minlength=items) / total
        # the uncertainty of the values is part of their spread and of the raters' noise: EM, not guesswork
        uncertain = 1.0 / total
        item_spread = max(float((value**2 + uncertain).mean()), 1e-9)
        rest = centred - scale[rater] * value[item]
        bias[:] = np.bincount(rater, weights=rest, minlength=raters) / (made + BIAS_STRENGTH)
        active = made > 0
        bias[active] -= np.average(bias[active], weights=made[active])
        second = value[item] ** 2 + uncertain[item]
        held = SCALE_STRENGTH * item_spread
        slope = np.bincount(rater, weights=(centred - bias[rater]) * value[item], minlength=raters) + held
        scale = slope / (np.bincount(rater, weights=second, minlength=raters) + held)
        scale = np.clip(scale / np.average(scale, weights=np.maximum(made, 1e-9)), 0.1, 5.0)
        error = centred - bias[rater] - scale[rater] * value[item]
        squares = error**2 + scale[rater] ** 2 * uncertain[item]
        pool = max(float(squares.mean()), 1e-6 * spread)
        noise = (np.bincount(rater, weights=squares, minlength=raters) + CARE_STRENGTH * pool) / (made + CARE_STRENGTH)
        if float(np.abs(value - before).max()) < 1e-7 * np.sqrt(spread):
            break
    precision = scale[rater] ** 2 / noise[rater]
    total = np.bincount(item, weights=precision, minlength=items) + 1.0 / item_spread
    return Rated(value + mean, 1.0 / np.sqrt(total), bias, scale, np.sqrt(noise), done)
