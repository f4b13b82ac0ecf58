"""How many judgements it takes to reach the accuracy of a full majority vote.

The votes of each task are revealed one after the other, as if they were asked for. What the engine may use is only what
was revealed so far, and 100 golds (or a third of the truths). Accuracy is counted on the other tasks.

The depth of asking is a budget, and two figures are taken of it. With hindsight: the least budget at which the mean
curve reaches the full majority. Without: the accuracy at 40 % of all votes, whatever it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sets import RealSet

from cupola.quality.calibrate import DEFAULT_RHO, calibrated, fit_rho
from cupola.quality.choose import choose
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.majority import majority
from cupola.quality.inference.methods import DEFAULT_METHOD, METHODS

# majority and glad are left to `compare`: the one is beaten nearly everywhere, the other takes as long as all others
CANDIDATES = ("one_coin", "dawid_skene", "coin_ds", "pool_ds", "blend", "mace")
GOLDS = 100
ORDERS = 6
STEP = 0.15  # votes asked between two fits, as a share of those there are
LEAST_STEP = 20
ROUNDS = 20  # of EM in the fit that only says where to ask
GRID = 25  # points of the mean curve
WITHOUT_HINDSIGHT = 0.4  # of all votes: 2.5 times fewer
MOST_TASKS = 3_000  # a larger set is thinned to those with a truth and some others
LEAST_TRUTHS = 150  # a third of fewer, as golds, choose nothing, and the rest measures nothing


@dataclass(frozen=True)
class Walk:
    """One order of revealing: (votes a task, accuracy) after each step, and the methods that golds chose."""

    points: NDArray[np.float64]
    methods: list[str]


def thinned(item: RealSet) -> RealSet:
    """The set with at most MOST_TASKS tasks that have no truth; those with one all stay."""
    spare = np.setdiff1d(np.arange(item.crowd.n_tasks), item.known)
    if len(spare) <= MOST_TASKS:
        return item
    keep = np.sort(np.concatenate([item.known, np.random.default_rng(0).permutation(spare)[:MOST_TASKS]]))
    rows = np.isin(item.crowd.task, keep)
    crowd = Crowd.from_codes(
        np.searchsorted(keep, item.crowd.task[rows]),
        item.crowd.worker[rows],
        item.crowd.label[rows],
        n_tasks=len(keep),
        n_workers=item.crowd.n_workers,
        n_classes=item.crowd.n_classes,
        duplicates="keep",
    )
    return RealSet(item.name, item.folder, crowd, item.codes, item.truth[keep], None)


def ranks(crowd: Crowd, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) in which place among its task's votes each judgement comes."""
    order = np.lexsort((rng.random(len(crowd)), crowd.task))
    place = np.empty(len(crowd), np.int64)
    place[order] = np.arange(len(crowd)) - crowd.starts[crowd.task[order]]
    return place


def next_votes(
    crowd: Crowd, shown: NDArray[np.bool_], place: NDArray[np.int64], skill: NDArray[np.float64] | None
) -> NDArray[np.int64]:
    """The row of the next vote of each task that has one left: the first in the random order, or, with skill (W,), that
    of the most skilled of those who really judged the task."""
    waiting = np.flatnonzero(~shown)
    rank = np.zeros(len(waiting)) if skill is None else -skill[crowd.worker[waiting]]
    order = np.lexsort((place[waiting], rank, crowd.task[waiting]))
    first = np.unique(crowd.task[waiting][order], return_index=True)[1]
    return np.asarray(waiting[order][first], dtype=np.int64)


def known_skill(skill: NDArray[np.float64], heard: Crowd) -> NDArray[np.float64]:
    """(W,) the fit's skill of those who were heard; the others count as the average judgement."""
    made = np.bincount(heard.worker, minlength=heard.n_workers)
    return np.where(made > 0, skill, np.average(skill, weights=made))


def fixed_majority(crowd: Crowd, place: NDArray[np.int64], votes: int) -> tuple[int, NDArray[np.int16]]:
    """(judgements, labels) of a majority over the first `votes` votes of each task, ties broken by the first vote."""
    shown = crowd.keep(place < votes)
    first = np.zeros(crowd.n_tasks, np.int16)
    opening = place == 0
    first[crowd.task[opening]] = crowd.label[opening]
    share = majority(shown).posterior.copy()
    share[np.arange(crowd.n_tasks), first] += 1e-6
    return len(shown), np.asarray(share.argmax(axis=1), dtype=np.int16)


