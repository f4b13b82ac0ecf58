"""Honest confidence: what a posterior is worth when errors repeat each other.

People who err tend to err alike, so n votes carry about n / (1 + (n - 1) rho) votes of evidence. The whole log
posterior is scaled by that, prior and votes together: the answer stays the same and only its confidence changes
(scaling the votes alone lets a frequent class swallow a rare one, and was worse on every measure). rho is fitted
after EM, by log-loss on golds the fit did not see.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.lazy import Lazy
from cupola.quality.inference.base import Crowd, Fit, evidence_of

optimize = Lazy("scipy.optimize")

DEFAULT_RHO = 0.6  # the middle of real sets (0.2-1.1)
MAX_RHO = 8.0
PRIOR_LOG_SD = 0.8  # how far log(rho) wanders from set to set: the weight of the default against few golds


def discount(votes: NDArray[np.int64] | NDArray[np.float64], rho: float) -> NDArray[np.float64]:
    """(n,) weight of each vote of a task with that many votes: 1 / (1 + (votes - 1) rho)."""
    return 1.0 / (1.0 + np.maximum(np.asarray(votes, dtype=np.float64) - 1.0, 0.0) * rho)


def temper(
    evidence: NDArray[np.float64], votes: NDArray[np.int64], prior: NDArray[np.float64], rho: float
) -> NDArray[np.float64]:
    """(n, K) posterior from log evidence (n, K), votes (n,) and class prior (K,).

    The likeliest class does not depend on rho.
    """
    logits = (np.log(np.maximum(prior, 1e-300)) + evidence) * discount(votes, rho)[:, None]
    logits -= logits.max(axis=1, keepdims=True)
    weight = np.exp(logits)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float64)


def calibrated(fit: Fit, crowd: Crowd, rho: float = DEFAULT_RHO) -> NDArray[np.float64]:
    """(n_tasks, K) the posterior to show and to decide on. Gold is one-hot. Raises Problem for a negative rho."""
    if not 0.0 <= rho < np.inf:
        raise invalid("rho-range", f"rho is {rho}; it is at least 0.", remedy="Use fit_rho, or the default.")
    posterior = temper(evidence_of(fit, crowd), crowd.votes, fit.prior, rho)
    if crowd.gold is not None:
        known = crowd.gold >= 0
        posterior[known] = 0.0
        posterior[known, crowd.gold[known]] = 1.0
    return posterior


def fit_rho(fit: Fit, crowd: Crowd, gold: NDArray[np.int16], *, default: float = DEFAULT_RHO) -> float:
    """rho that makes the log-loss on golds least, with a log-normal prior at `default`.

    gold: (n_tasks,) int16, -1 where none. The fit must not have been clamped to these golds (see `choose.cross_fit`):
    else it has learned its workers from the very answers it is scored on, and rho comes out too small.
    Without golds the default is returned.
    """
    known = np.flatnonzero((gold >= 0) & (crowd.votes > 0))
    if len(known) == 0:
        return default
    evidence = evidence_of(fit, crowd)[known]
    return rho_of(evidence, crowd.votes[known], fit.prior, gold[known], default=default)


def rho_of(
    evidence: NDArray[np.float64],
    votes: NDArray[np.int64],
    prior: NDArray[np.float64],
    truth: NDArray[np.int16],
    *,
    default: float = DEFAULT_RHO,
) -> float:
    """The same from bare arrays: evidence (n, K), votes (n,), prior (K,), truth (n,)."""
    rows = np.arange(len(truth))

    def loss(log_rho: float) -> float:
        right = temper(evidence, votes, prior, float(np.exp(log_rho)))[rows, truth]
        penalty = 0.5 * ((log_rho - np.log(default)) / PRIOR_LOG_SD) ** 2
        return float(-np.log(np.maximum(right, 1e-12)).sum() + penalty)

    found = optimize.minimize_scalar(loss, bounds=(np.log(0.01), np.log(MAX_RHO)), method="bounded")
    return float(np.exp(found.x))
