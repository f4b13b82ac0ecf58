"""The fixed plan: n items drawn at random, c errors found, so at most so many errors with this confidence.

All bounds are one-sided and exact. `confidence` is 0.95 for "at 95 %"; shares are fractions, not percent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy

special = Lazy("scipy.special")

MAX_SAMPLE = 10_000_000


def _check(errors: int, n: int, confidence: float) -> None:
    if not 0 <= errors <= n:
        raise invalid("audit-counts", f"{errors} errors among {n} audited items cannot be.", place="/errors")
    _check_confidence(confidence)


def _check_confidence(confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise invalid(
            "confidence-range", f"confidence is {confidence}; it lies strictly between 0 and 1.", place="/confidence"
        )


def _hypergeometric_cdf(most: int, population: int, marked: int, drawn: int) -> float:
    """P(at most `most` marked ones among `drawn` of `population`, `marked` of which are marked).

    The terms are summed as they are: scipy.stats does the same, and takes a second and 60 MB to load.
    """
    least, highest = max(0, drawn - (population - marked)), min(drawn, marked)
    if most >= highest:
        return 1.0
    if most < least:
        return 0.0
    # the shorter tail
    below = most - least <= highest - most
    hits = np.arange(least, most + 1) if below else np.arange(most + 1, highest + 1)
    logs = _log_choose(marked, hits) + _log_choose(population - marked, drawn - hits)
    tail = float(np.exp(logs - _log_choose(population, np.array(drawn))).sum())
    return min(max(tail if below else 1.0 - tail, 0.0), 1.0)


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1), dtype=np.float64)


def clopper_pearson_upper(errors: int, n: int, confidence: float = 0.95) -> float:
    """The largest error rate that `errors` or fewer among n would still be seen under, with P = 1 - confidence.

    For items drawn with replacement, or from a batch far larger than n. n = 0 gives 1: nothing is known.
    Raises Problem when errors is not in 0..n. Source: Clopper & Pearson, Biometrika 26 (1934).
    """
    _check(errors, n, confidence)
    if errors == n:
        return 1.0
    return float(special.betaincinv(errors + 1, n - errors, confidence))


def clopper_pearson_lower(errors: int, n: int, confidence: float = 0.95) -> float:
    """The smallest error rate under which `errors` or more among n would be seen with P = 1 - confidence."""
    _check(errors, n, confidence)
    if errors == 0:
        return 0.0
    return float(special.betaincinv(errors, n - errors + 1, 1.0 - confidence))


def hypergeometric_upper(errors: int, n: int, population: int, confidence: float = 0.95) -> int:
    """The largest number of errors a batch of `population` items may hold, n of them drawn without replacement.

    Exact test inversion: the largest D with P(X <= errors | D) > 1 - confidence; never below `errors`, and at most
    `errors` + the items not audited. A census (n = population) gives `errors`.
    Source: Chung & DeLury, Confidence Limits for the Hypergeometric Distribution (1950).
    """
    _check(errors, n, confidence)
    if n > population:
        raise invalid("audit-counts", f"{n} items cannot be drawn from {population}.", place="/n")
    low, high = errors, errors + population - n  # D = errors is always possible
    while low < high:
        middle = (low + high + 1) // 2
        if _hypergeometric_cdf(errors, population, middle, n) > 1.0 - confidence:
            low = middle
        else:
            high = middle - 1
    return low


def error_upper(errors: int, n: int, population: int | None, confidence: float = 0.95) -> float:
    """The upper bound on the error *rate*: hypergeometric in a finite batch, else Clopper-Pearson."""
    if population is None:
        return clopper_pearson_upper(errors, n, confidence)
    if population == 0:
        raise invalid("population-empty", "A release without items has no accuracy.", place="/population")
    return hypergeometric_upper(errors, n, population, confidence) / population


def sample_size(limit: float, errors: int = 0, confidence: float = 0.95, population: int | None = None) -> int:
    """How many items to draw so that finding `errors` or fewer proves an error rate of at most `limit`.

    limit: a share, 0.01 for 99 % accuracy. population: items of the batch, None for a large one.
    Raises Problem when even a census could not prove it (errors / population > limit).
    """
    _check_confidence(confidence)
    if not 0.0 < limit < 1.0:
        raise invalid("limit-range", f"limit is {limit}; it lies strictly between 0 and 1.", place="/limit")
    if errors < 0:
        raise invalid("audit-counts", f"{errors} errors cannot be.", place="/errors")
    if population is not None and errors > limit * population:
        raise invalid(
            "limit-unreachable",
            f"{errors} errors among {population} items are already more than {limit:.4%}.",
            remedy="Allow fewer errors, or a larger limit.",
        )
    high = population if population is not None else max(errors + 1, 64)
    while population is None and clopper_pearson_upper(errors, high, confidence) > limit:
        high *= 2
        if high > MAX_SAMPLE:
            raise invalid("limit-range", f"A limit of {limit} would need more than {MAX_SAMPLE} items.")
    low = errors
    while high - low > 1:
        middle = (low + high) // 2
        if error_upper(errors, middle, population, confidence) <= limit:
            high = middle
        else:
            low = middle
    return high


def allowed_errors(n: int, limit: float, confidence: float = 0.95, population: int | None = None) -> int:
    """The most errors n audited items may show while `limit` is still proven; -1 when not even none would do."""
    low, high = -1, n
    while low < high:
        middle = (low + high + 1) // 2
        if error_upper(middle, n, population, confidence) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def power(true_error: float, n: int, limit: float, confidence: float = 0.95, population: int | None = None) -> float:
    """P(the certificate is reached) when the release's true error rate is `true_error`."""
    return _reached(allowed_errors(n, limit, confidence, population), true_error, n, population)


