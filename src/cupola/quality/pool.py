"""Who will judge, and how the confidence of tasks moves with each of their votes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel
from cupola.quality.calibrate import DEFAULT_RHO
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.online import cold_start
from cupola.quality.standing import MOST_LOG_ODDS, MOST_SURE, SHARPNESS

SIMULATED_TASKS = 2_000


@dataclass(frozen=True, slots=True)
class Pool:
    """Who will judge: tables (W, K, K), the chance (W,) that each gives the next vote, class prior (K,), rho.

    standing: (5,) what a confidence is made with (see the module of that name); None where only rho is known.
    echo: how often a further vote says what leads, beyond what the tables foretell: people share what misleads them.
    """

    confusions: NDArray[np.float64]
    share: NDArray[np.float64]
    prior: NDArray[np.float64]
    rho: float
    basis: str
    standing: NDArray[np.float64] | None = None
    echo: float = 0.0


def pool_from_skill(n_classes: int, skill: float = 0.85, rho: float = DEFAULT_RHO) -> Pool:
    """A pool nobody has seen yet: all right with probability `skill`, errors even."""
    if not 1.0 / n_classes < skill < 1.0:
        raise invalid(
            "skill-range",
            f"A skill of {skill} with {n_classes} classes is chance or worse, or perfect.",
            remedy=f"Give a share right between {1 / n_classes:.2f} and 1.",
            place="/skill",
        )
    table = cold_start(n_classes, skill)
    return Pool(table[None], np.ones(1), np.full(n_classes, 1.0 / n_classes), rho, f"an assumed skill of {skill:.0%}")


def pool_from_pilot(fit: Fit, crowd: Crowd, rho: float = DEFAULT_RHO) -> Pool:
    """The pool that a pilot showed."""
    made = np.bincount(crowd.worker, minlength=crowd.n_workers).astype(np.float64)
    if made.sum() == 0:
        raise invalid("pilot-empty", "The pilot has no judgements.", remedy="Use pool_from_skill.")
    basis = f"a pilot of {len(crowd)} judgements by {int((made > 0).sum())} people"
    return Pool(fit.confusion, made / made.sum(), fit.prior, rho, basis)


def resampled(pilot: Crowd, rho: float, rng: np.random.Generator) -> Pool:
    """The pool of a pilot whose tasks are drawn again, with replacement."""
    chosen = rng.integers(0, pilot.n_tasks, pilot.n_tasks)
    sizes = pilot.votes[chosen]
    rows = np.repeat(pilot.starts[chosen], sizes) + _within(sizes)
    again = Crowd.from_codes(
        np.repeat(np.arange(pilot.n_tasks), sizes),
        pilot.worker[rows],
        pilot.label[rows],
        n_tasks=pilot.n_tasks,
        n_workers=pilot.n_workers,
        n_classes=pilot.n_classes,
        gold=None if pilot.gold is None else pilot.gold[chosen],
        duplicates="keep",
    )
    return pool_from_pilot(coin_ds(again, iterations=20), again, rho)


def _within(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    total = int(sizes.sum())
    ends = np.cumsum(sizes)
    return np.arange(total) - np.repeat(ends - sizes, sizes)


def paths(pool: Pool, max_votes: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(tasks, max_votes) calibrated posterior of the best class after each vote.

    Votes are drawn one after the other from their calibrated predictive distribution: the n-th vote says what the
    posterior of the first n - 1 makes it say. So errors repeat as much as rho holds them to.
    """
    return _walk(
        np.log(np.maximum(pool.confusions, 1e-12)),
        np.cumsum(pool.confusions, axis=2),
        np.cumsum(pool.share),
        np.log(np.maximum(pool.prior, 1e-300)),
        pool.rho,
        np.zeros(0) if pool.standing is None else pool.standing,
        pool.echo,
        rng.random((SIMULATED_TASKS, max_votes, 4)),
    )


@kernel
def _walk(
    log_table: NDArray[np.float64],
    cumulated: NDArray[np.float64],
    share: NDArray[np.float64],
    log_prior: NDArray[np.float64],
    rho: float,
    standing: NDArray[np.float64],
    echo: float,
    uniform: NDArray[np.float64],
) -> NDArray[np.float64]:
    tasks, votes, _ = uniform.shape
    classes = len(log_prior)
    out = np.empty((tasks, votes))
    logits = np.empty(classes)
    posterior = np.empty(classes)
    heard = np.empty(classes)
    for t in range(tasks):
        for k in range(classes):
            logits[k] = log_prior[k]
            posterior[k] = np.exp(log_prior[k])
            heard[k] = 0.0
        leader = 0
        for n in range(votes):
            w = min(np.searchsorted(share, uniform[t, n, 0]), len(share) - 1)
            draw = uniform[t, n, 1] * posterior.sum()
            truth = 0
            while truth < classes - 1 and draw > posterior[truth]:
                draw -= posterior[truth]
                truth += 1
            said = min(np.searchsorted(cumulated[w, truth], uniform[t, n, 2]), classes - 1)
            if n > 0 and uniform[t, n, 3] < echo:
                said = leader
            heard[said] += 1.0
            scale = 1.0 / (1.0 + n * rho)
            if len(standing):
                scale = SHARPNESS / (1.0 + n * DEFAULT_RHO)
            leader = 0
            for k in range(classes):
                logits[k] += log_table[w, k, said]
                if logits[k] > logits[leader]:
                    leader = k
            total = 0.0
            for k in range(classes):
                posterior[k] = np.exp((logits[k] - logits[leader]) * scale)
                total += posterior[k]
            for k in range(classes):
                posterior[k] /= total
            if len(standing):
                _put_right(posterior, leader, heard[leader] / (n + 1.0), n + 1, log_prior[leader], standing)
            out[t, n] = posterior[leader]
    return out


@kernel
def _put_right(
    posterior: NDArray[np.float64],
    leader: int,
    agreeing: float,
    votes: int,
    log_prior: float,
    standing: NDArray[np.float64],
) -> None:
    """As `standing.worth` and `standing.placed`, for one task."""
    classes = len(posterior)
    rest = max(1.0 - posterior[leader], 1e-9)
    z = standing[0] + standing[1] * min(np.log(posterior[leader] / rest), MOST_LOG_ODDS)
    z += standing[2] * np.log(votes) + standing[3] * (1.0 - agreeing) + standing[4] * (log_prior + np.log(classes))
    top = min(max(1.0 / (1.0 + np.exp(-z)), 1.0 / classes), MOST_SURE)
    second = 0.0
    for k in range(classes):
        if k != leader:
            second = max(second, posterior[k] / rest)
    top = max(top, second / (1.0 + second))
    for k in range(classes):
        posterior[k] = top if k == leader else posterior[k] / rest * (1.0 - top)