def walk(
    crowd: Crowd,
    place: NDArray[np.int64],
    gold: NDArray[np.int16],
    truth: NDArray[np.int16],
    rest: NDArray[np.int64],
    *,
    routed: bool,
) -> Walk:
    """One vote for each task, then always the least sure tasks first, until no vote is left.

    How sure: the calibrated confidence of a fit that the golds clamp, rho from a fit that was not told them. The labels
    that are scored come from the method that the golds chose, by fits that were not told them, then clamped.
    """
    shown = place == 0
    points, methods = [], []
    is_gold = gold >= 0
    while True:
        heard = crowd.keep(shown)
        choice = choose(heard, gold, candidates=CANDIDATES)
        final = METHODS[choice.method](heard.with_gold(gold))
        points.append((len(heard) / crowd.n_tasks, float((final.label[rest] == truth[rest]).mean())))
        methods.append(choice.method)
        fit = METHODS[DEFAULT_METHOD](heard.with_gold(gold), iterations=ROUNDS)
        rho = fit_rho(METHODS[DEFAULT_METHOD](heard, iterations=ROUNDS), heard, gold) if is_gold.any() else DEFAULT_RHO
        rows = next_votes(crowd, shown, place, known_skill(fit.skill, heard) if routed else None)
        rows = rows[~is_gold[crowd.task[rows]]]  # of a task whose answer is known nothing more is asked
        if len(rows) == 0:
            return Walk(np.array(points), methods)
        sure = calibrated(fit, heard, rho).max(axis=1)[crowd.task[rows]]
        count = max(LEAST_STEP, int(STEP * len(heard)))
        shown = shown.copy()
        shown[rows[np.argsort(sure, kind="stable")[:count]]] = True


def to_full_majority(item: RealSet, routed: bool) -> dict[str, Any]:
    """How many times fewer judgements reach the accuracy of the full majority.

    The curves of all orders are averaged and made monotone before they are compared: in one order, a task more or less
    is noise, and the first of many points to touch a line touches it too early.
    """
    golds = min(GOLDS, len(item.known) // 3)
    targets, full, walks = [], [], []
    for seed in range(ORDERS):
        rng = np.random.default_rng(seed)
        drawn = rng.permutation(item.known)[:golds]
        gold = np.full(item.crowd.n_tasks, -1, np.int16)
        gold[drawn] = item.truth[drawn]
        rest = np.setdiff1d(item.known, drawn)
        place = ranks(item.crowd, rng)
        used, labels = fixed_majority(item.crowd, place, int(item.crowd.votes.max()))
        targets.append(float((labels[rest] == item.truth[rest]).mean()))
        full.append(used / item.crowd.n_tasks)
        walks.append(walk(item.crowd, place, gold, item.truth, rest, routed=routed))
    votes = np.geomspace(
        max(float(one.points[0, 0]) for one in walks), min(float(one.points[-1, 0]) for one in walks), GRID
    )
    mean = np.mean([np.interp(votes, one.points[:, 0], one.points[:, 1]) for one in walks], axis=0)
    target, most = float(np.mean(targets)), float(np.mean(full))
    needed = crossing(votes, rising(mean), target)
    stopped = WITHOUT_HINDSIGHT * most
    picked = [name for one in walks for name in one.methods]
    return {
        "full": most,
        "target": target,
        "needed": needed,
        "ratio": most / needed if needed else 0.0,
        "best": float(mean.max()),
        # with less than one vote a task not everything can be labelled
        "lead at 2.5 times fewer": float(np.interp(stopped, votes, mean)) - target if stopped >= votes[0] else None,
        "methods": {name: picked.count(name) for name in sorted(set(picked))},
        "curve": np.column_stack([votes, mean]).tolist(),
    }


def rising(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The monotone sequence nearest to the values in squares (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for value in values.tolist():
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (high, many), (low, few) = blocks[-2:]
            blocks[-2:] = [((high * many + low * few) / (many + few), many + few)]
    return np.repeat([value for value, _ in blocks], [count for _, count in blocks])


def crossing(votes: NDArray[np.float64], accuracy: NDArray[np.float64], target: float) -> float | None:
    """The votes at which a rising curve first reaches the target, linear in between; None when it never does."""
    if accuracy[-1] < target:
        return None
    at = int(np.argmax(accuracy >= target))
    if at == 0:
        return float(votes[0])
    part = (target - accuracy[at - 1]) / (accuracy[at] - accuracy[at - 1])
    return float(votes[at - 1] + (votes[at] - votes[at - 1]) * part)


def run(items: list[RealSet]) -> dict[str, Any]:
    """Judgements to the accuracy of the full majority, on every set."""
    out: dict[str, Any] = {"random": {}, "routed": {}}
    for whole in sorted(items, key=lambda one: len(one.crowd)):
        item = thinned(whole)
        if len(item.crowd) / item.crowd.n_tasks < 1.5 or len(item.known) < LEAST_TRUTHS:
            continue
        for way, routed in (("random", False), ("routed", True)):
            found = to_full_majority(item, routed)
            out[way][item.name] = found
            lead = found["lead at 2.5 times fewer"]
            print(
                f"{item.name:12} {way}: full {found['full']:.1f} votes, {found['target']:.3f} right: "
                f"{found['ratio']:.2f} times fewer; best {found['best']:.3f}; with 40 % of the votes "
                f"{'-' if lead is None else f'{100 * lead:+.2f} points'} {found['methods']}",
                flush=True,
            )
    for way in ("random", "routed"):
        ratios = [entry["ratio"] for entry in out[way].values()]
        leads = [entry["lead at 2.5 times fewer"] for entry in out[way].values()]
        leads = [lead for lead in leads if lead is not None]
        out[f"median_ratio_{way}"] = float(np.median(ratios)) if ratios else None
        out[f"never_{way}"] = sum(entry["ratio"] == 0 for entry in out[way].values())
        out[f"lead_{way}"] = 100 * float(np.mean(leads)) if leads else None
    return out
