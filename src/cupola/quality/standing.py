"""What a task's leading label is worth: the confidence that decisions are made on.

A tempered posterior (see `calibrate`) has one figure for every number of votes, yet it must serve a single vote and
six that agree: with one rho the first is believed too much or the second too little. Agreement says more than the sum
of evidence does, because a vote against the leader betrays a task that people get wrong together. So the log odds that
the leader is right are taken to be linear in five things: a constant, the tempered log odds, the log of the number of
votes, the share of votes against the leader, and how common its class is.

The coefficients start from what real crowds have in common (USUAL, SPREAD: mean and covariance over sets, each by
itself), and a project's golds move them as far as they have something to say. `bench/quality/tune_standing.py` makes
both constants and shows what leaving each set out does: at 50 golds a log-loss of .405 against .415 of rho and a fitted
power, at 300 .404 against .413; with none the same (.427 and .423).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.lazy import Lazy
from cupola.quality.calibrate import DEFAULT_RHO, temper

optimize = Lazy("scipy.optimize")
special = Lazy("scipy.special")

SHARPNESS = 0.75  # EM thinks too well of people it has seen little of
MOST_LOG_ODDS = 8.0
MOST_SURE = 0.9995
USUAL = np.array([0.171, 0.895, 0.386, -1.351, -0.442])
WIDER = 3.0  # a project may be unlike all of those sets: nothing is lost on them by being that much readier to learn
SPREAD = WIDER * np.array(
    [
        [0.042, -0.009, -0.005, 0.008, -0.051],
        [-0.009, 0.071, 0.021, -0.002, 0.083],
        [-0.005, 0.021, 0.053, 0.034, 0.058],
        [0.008, -0.002, 0.034, 0.082, 0.034],
        [-0.051, 0.083, 0.058, 0.034, 0.369],
    ]
)


def features(
    evidence: NDArray[np.float64], votes: NDArray[np.int64], prior: NDArray[np.float64], agreeing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, 5) what the confidence is made of.

    evidence: (n, K) log likelihoods; votes: (n,); prior: (K,); agreeing: (n,) share of the votes for the likeliest
    class (see `agreement_with`).
    """
    posterior = tempered(evidence, votes, prior)
    top = posterior.max(axis=1)
    rest = np.maximum(1.0 - top, 1e-9)
    best = posterior.argmax(axis=1)
    return np.column_stack(
        [
            np.ones(len(votes)),
            np.minimum(np.log(np.maximum(top, 1e-9) / rest), MOST_LOG_ODDS),
            np.log(np.maximum(votes, 1)),
            1.0 - agreeing,
            np.log(np.maximum(prior[best], 1e-12)) + np.log(len(prior)),
        ]
    )


def tempered(
    evidence: NDArray[np.float64], votes: NDArray[np.int64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, K) the posterior before its leader's confidence is put right."""
    power = temper(evidence, votes, prior, DEFAULT_RHO) ** SHARPNESS
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def agreement_with(best: NDArray[np.int64], task: NDArray[np.int64], code: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n_tasks,) share of each task's votes that say `best`; 1 where there are none. task, code: (n,) of the votes."""
    made = np.bincount(task, minlength=len(best))
    same = np.bincount(task, weights=(code == best[task]).astype(np.float64), minlength=len(best))
    return np.asarray(np.where(made > 0, same / np.maximum(made, 1), 1.0), dtype=np.float64)


def fitted(
    made_of: NDArray[np.float64],
    right: NDArray[np.bool_],
    weight: NDArray[np.float64],
    *,
    usual: NDArray[np.float64] = USUAL,
    spread: NDArray[np.float64] = SPREAD,
) -> NDArray[np.float64]:
    """(5,) coefficients that golds make likeliest, from `usual` with covariance `spread` beforehand.

    made_of: (n, 5) features of golds by a fit that was not told them; right: (n,) whether the leader was; weight: (n,).
    """
    if len(right) == 0:
        return usual
    precision = np.linalg.inv(spread)
    answer = right.astype(np.float64)

    def loss(coefficients: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = made_of @ coefficients
        away = coefficients - usual
        value = (weight * (np.logaddexp(0.0, z) - answer * z)).sum() + 0.5 * away @ precision @ away
        return float(value), made_of.T @ (weight * (special.expit(z) - answer)) + precision @ away

    return np.asarray(optimize.minimize(loss, usual, jac=True, method="BFGS").x)


def worth(coefficients: NDArray[np.float64], made_of: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """(n,) probability that the leader is right."""
    return np.asarray(np.clip(special.expit(made_of @ coefficients), 1.0 / classes, MOST_SURE), dtype=np.float64)


def placed(posterior: NDArray[np.float64], top: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, K) the posterior with its leader at `top`, the others in their proportions; the leader stays the leader."""
    rows = np.arange(len(posterior))
    best = posterior.argmax(axis=1)
    others = posterior.copy()
    others[rows, best] = 0.0
    total = np.maximum(others.sum(axis=1), 1e-300)
    others /= total[:, None]
    second = others.max(axis=1)
    lead = np.maximum(top, second / (1.0 + second))
    out = others * (1.0 - lead)[:, None]
    out[rows, best] = lead if posterior.shape[1] > 1 else 1.0
    return np.asarray(out, dtype=np.float64)
