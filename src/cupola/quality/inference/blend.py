"""blend: the geometric mean of four confusion-matrix fits, because no one strength of prior wins everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.jit import kernel
from cupola.quality.inference.base import Crowd, Fit, evidence_of
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.inference.em import DEFAULT_ITERATIONS, DEFAULT_TOLERANCE, gold_of
from cupola.quality.inference.pool_ds import pool_ds
from cupola.quality.inference.walks import plain, walked_away

STRENGTHS = (3.0, 10.0)
SUPPORT = 3.0  # nats by which a label nobody gave must lead to be believed (20 to 1)
HAIR = 1e-6  # nats by which the likeliest label that somebody gave leads where none that nobody gave is believed


def blend(
    crowd: Crowd,
    *,
    start: Fit | None = None,
    iterations: int = DEFAULT_ITERATIONS,
    tolerance: float = DEFAULT_TOLERANCE,
) -> Fit:
    """coin_ds and pool_ds, each with a weak and a firm prior; their tables averaged on the log scale.

    The posterior is the geometric mean of the four (a logarithmic pool: Genest & Zidek, Statistical Science 1 (1986)).
    The averaged tables are made into tables again, so a blend can be used online like any single fit; where the four
    differ much the two part a little. A class that wins although nobody gave it has its lead over the best that
    somebody gave cut by up to SUPPORT nats: estimated biases may doubt a vote, but they seldom earn the right to invent
    one. A doubted vote is no evidence for what it says either: at most the two are even. Where the four walk away from
    the votes together (see `walks`), the result is a one-coin fit and says so in its method.
    """
    fits = [
        method(crowd, start=start, strength=strength, iterations=iterations, tolerance=tolerance)
        for method in (coin_ds, pool_ds)
        for strength in STRENGTHS
    ]
    confusion = np.zeros_like(fits[0].confusion)
    prior = np.zeros_like(fits[0].prior)
    for fit in fits:
        confusion += np.log(fit.confusion)
        prior += np.log(fit.prior)
    confusion = np.exp(confusion / len(fits))
    prior = np.exp(prior / len(fits))
    prior /= prior.sum()
    # before the rows are made to sum to 1 again: the sum of these logarithms is the mean of the four fits' evidence
    mean = Fit(fits[0].posterior, confusion, prior, "blend", sum(fit.iterations for fit in fits))
    evidence = evidence_of(mean, crowd)
    confusion /= confusion.sum(axis=2, keepdims=True)
    posterior = np.empty_like(evidence)
    _settle(crowd.starts, crowd.label, np.log(prior), gold_of(crowd), SUPPORT, evidence, posterior)
    found = Fit(
        posterior,
        confusion,
        prior,
        "blend",
        mean.iterations,
        all(fit.converged for fit in fits),
        float(np.mean([fit.log_likelihood for fit in fits])),
        evidence,
    )
    return plain(crowd, iterations) if walked_away(found, crowd) else found


def doubted(logits: NDArray[np.float64], voted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) nats that every class nobody gave loses: as much as brings the likeliest of them level with the likeliest
    that somebody gave, SUPPORT at most; 0 where such a class leads or nobody said anything.

    logits: (n, K) evidence and class shares; voted: (n, K) whether somebody gave the class.
    """
    heard = np.where(voted, logits, -np.inf).max(axis=1)
    unheard = np.where(voted, -np.inf, logits).max(axis=1)
    with np.errstate(invalid="ignore"):
        lead = np.where(np.isfinite(heard) & (unheard > heard), unheard - heard, -np.inf)
    return np.asarray(np.where(lead > -np.inf, np.minimum(lead + HAIR, SUPPORT), 0.0))


@kernel
def _settle(
    starts: NDArray[np.int64],
    label: NDArray[np.int16],
    log_prior: NDArray[np.float64],
    gold: NDArray[np.int16],
    support: float,
    evidence: NDArray[np.float64],
    posterior: NDArray[np.float64],
) -> None:
    """Posteriors from evidence, in which unvoted classes lose what `doubted` says: at most `support` nats."""
    classes = evidence.shape[1]
    voted = np.zeros(classes, np.bool_)
    for t in range(len(starts) - 1):
        voted[:] = False
        for row in range(starts[t], starts[t + 1]):
            voted[label[row]] = True
        heard, unheard = -np.inf, -np.inf
        for k in range(classes):
            if voted[k]:
                heard = max(heard, evidence[t, k] + log_prior[k])
            else:
                unheard = max(unheard, evidence[t, k] + log_prior[k])
        if starts[t + 1] > starts[t] and unheard > heard:
            lost = min(unheard - heard + HAIR, support)
            for k in range(classes):
                if not voted[k]:
                    evidence[t, k] -= lost
        best = 0
        for k in range(1, classes):
            if evidence[t, k] + log_prior[k] > evidence[t, best] + log_prior[best]:
                best = k
        top = evidence[t, best] + log_prior[best]
        total = 0.0
        for k in range(classes):
            posterior[t, k] = np.exp(evidence[t, k] + log_prior[k] - top)
            total += posterior[t, k]
        known = gold[t] if len(gold) else -1
        for k in range(classes):
            posterior[t, k] /= total
            if known >= 0:
                posterior[t, k] = 1.0 if k == known else 0.0
