"""One judgement at a time: a task's posterior in O(K), with the workers' tables frozen between refits.

A task's whole state is its evidence (K,), the sum of log-likelihoods of its votes, and the number of votes:
both are sums, so the order of arrival changes nothing and a decision can be replayed from what was stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.quality.calibrate import DEFAULT_RHO
from cupola.quality.inference.blend import doubted

Decision = Literal["settle", "more", "escalate"]
FLOOR = 1e-12


class Steering(Protocol):
    """What is cheapest for a task of so many votes that is so sure (see `course`)."""

    def verdict(self, votes: int, confidence: float) -> Decision: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """When to stop. threshold: calibrated posterior at which a task settles; votes counted per task. course: what says
    more than one threshold for every number of votes can, where the crowd is known."""

    threshold: float = 0.95
    min_votes: int = 1
    max_votes: int = 5
    course: Steering | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 1.0:
            raise invalid("threshold-range", f"threshold is {self.threshold}; it lies in (0, 1].", place="/threshold")
        if not 1 <= self.min_votes <= self.max_votes:
            raise invalid(
                "votes-range",
                f"min_votes {self.min_votes} and max_votes {self.max_votes} do not satisfy 1 <= min <= max.",
                place="/max_votes",
            )


def begin(n_classes: int) -> NDArray[np.float64]:
    """(K,) the evidence of a task nobody has judged."""
    return np.zeros(n_classes)


def update(evidence: NDArray[np.float64], confusion_row: NDArray[np.float64], label: int) -> NDArray[np.float64]:
    """(K,) evidence after one more vote.

    confusion_row: (K, K), P(said | truth) of the worker who voted; label: the code they said.
    """
    return evidence + np.log(np.maximum(confusion_row[:, label], FLOOR))


def withdraw(evidence: NDArray[np.float64], confusion_row: NDArray[np.float64], label: int) -> NDArray[np.float64]:
    """(K,) evidence without that vote: for a judgement that was voided."""
    return evidence - np.log(np.maximum(confusion_row[:, label], FLOOR))


def posterior(
    evidence: NDArray[np.float64],
    n_votes: int,
    prior: NDArray[np.float64],
    rho: float = DEFAULT_RHO,
    voted: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """(K,) calibrated posterior from evidence (K,), the number of votes, class prior (K,) and rho.

    voted: (K,) which classes somebody gave; with it the support rule of `blend` holds here too.
    """
    logits = np.log(np.maximum(prior, 1e-300)) + evidence
    if voted is not None and n_votes > 0:
        logits = np.where(voted, logits, logits - doubted(logits[None], voted[None])[0])
    logits /= 1.0 + max(n_votes - 1, 0) * rho
    weight = np.exp(logits - logits.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def decide(posterior: NDArray[np.float64], n_votes: int, plan: Plan) -> Decision:
    """settle when sure enough, escalate to an expert at the cap, else ask for one more judgement."""
    if n_votes >= plan.min_votes and float(posterior.max()) >= plan.threshold:
        return "settle"
    return "escalate" if n_votes >= plan.max_votes else "more"


def newcomer(confusions: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """(K, K) the table to use for a worker no fit has seen: the average of the known ones.

    confusions: (W, K, K); weights: (W,) judgements of each, so that the busy count for what they do.
    """
    if len(confusions) == 0:
        raise invalid("no-workers", "There is no known worker to take the average of.", remedy="Use cold_start.")
    return np.asarray(np.average(confusions, axis=0, weights=weights), dtype=np.float64)


def cold_start(n_classes: int, accuracy: float = 0.8) -> NDArray[np.float64]:
    """(K, K) the table of a worker in a project without any fit: right with `accuracy`, errors even."""
    if n_classes == 1:
        return np.ones((1, 1))
    table = np.full((n_classes, n_classes), (1.0 - accuracy) / (n_classes - 1))
    np.fill_diagonal(table, accuracy)
    return table
