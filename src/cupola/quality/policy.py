"""What to ask next, whom, and when to stop asking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.quality.calibrate import DEFAULT_RHO

ENTRY_GOLDS = 10
GOLD_RATE = 0.04
PROVEN_RATE = 0.02
ALARM_RATE = 0.10
PROVEN_GOLDS = 30


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
