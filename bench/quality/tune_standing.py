"""Makes the constants of `cupola.quality.standing` and shows what they are worth on sets that were left out.

    python bench/quality/tune_standing.py [FOLDER]

Of every set one to six votes a task are revealed, three times over; the blend is fitted on them without any truth, and
whether its leading label is right is put against the features. USUAL is the mean of the sets' own coefficients and
SPREAD is WIDER times their covariance, found together (empirical Bayes). The table leaves each set out, with its
relatives.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sets import data_root, family, real_sets

from cupola.quality import standing
from cupola.quality.calibrate import temper
from cupola.quality.inference.base import evidence_of
from cupola.quality.inference.blend import blend

SEEDS, MOST_VOTES = 3, 6
LEAST_KNOWN = 150  # a set with fewer truths says too little about its own coefficients
ROUNDS = 4
HEARD = 1_000.0  # a larger set counts as one of so many tasks


@dataclass(frozen=True)
class Sample:
    """What one revealing of a set shows of the tasks with a truth."""

    name: str
    made_of: NDArray[np.float64]
    right: NDArray[np.bool_]
    evidence: NDArray[np.float64]
    votes: NDArray[np.int64]
    prior: NDArray[np.float64]
    truth: NDArray[np.int16]


def samples(root: Path) -> list[Sample]:
    out = []
    for item in real_sets(root):
        if len(item.known) < LEAST_KNOWN:
            continue
        for seed in range(SEEDS):
            rng = np.random.default_rng(seed)
            crowd = item.crowd
            order = np.lexsort((rng.random(len(crowd)), crowd.task))
            place = np.empty(len(crowd), np.int64)
            place[order] = np.arange(len(crowd)) - crowd.starts[crowd.task[order]]
            shown = crowd.keep(place < rng.integers(1, MOST_VOTES + 1, crowd.n_tasks)[crowd.task])
            fit = blend(shown)
            evidence = evidence_of(fit, shown)
            best = standing.tempered(evidence, shown.votes, fit.prior).argmax(axis=1)
            agreeing = standing.agreement_with(best, shown.task.astype(np.int64), shown.label.astype(np.int64))
            made_of = standing.features(evidence, shown.votes, fit.prior, agreeing)
            known = item.known
            truth = item.truth[known]
            out.append(
                Sample(
                    item.name,
                    made_of[known],
                    best[known] == truth,
                    evidence[known],
                    shown.votes[known],
                    fit.prior,
                    truth,
                )
            )
    return out


def usual(found: list[Sample]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(5,) mean and (5, 5) covariance of the sets' coefficients."""
    mean, spread = np.array([0.0, 1.0, 0.0, 0.0, 0.0]), np.eye(5)
    for _ in range(ROUNDS):
        each = np.array(
            [
                standing.fitted(
                    one.made_of,
                    one.right,
                    np.full(len(one.right), min(1.0, HEARD / len(one.right))),
                    usual=mean,
                    spread=spread,
                )
                for one in found
            ]
        )
        mean, spread = each.mean(axis=0), np.cov(each.T) + 0.02 * np.eye(5)
    return mean, spread


def with_temperature(one: Sample, gold: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) the other way: rho and a power fitted on the same golds, each with a prior."""
    center = np.log([0.6, 0.75])

    def top(logs: NDArray[np.float64]) -> NDArray[np.float64]:
        power = temper(one.evidence, one.votes, one.prior, float(np.exp(logs[0]))) ** float(np.exp(logs[1]))
        return np.asarray(power.max(axis=1) / power.sum(axis=1))

    def loss(logs: NDArray[np.float64]) -> float:
        return log_loss(top(logs)[gold], one.right[gold]) * len(gold) + float(
            0.5 * (((logs - center) / (0.8, 0.25)) ** 2).sum()
        )

    return top(minimize(loss, center, method="Nelder-Mead").x if len(gold) else center)


def log_loss(claimed: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    said = np.where(right, claimed, 1.0 - claimed)
    return float(-np.log(np.maximum(said, 1e-9)).mean())


def ece(claimed: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    bins = np.digitize(claimed, np.linspace(0.0, 1.0, 11))
    return float(
        sum(abs(claimed[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    )


def main() -> None:
    found = samples(data_root(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
    names = sorted({one.name for one in found})
    mean, spread = usual(found)
    np.set_printoptions(precision=3, suppress=True, linewidth=110)
    print("USUAL =", repr(mean))
    print("SPREAD / WIDER =", repr(spread))
    print(f"\nleaving each of {len(names)} sets out: log-loss (nats), ECE, bias of the surer half, by golds")
    for golds in (0, 50, 100, 300):
        rows: dict[str, list[tuple[float, float, float]]] = {"standing": [], "rho and a power": []}
        for name in names:
            apart = family(name)
            center, around = usual([one for one in found if one.name not in apart])
            for number, one in enumerate(one for one in found if one.name == name):
                order = np.random.default_rng(7 + number).permutation(len(one.right))
                gold, rest = order[: min(golds, len(order) // 2)], order[min(golds, len(order) // 2) :]
                coefficients = standing.fitted(
                    one.made_of[gold], one.right[gold], np.ones(len(gold)), usual=center, spread=standing.WIDER * around
                )
                for way, claimed in (
                    ("standing", standing.worth(coefficients, one.made_of, len(one.prior))),
                    ("rho and a power", with_temperature(one, gold)),
                ):
                    said, right = claimed[rest], one.right[rest]
                    sure = said >= np.median(said)
                    rows[way].append(
                        (log_loss(said, right), ece(said, right), abs(said[sure].mean() - right[sure].mean()))
                    )
        for way, scores in rows.items():
            loss, error, bias = np.mean(scores, axis=0)
            print(f"{golds:4} golds  {way:16} {loss:.4f}  {error:.4f}  {bias:.4f}")


if __name__ == "__main__":
    main()
