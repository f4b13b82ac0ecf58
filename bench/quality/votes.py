"""How many judgements: to reach the accuracy of a full majority vote, and what a certified label costs.

The votes of each task are revealed one after the other in a random order, as if they were asked for; a task that is
sure enough is left alone. What the engine may use is only what was revealed so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sets import RealSet

from cupola.quality.calibrate import DEFAULT_RHO, calibrated
from cupola.quality.certify.strata import pac_threshold
from cupola.quality.choose import choose
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.majority import majority
from cupola.quality.inference.methods import METHODS

THRESHOLDS = (0.5, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97, 0.985, 0.995)
CANDIDATES = ("one_coin", "coin_ds", "dawid_skene")
GOLDS = 100
ORDERS = 3
SAMPLE = 400
COST_ORDERS = 8
EXPERT_COST = 10.0
ROUNDS = 20  # of EM at each step
MOST_TASKS = 3_000  # a larger set is thinned to those with a truth and some others


@dataclass(frozen=True)
class Run:
    votes: int
    fit: Fit
    crowd: Crowd
    rho: float
    method: str


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


def adaptive(
    crowd: Crowd,
    place: NDArray[np.int64],
    threshold: float,
    gold: NDArray[np.int16] | None,
    *,
    routed: bool,
    pick: str | None = None,
) -> Run:
    """Ask one more vote of every task that is not sure enough, until none is left or none has a vote to give.

    routed: the next vote comes from the best of those who ever judged the task, by what the fit knows of them so far;
    else from the next in a random order. With golds the method and rho are chosen by them (by their revealed votes
    only, unclamped), and they are clamped in the fit that decides.
    """
    shown = place == 0
    name, rho = pick or "coin_ds", DEFAULT_RHO
    turn = 0
    while True:
        revealed = crowd.keep(shown)
        if gold is not None and pick is None and turn in (1, 4):
            choice = choose(revealed, gold, candidates=CANDIDATES, default="coin_ds")
            name, rho = choice.method, choice.rho
        fit = METHODS[name](revealed.with_gold(gold), iterations=ROUNDS)  # type: ignore[call-arg]
        sure = calibrated(fit, revealed, rho).max(axis=1) >= threshold
        waiting = np.flatnonzero(~shown & ~sure[crowd.task])
        if len(waiting) == 0:
            return Run(int(shown.sum()), fit, revealed, rho, name)
        if routed:
            made = np.bincount(revealed.worker, minlength=crowd.n_workers) > 0
            skill = np.where(made, fit.skill, np.median(fit.skill[made]))
            order = np.lexsort((place[waiting], -skill[crowd.worker[waiting]], crowd.task[waiting]))
        else:
            order = np.lexsort((place[waiting], crowd.task[waiting]))
        first = np.unique(crowd.task[waiting][order], return_index=True)[1]
        shown = shown.copy()
        shown[waiting[order][first]] = True
        turn += 1


def fixed_majority(crowd: Crowd, place: NDArray[np.int64], votes: int) -> tuple[int, NDArray[np.int16]]:
    """(judgements, labels) of a majority over the first `votes` votes of each task, ties broken by the first vote."""
    shown = crowd.keep(place < votes)
    first = np.zeros(crowd.n_tasks, np.int16)
    opening = place == 0
    first[crowd.task[opening]] = crowd.label[opening]
    share = majority(shown).posterior.copy()
    share[np.arange(crowd.n_tasks), first] += 1e-6
    return len(shown), np.asarray(share.argmax(axis=1), dtype=np.int16)


def to_full_majority(item: RealSet, routed: bool) -> dict[str, Any]:
    """How many times fewer judgements reach the accuracy of the full majority, with the model that golds chose.

    Accuracies are averaged over orders and golds before they are compared: one task more or less in one order is noise.
    """
    golds = min(GOLDS, len(item.known) // 3)
    picked: list[str] = []
    targets, full, curves = [], [], []
    for seed in range(ORDERS):
        rng = np.random.default_rng(seed)
        drawn = rng.permutation(item.known)[:golds]
        gold = np.full(item.crowd.n_tasks, -1, np.int16)
        gold[drawn] = item.truth[drawn]
        rest = np.setdiff1d(item.known, drawn)
        truth = item.truth[rest]
        place = ranks(item.crowd, rng)
        used, labels = fixed_majority(item.crowd, place, int(item.crowd.votes.max()))
        targets.append(float((labels[rest] == truth).mean()))
        full.append(used / item.crowd.n_tasks)
        points = []
        for threshold in THRESHOLDS:
            run = adaptive(item.crowd, place, threshold, gold, routed=routed)
            right = float((run.fit.label[rest] == truth).mean())
            points.append((run.votes / item.crowd.n_tasks, right))
            picked.append(run.method)
        curves.append(points)
    curve = np.mean(np.array(curves), axis=0)
    target, most = float(np.mean(targets)), float(np.mean(full))
    needed = crossing(curve, target)
    return {
        "full": most,
        "target": target,
        "needed": needed,
        "ratio": most / needed if needed else 0.0,
        "best": float(curve[:, 1].max()),
        "methods": {name: picked.count(name) for name in sorted(set(picked))},
        "curves": curves,
    }


def crossing(curve: NDArray[np.float64], target: float) -> float | None:
    """The votes a task at which a curve of (votes, accuracy), by rising threshold, first reaches the target; linear in
    between; None when it never does."""
    for number, (votes, accuracy) in enumerate(curve):
        if accuracy >= target:
            if number == 0:
                return float(votes)
            before_votes, before = curve[number - 1]
            return float(before_votes + (votes - before_votes) * (target - before) / (accuracy - before))
    return None


def certified_cost(item: RealSet, limit: float = 0.05) -> dict[str, Any]:
    """Cost of a label in votes, so that with 95 % confidence at most `limit` of all are wrong.

    Experts (10 votes each) label a uniform sample of 400, then whatever lies below the threshold that the sample proves
    safe. The plan is fixed beforehand: a task is left alone once it is as sure as the release must be right. The
    majority may choose its number of votes with hindsight.
    """
    ours, plain, used_votes = [], [], []
    for seed in range(COST_ORDERS):
        rng = np.random.default_rng(seed)
        place = ranks(item.crowd, rng)
        sample = rng.permutation(item.known)[:SAMPLE]
        run = adaptive(item.crowd, place, 1.0 - limit, None, routed=True, pick="coin_ds")
        final = METHODS["blend"](run.crowd)
        confidence = calibrated(final, run.crowd, run.rho).max(axis=1)
        ours.append(_cost(item, run.votes, final.label, confidence, sample, limit))
        used_votes.append(run.votes / item.crowd.n_tasks)
        best = np.inf
        for votes in range(1, int(item.crowd.votes.max()) + 1):
            used, labels = fixed_majority(item.crowd, place, votes)
            share = majority(item.crowd.keep(place < votes)).posterior.max(axis=1)
            best = min(best, _cost(item, used, labels, share, sample, limit))
        plain.append(best)
    return {
        "ours": float(np.mean(ours)),
        "majority": float(np.mean(plain)),
        "ours, each order": ours,
        "votes a task": float(np.mean(used_votes)),
        "sample": SAMPLE,
        "limit": limit,
    }


def _cost(
    item: RealSet,
    votes: int,
    labels: NDArray[np.int16],
    confidence: NDArray[np.float64],
    sample: NDArray[np.int64],
    limit: float,
) -> float:
    wrong = labels[sample] != item.truth[sample]
    found = pac_threshold(confidence, confidence[sample], wrong, limit)
    below = np.ones(len(confidence), bool) if found.value is None else confidence < found.value
    below[sample] = True  # they have been labelled by experts already
    return float((votes + EXPERT_COST * below.sum()) / item.crowd.n_tasks)


def run(items: list[RealSet]) -> dict[str, Any]:
    """Judgements to the accuracy of the full majority, on every set."""
    out: dict[str, Any] = {"random": {}, "routed": {}}
    for whole in sorted(items, key=lambda one: len(one.crowd)):
        item = thinned(whole)
        if len(item.crowd) / item.crowd.n_tasks < 1.5 or len(item.known) < 90:
            continue
        for way, routed in (("random", False), ("routed", True)):
            found = to_full_majority(item, routed)
            out[way][item.name] = found
            print(
                f"{item.name:12} {way}: full {found['full']:.1f} votes, {found['target']:.3f} right: "
                f"{found['ratio']:.2f} times fewer; best {found['best']:.3f} {found['methods']}",
                flush=True,
            )
    for way in ("random", "routed"):
        ratios = [entry["ratio"] for entry in out[way].values()]
        out[f"median_ratio_{way}"] = float(np.median(ratios)) if ratios else None
        out[f"never_{way}"] = sum(entry["ratio"] == 0 for entry in out[way].values())
    return out


def run_cost(items: list[RealSet]) -> dict[str, Any]:
    """The cost of a certified label, on sets large enough to be worth certifying."""
    out: dict[str, Any] = {}
    for item in items:
        if len(item.known) == item.crowd.n_tasks and item.crowd.n_tasks >= 2000:
            out[item.name] = certified_cost(item)
            print(f"{item.name:12} {out[item.name]}", flush=True)
    return out
