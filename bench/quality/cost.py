"""What a label costs of which it is certified that at most one in twenty is wrong: a vote costs 1, an expert 10.

Every order reveals votes where they are expected to save money, then experts label a uniform sample whose size a rule
fixed before, and whatever lies below the threshold that the sample proves safe. Nothing looks at a truth before the
sample is drawn. Beside it a majority that may choose its number of votes with hindsight.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sets import RealSet
from votes import LEAST_STEP, ROUNDS, fixed_majority, known_skill, next_votes, ranks

from cupola.quality.calibrate import DEFAULT_RHO, calibrated
from cupola.quality.certify.strata import pac_threshold, threshold_sample_size
from cupola.quality.inference.base import Crowd, evidence_of
from cupola.quality.inference.majority import majority
from cupola.quality.inference.methods import DEFAULT_METHOD, METHODS
from cupola.quality.policy import price_of_error, saving_of_vote

LIMIT = 0.05
EXPERT_COST = 10.0
ORDERS = 32
STEP = 0.05
LEAST_TASKS = 2_000  # a smaller set is not worth a sample of hundreds


def asked(crowd: Crowd, place: NDArray[np.int64]) -> Crowd:
    """The votes that are worth their price, the next always from the best of those who really judged the task."""
    shown = place == 0
    while True:
        heard = crowd.keep(shown)
        fit = METHODS[DEFAULT_METHOD](heard, iterations=ROUNDS)
        error_cost, _ = price_of_error(calibrated(fit, heard, DEFAULT_RHO).max(axis=1), LIMIT, EXPERT_COST)
        rows = next_votes(crowd, shown, place, known_skill(fit.skill, heard))
        if len(rows) == 0:
            return heard
        tasks = crowd.task[rows]
        saving = saving_of_vote(
            evidence_of(fit, heard)[tasks],
            heard.votes[tasks],
            fit.prior,
            fit.confusion[crowd.worker[rows]],
            error_cost=error_cost,
            expert_cost=EXPERT_COST,
        )
        best = np.argsort(-saving, kind="stable")[: max(LEAST_STEP, int(STEP * len(heard)))]
        best = best[saving[best] > 0]
        if len(best) == 0:
            return heard
        shown = shown.copy()
        shown[rows[best]] = True


def certified_cost(item: RealSet) -> dict[str, Any]:
    """Cost of a label in votes, so that with 95 % confidence at most LIMIT of all are wrong."""
    ours, plain, votes_used, samples, left = [], [], [], [], []
    for seed in range(ORDERS):
        rng = np.random.default_rng(seed)
        place = ranks(item.crowd, rng)
        heard = asked(item.crowd, place)
        final = METHODS[DEFAULT_METHOD](heard)
        confidence = calibrated(final, heard, DEFAULT_RHO).max(axis=1)
        n = threshold_sample_size(confidence, LIMIT)
        sample = rng.permutation(item.known)[:n]
        cost, wrong = released(item, len(heard), final.label, confidence, sample)
        ours.append(cost)
        left.append(wrong)
        votes_used.append(len(heard) / item.crowd.n_tasks)
        samples.append(n)
        majorities = []
        for votes in range(1, int(item.crowd.votes.max()) + 1):
            used, labels = fixed_majority(item.crowd, place, votes)
            share = majority(item.crowd.keep(place < votes)).posterior.max(axis=1)
            majorities.append(released(item, used, labels, share, sample)[0])
        plain.append(min(majorities))
    return {
        "ours": float(np.mean(ours)),
        "error": float(np.std(ours, ddof=1) / np.sqrt(ORDERS)),
        "majority": float(np.mean(plain)),
        "ours, each order": ours,
        "votes a task": float(np.mean(votes_used)),
        "sample": float(np.mean(samples)),
        "limit": LIMIT,
        "released wrong, mean": float(np.mean(left)),
        "orders beyond the limit": int((np.array(left) > LIMIT).sum()),
    }


def released(
    item: RealSet, votes: int, labels: NDArray[np.int16], confidence: NDArray[np.float64], sample: NDArray[np.int64]
) -> tuple[float, float]:
    """(cost of a label, share of all labels that are released wrong)."""
    wrong = labels != item.truth
    found = pac_threshold(confidence, confidence[sample], wrong[sample], LIMIT)
    by_expert = np.ones(len(confidence), bool) if found.value is None else confidence < found.value
    by_expert[sample] = True  # they have been labelled already
    cost = (votes + EXPERT_COST * by_expert.sum()) / item.crowd.n_tasks
    return float(cost), float((wrong & ~by_expert).mean())


def run(items: list[RealSet]) -> dict[str, Any]:
    """The cost of a certified label, on sets large enough to be worth certifying and known throughout."""
    out: dict[str, Any] = {}
    for item in items:
        if len(item.known) == item.crowd.n_tasks and item.crowd.n_tasks >= LEAST_TASKS:
            out[item.name] = certified_cost(item)
            shown = {key: value for key, value in out[item.name].items() if key != "ours, each order"}
            print(f"{item.name:12} {shown}", flush=True)
    return out