def _reached(allowed: int, true_error: float, n: int, population: int | None) -> float:
    """P(at most `allowed` errors among n audited items)."""
    if allowed < 0:
        return 0.0
    if population is None:
        return float(special.bdtr(allowed, n, true_error))
    return _hypergeometric_cdf(allowed, population, math.ceil(true_error * population), n)


def error_to_aim_at(
    n: int, limit: float, confidence: float = 0.95, population: int | None = None, chance: float = 0.9
) -> float:
    """The largest true error rate at which an audit of n items proves `limit` with probability `chance`; 0 if none.

    What makes the labels aims at this, not at the limit: a release as bad as it may be passes one audit in twenty.
    """
    if population is not None and n >= population:
        return math.floor(limit * population) / population
    allowed = allowed_errors(n, limit, confidence, population)
    if _reached(allowed, 0.0, n, population) < chance:
        return 0.0
    low, high = 0.0, limit
    for _ in range(30):
        middle = (low + high) / 2.0
        if _reached(allowed, middle, n, population) >= chance:
            low = middle
        else:
            high = middle
    return low


def sample_size_for_power(
    limit: float, true_error: float, wanted: float = 0.9, confidence: float = 0.95, population: int | None = None
) -> tuple[int, int]:
    """(n, allowed errors): the smallest plan reached with probability `wanted` when the true rate is `true_error`.

    Raises Problem when the true error is not below the limit: no sample can prove what is not so.
    """
    if not 0.0 <= true_error < limit:
        raise invalid(
            "power-unreachable",
            f"A true error of {true_error:.4%} is not below the limit of {limit:.4%}.",
            remedy="Correct the release first, or claim less.",
        )
    for errors in range(100_000):
        if population is not None and errors > limit * population:
            break
        n = sample_size(limit, errors, confidence, population)
        if power(true_error, n, limit, confidence, population) >= wanted:
            return n, errors
    raise invalid(
        "power-unreachable",
        f"No sample of the {population} items reaches that power.",
        remedy="Audit all of them, or lower the true error first.",
    )
