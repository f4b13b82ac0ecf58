"""Do certificates lie? Simulated releases just above the limit, and exact chances where they can be had."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, hypergeom

from cupola.quality.certify.fixed import allowed_errors, hypergeometric_upper, sample_size
from cupola.quality.certify.sequential import best_log_evidence, items_needed
from cupola.quality.certify.strata import pac_threshold

LIMIT = 0.003
RELEASES = 10_000
LOOKS = 20_000


def run(releases: int = RELEASES) -> dict[str, Any]:
    """Shares of wrong certificates for each kind of plan, at 95 % confidence."""
    rng = np.random.default_rng(20260101)
    just_above = LIMIT * 1.0001
    needed = -np.log(0.05)
    wrong = 0
    for done in range(1, releases + 1):
        wrong += best_log_evidence(_stream(rng, just_above), LIMIT) >= needed
        if done % 2_000 == 0:
            print(f"  sequential, {done} releases of {LOOKS} looks: {wrong / done:.2%} wrong", flush=True)
    out: dict[str, Any] = {
        "sequential": {
            "releases": releases,
            "looks": LOOKS,
            "wrong": wrong / releases,
            "n at zero errors": items_needed(LIMIT),
            "n at zero errors, 1 %": items_needed(0.01),
            "n at zero errors, 5 %": items_needed(0.05),
        }
    }
    fixed = {}
    for errors in range(4):
        n = sample_size(LIMIT, errors)
        fixed[f"n={n}"] = float(binom.cdf(allowed_errors(n, LIMIT), n, just_above))
    out["fixed, exact chance of a wrong certificate"] = fixed
    finite = {}
    for population in (1_000, 5_000, 20_000):
        n = sample_size(LIMIT, 0, population=population)
        bounds = np.array([hypergeometric_upper(c, n, population) for c in range(4)])
        broken = int(np.floor(LIMIT * population)) + 1
        chance = hypergeom.pmf(np.arange(4), population, broken, n)
        finite[f"N={population}, n={n}"] = float(chance[bounds <= LIMIT * population].sum())
    out["finite batch, exact chance of a wrong certificate"] = finite
    broken = 0
    for _ in range(1_000):
        confidence = rng.beta(6, 1, 4_000)
        errors = rng.random(4_000) > confidence * 0.97
        sample = rng.choice(4_000, 400, replace=False)
        found = pac_threshold(confidence, confidence[sample], errors[sample], 0.05)
        errors[sample] = False  # the experts' labels stand there
        broken += found.value is not None and (errors & (confidence >= found.value)).mean() > 0.05
    out["release threshold, share of 1,000 draws above the limit"] = broken / 1_000
    for name, value in out.items():
        print(f"  {name}: {value}", flush=True)
    return out


def _stream(rng: np.random.Generator, rate: float) -> NDArray[np.bool_]:
    return np.asarray(rng.random(LOOKS) < rate, dtype=np.bool_)
