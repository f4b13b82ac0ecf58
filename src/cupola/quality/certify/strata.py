"""A release in parts: a census of the doubtful slice, samples of the rest, and the release threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.quality.certify.fixed import clopper_pearson_upper, hypergeometric_upper

special = Lazy("scipy.special")


@dataclass(frozen=True, slots=True)
class Stratum:
    """population items, of which n were audited and `errors` found wrong. n = population is a census."""

    name: str
    population: int
    n: int
    errors: int

    @property
    def census(self) -> bool:
        return self.n == self.population


def stratified_upper(strata: Sequence[Stratum], confidence: float = 0.95) -> float:
    """An upper bound on the error rate of the whole release.

    A census counts as it is. The doubt 1 - confidence is divided evenly among the sampled strata (Bonferroni), each
    bounded by its hypergeometric limit: exact for one sampled stratum, conservative for several.
    """
    total = sum(stratum.population for stratum in strata)
    if total == 0:
        raise invalid("population-empty", "A release without items has no accuracy.", place="/strata")
    sampled = sum(1 for stratum in strata if not stratum.census)
    each = 1.0 - (1.0 - confidence) / max(sampled, 1)
    worst = sum(
        stratum.errors if stratum.census else hypergeometric_upper(stratum.errors, stratum.n, stratum.population, each)
        for stratum in strata
    )
    return worst / total


def auditor_corrected_upper(errors: int, n: int, missed: int, planted: int, confidence: float = 0.95) -> float:
    """An upper bound on the true error rate when the auditors themselves overlook errors.

    missed of `planted` known errors, hidden among the audited items, were passed by the auditors. The doubt is
    halved between the two bounds (Bonferroni): observed rate <= u and miss rate <= m give true rate <= u / (1 - m).
    False alarms only make the bound more careful. Without planted errors nothing is known: 1.0.
    """
    if planted == 0:
        return 1.0
    half = 1.0 - (1.0 - confidence) / 2.0
    miss = clopper_pearson_upper(missed, planted, half)
    return min(1.0, clopper_pearson_upper(errors, n, half) / (1.0 - miss)) if miss < 1.0 else 1.0


@dataclass(frozen=True, slots=True)
class Threshold:
    """value: release what is at least this confident, None when even nothing released is not proven safe.
    released: share of all items; error_upper: bound on wrong released items as a share of all items."""

    value: float | None
    released: float
    error_upper: float
    experts: int


def pac_threshold(
    all_confidence: NDArray[np.float64],
    sample_confidence: NDArray[np.float64],
    sample_wrong: NDArray[np.bool_],
    limit: float,
    confidence: float = 0.95,
    steps: int | None = None,
) -> Threshold:
    """The lowest confidence to release at, so that at most `limit` of all items are released wrong.

    all_confidence: (N,) of every item; sample_*: (n,) for items drawn uniformly among them, without replacement, and
    labelled by experts. Items below the threshold are to be labelled by experts too. Thresholds are the values of
    all_confidence (or `steps` quantiles of them), tried from the strictest on; the first that fails ends it, which is
    why looking at many costs no confidence. The sampled items carry the experts' labels, so only errors that were not
    drawn are counted.
    Source: Candes, Ilyas & Zrnic, Probably Approximately Correct Labels (2025): fixed-sequence testing, here with the
    exact bounds of a finite batch.
    """
    n = len(sample_confidence)
    total = len(all_confidence)
    if n == 0 or len(sample_wrong) != n or n > total:
        raise invalid("sample-empty", f"{n} confidences and {len(sample_wrong)} outcomes make no sample of {total}.")
    allowed = -1  # errors the sample may show above a threshold; the bound grows with them
    while allowed < n and _left(allowed + 1, n, total, confidence) <= limit:
        allowed += 1
    grid = np.unique(all_confidence)[::-1]
    if steps is not None and len(grid) > steps:
        grid = np.unique(np.quantile(all_confidence, np.linspace(0.0, 1.0, steps)))[::-1]
    above = np.sort(sample_confidence[sample_wrong])
    value: float | None = None
    found = 0
    for threshold in grid:
        wrong = len(above) - int(np.searchsorted(above, threshold))
        if wrong > allowed:
            break
        value, found = float(threshold), wrong
    bound = 1.0 if value is None else _left(found, n, total, confidence)
    released = 0.0 if value is None else float((all_confidence >= value).mean())
    return Threshold(value, released, bound, n)


def release_end(confidence: NDArray[np.float64], limit: float, share: float = 0.5) -> tuple[float, float]:
    """(the least confidence released, the share of items released), if confidences are believed.

    confidence: (N,) of every item; limit: share of all items that may be released wrong, of which the part `share` is
    spent; the rest is room for the chance of the sample that must prove it.
    """
    total = len(confidence)
    if total == 0:
        raise invalid("population-empty", "There is nothing to release.", place="/confidence")
    surest = np.sort(confidence)[::-1]
    last = min(int(np.searchsorted(np.cumsum(1.0 - surest) / total, share * limit)), total - 1)
    return float(surest[last]), (last + 1) / total


def threshold_sample_size(
    confidence: NDArray[np.float64],
    limit: float,
    *,
    certainty: float = 0.95,
    share: float = 0.5,
    least: int = 200,
    most: int = 800,
) -> int:
    """How many items experts should label before `pac_threshold`, by what is known before any is drawn.

    confidence: (N,) calibrated, of every item. A sample of n costs n answers on items that would mostly be released
    anyway, and leaves z sqrt(limit (1 - limit) / n) of the limit unused, which at the confidence t where the release
    ends sends that much over 1 - t of all items to experts. n is where both together are cheapest, between `least` and
    `most`. It depends on confidences alone, never on an outcome, so the threshold keeps its guarantee.
    """
    ends, released = release_end(confidence, limit, share)
    slack = float(special.ndtri(certainty)) * float(np.sqrt(limit * (1.0 - limit)))
    sent = len(confidence) * slack / max(1.0 - ends, 1e-3)
    wanted = (sent / (2.0 * max(released, 0.1))) ** (2.0 / 3.0)
    return min(int(np.clip(wanted, least, most)), len(confidence))


def _left(errors: int, n: int, total: int, confidence: float) -> float:
    """An upper bound on the share of errors that remain when those found in the sample have been mended."""
    return (hypergeometric_upper(errors, n, total, confidence) - errors) / total
