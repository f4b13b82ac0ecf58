"""What to ask next, whom, and when to stop asking."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import factorial

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.quality.calibrate import DEFAULT_RHO, temper
from cupola.quality.certify.strata import release_end

ENTRY_GOLDS = 10
GOLD_RATE = 0.04
PROVEN_RATE = 0.02
ALARM_RATE = 0.10
PROVEN_GOLDS = 30
LOOK_AHEAD = 2  # votes; one alone seldom overturns a leader, and a third changes the choice little
MOST_ANSWERS = 64  # combinations of answers that are worth going through for a task


def value_of_vote(
    evidence: NDArray[np.float64],
    n_votes: int,
    prior: NDArray[np.float64],
    confusion_row: NDArray[np.float64],
    rho: float = DEFAULT_RHO,
) -> float:
    """The information (nats, at least 0) that one more vote of this worker is expected to bring.

    evidence, prior: (K,); confusion_row: (K, K), P(said | truth). The mutual information of the vote and the truth
    under the calibrated posterior of now, times what the vote adds in worth: n votes are worth
    n / (1 + (n - 1) rho), so the value of a further opinion shrinks as errors repeat each other. (The expected gain
    in accuracy would be 0 for every vote that cannot overturn the leader by itself, though two such votes can.)
    """
    now = _posterior(np.log(np.maximum(prior, 1e-300)) + evidence, n_votes, rho)
    chance = now @ confusion_row  # (K,) of each answer
    information = _entropy(chance) - float(now @ np.array([_entropy(row) for row in confusion_row]))
    worth = (n_votes + 1) / (1.0 + n_votes * rho) - n_votes / (1.0 + max(n_votes - 1, 0) * rho)
    return max(0.0, information * worth)


def rank_workers(
    evidence: NDArray[np.float64],
    n_votes: int,
    prior: NDArray[np.float64],
    confusions: NDArray[np.float64],
    cost: NDArray[np.float64],
    rho: float = DEFAULT_RHO,
) -> NDArray[np.int64]:
    """(W,) workers by value per cost, the best first; confusions: (W, K, K); cost: (W,) > 0, in any one unit."""
    if np.any(cost <= 0):
        raise invalid("cost-range", "A judgement costs more than nothing.", place="cost")
    value = np.array([value_of_vote(evidence, n_votes, prior, table, rho) for table in confusions])
    return np.asarray(np.argsort(-value / cost, kind="stable"), dtype=np.int64)


def price_of_error(
    confidence: NDArray[np.float64], limit: float, expert_cost: float, *, share: float = 0.5
) -> tuple[float, float]:
    """What one wrong label is worth avoiding, and the confidence below which an expert is worth the money.

    confidence: (n,) calibrated, of all items; limit: share of all items that may be released wrong, of which the part
    `share` is spent here (the rest is room for the audit's own chance). Releasing the surest until that is used up ends
    at a confidence t; there an expert buys 1 - t of an error for expert_cost, so an error costs expert_cost / (1 - t).
    """
    if expert_cost <= 0:
        raise invalid("cost-range", "An expert costs more than nothing.", place="expert_cost")
    threshold, _ = release_end(confidence, limit, share)
    return expert_cost / max(1.0 - threshold, 1e-3), threshold


def saving_of_vote(
    evidence: NDArray[np.float64],
    n_votes: NDArray[np.int64],
    prior: NDArray[np.float64],
    tables: NDArray[np.float64],
    *,
    error_cost: float,
    expert_cost: float,
    vote_cost: float = 1.0,
    rho: float = DEFAULT_RHO,
    ahead: int = LOOK_AHEAD,
) -> NDArray[np.float64]:
    """(n,) money that the next vote on each task is expected to save; negative where it is not worth its price.

    evidence: (n, K); n_votes: (n,); prior: (K,); tables: (n, K, K), P(said | truth) of whoever would vote next.
    A task ends by release, at error_cost times its doubt, or by an expert, whichever is cheaper. Up to `ahead` votes
    like the next one are looked ahead (fewer where classes are many), and the best saving per vote is taken: two votes
    together may overturn what neither can alone.
    """
    if vote_cost <= 0 or expert_cost <= 0 or error_cost < 0:
        raise invalid("cost-range", "A vote and an expert cost more than nothing, an error not less.", place="cost")
    classes = evidence.shape[1]
    posterior = temper(evidence, n_votes, prior, rho)
    now = np.minimum(expert_cost, error_cost * (1.0 - posterior.max(axis=1)))
    log_tables = np.log(np.maximum(tables, 1e-12))
    best = np.full(len(evidence), -np.inf)
    for votes in range(1, max(ahead, 1) + 1):
        if votes > 1 and classes**votes > MOST_ANSWERS:
            break
        then = np.zeros(len(evidence))
        for answers in combinations_with_replacement(range(classes), votes):
            orders = factorial(votes)
            for times in Counter(answers).values():
                orders //= factorial(times)
            said = log_tables[:, :, list(answers)].sum(axis=2)  # (n, K), given each truth
            chance = orders * (posterior * np.exp(said)).sum(axis=1)
            later = temper(evidence + said, n_votes + votes, prior, rho)
            then += chance * np.minimum(expert_cost, error_cost * (1.0 - later.max(axis=1)))
        best = np.maximum(best, (now - then) / votes - vote_cost)
    return best


def gold_rate(golds_seen: int, skill_low: float, target: float, *, alarm: bool = False) -> float:
    """The share of a worker's next tasks that should be gold.

    Ten at entry; then 4 %; 2 % for the proven, whose skill's lower bound reaches `target` over 30 golds; 10 % after
    a drift alarm until a human has looked.
    """
    if golds_seen < ENTRY_GOLDS:
        return 1.0
    if alarm:
        return ALARM_RATE
    return PROVEN_RATE if golds_seen >= PROVEN_GOLDS and skill_low >= target else GOLD_RATE


@dataclass(frozen=True, slots=True)
class Split:
    """How many of the doubtful tasks go to experts, how many get further votes; expected wrong labels afterwards."""

    experts: NDArray[np.int64]
    votes: NDArray[np.int64]
    expected_errors: float
    spent: float


def spend(
    confidence: NDArray[np.float64], *, budget: float, vote_cost: float, expert_cost: float, vote_gain: float
) -> Split:
    """Allocate a budget over tasks: the next best thing per unit of money, until it is spent.

    confidence: (n,) calibrated. An expert removes a task's whole doubt; a vote removes the share `vote_gain` of it.
    Returns the task numbers of each, the most doubtful first.
    """
    if vote_cost <= 0 or expert_cost <= 0:
        raise invalid("cost-range", "A vote and an expert cost more than nothing.", place="cost")
    doubt = 1.0 - confidence
    order = np.argsort(-doubt, kind="stable")
    expert_first = 1.0 / expert_cost >= vote_gain / vote_cost
    cost = expert_cost if expert_first else vote_cost
    count = int(min(len(order), budget // cost))
    chosen = order[:count]
    left = budget - count * cost
    gain = 1.0 if expert_first else vote_gain
    errors = float(doubt.sum() - gain * doubt[chosen].sum())
    none = np.zeros(0, np.int64)
    if expert_first:
        return Split(chosen, none, errors, budget - left)
    # when every task has had its vote, the rest of the money goes to experts for what remains most doubtful
    more = order[: int(min(len(order), left // expert_cost))] if count == len(order) else none
    errors -= float(((1.0 - vote_gain) * doubt[more]).sum())
    return Split(more, chosen, errors, budget - left + len(more) * expert_cost)


def _posterior(logits: NDArray[np.float64], n_votes: int, rho: float) -> NDArray[np.float64]:
    scaled = logits / (1.0 + max(n_votes - 1, 0) * rho)
    weight = np.exp(scaled - scaled.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _entropy(chance: NDArray[np.float64]) -> float:
    return float(-(chance * np.log(np.maximum(chance, 1e-300))).sum())
