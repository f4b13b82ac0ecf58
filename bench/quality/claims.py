"""What is claimed of labels beside what is right of them: with 0, 50 and 300 golds, on real sets and simulated crowds.

Both ways that a user can take are measured as they are. "File": `cupola.quality.aggregation.aggregate`, all that
`cupola quality aggregate` does between reading and writing. "Server": the strategy that a project's ontology takes,
fitted and asked for rulings as the aggregator asks it, with at most VOTES votes on a task that is no gold. Golds are
drawn blindly and told; accuracy, the majority of the same votes and calibration are counted on the other tasks alone.

The majority here breaks its ties by lot (what that gives on average), so no order of classes favours it. "Least" and
"behind" are of single drawings, since a mean would hide the one crowd in which everything went wrong: the least lead,
and in how many of them the majority led by more than a point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sets import RealSet

from cupola.labels import decode_ontology
from cupola.quality.aggregation import aggregate
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.codes import Codes
from cupola.quality.inference.majority import majority
from cupola.quality.model import settle_threshold
from cupola.quality.online import Plan
from cupola.quality.simulate import Kind, World, simulate
from cupola.quality.strategies import strategy_for
from cupola.quality.strategies.base import Aims, Evidence

GOLDS = (0, 50, 300)
WANTED = {0: 0.064, 50: 0.05, 300: 0.03}  # mean ECE over unseen sets
A_POINT = 1.0  # by which nobody may be behind the majority
WAYS = ("", "server ")
BINS = 10
REPEATS = 8  # drawings of the golds of a real set
LEAST_LEFT = 100  # tasks to count on
SEEDS, SKEWED_SEEDS = 6, 20  # crowds of each kind
VOTES, TARGET, SHARE = 5, 0.95, 0.5
CLASSES = (2, 3, 5, 10, 15, 20, 30, 100, 300, 1_000)
MIX: dict[Kind, int] = {"expert": 3, "ordinary": 30, "biased": 5, "spammer": 2}
KINDS: dict[str, dict[str, Any]] = {
    "hard": {"base_error": 0.3, "votes": (3, 3)},
    "usual": {"base_error": 0.15, "votes": (3, 5)},
    "bad": {"base_error": 0.4, "votes": (5, 5)},
    "thin": {"base_error": 0.1, "votes": (2, 2)},
}
SKEWED_CLASSES = (2, 4)
SKEWED: dict[str, dict[str, Any]] = {
    "skewed": {"class_skew": 1.6, "difficulty_sd": 2.0, "votes": (5, 9)},
    "skewed, many votes": {"class_skew": 1.6, "difficulty_sd": 2.0, "votes": (10, 20)},
}


class Said(NamedTuple):
    """One judgement, as a strategy reads it when it fits and when it rules."""

    id: UUID
    task: UUID
    worker: UUID
    code: int
    label: str = ""


@dataclass(frozen=True)
class Claim:
    """Of the tasks that are no gold: claimed (n,) confidence, right (n,); majority: share that a majority of the same
    votes has right."""

    claimed: NDArray[np.float64]
    right: NDArray[np.bool_]
    majority: float = 0.0


def run(items: list[RealSet]) -> dict[str, Any]:
    """Rows by name and golds, each with ECE, accuracy and the lead over the majority for both ways; and their means."""
    out: dict[str, Any] = {"sets": {}, "simulated": {}}
    print(HEADER, flush=True)
    for item in items:
        out["sets"][item.name] = _real(item)
        _print(item.name, item.crowd.n_classes, out["sets"][item.name])
    for name, classes, world in worlds():
        out["simulated"][name] = _simulated(world)
        _print(name, classes, out["simulated"][name])
    for group in ("sets", "simulated"):
        out[f"mean of {group}"] = _means(out[group])
        _print(f"mean of {group}", 0, out[f"mean of {group}"])
    for group, many in (("simulated, 20 classes and more", True), ("simulated, fewer", False)):
        some = {name: rows for name, rows in out["simulated"].items() if (_classes_of(name) >= 20) == many}
        out[group] = _means(some)
        _print(group, 0, out[group])
    return out


def worlds() -> Iterator[tuple[str, int, World]]:
    """(name, classes, world) of every simulated crowd: 1,000 tasks."""
    for classes in CLASSES:
        for kind, given in KINDS.items():
            yield f"K={classes} {kind}", classes, World(tasks=1_000, classes=classes, mix=MIX, **given)
    for classes in SKEWED_CLASSES:
        for kind, given in SKEWED.items():
            yield f"K={classes} {kind}", classes, World(tasks=1_000, classes=classes, mix=MIX, **given)


def golds_drawn(truth: NDArray[np.int16], known: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int16]:
    """(n_tasks,) the truth of `count` of the known tasks, -1 elsewhere."""
    gold = np.full(len(truth), -1, np.int16)
    drawn = np.random.default_rng(seed).permutation(known)[:count]
    gold[drawn] = truth[drawn]
    return gold


def by_file(
    crowd: Crowd, codes: Codes, gold: NDArray[np.int16], truth: NDArray[np.int16], rest: NDArray[np.int64]
) -> Claim:
    """What `cupola quality aggregate` writes, on the tasks of `rest`."""
    found = aggregate((crowd.with_gold(gold if (gold >= 0).any() else None), codes))
    return Claim(found.confidence[rest], found.label[rest] == truth[rest], majority_right(crowd, truth, rest))


def by_server(
    crowd: Crowd, gold: NDArray[np.int16], truth: NDArray[np.int16], rest: NDArray[np.int64], seed: int
) -> Claim:
    """What the server believes of the tasks of `rest`, each with its first VOTES votes in a random order."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(crowd)), crowd.task))
    place = np.empty(len(crowd), np.int64)
    place[order] = np.arange(len(crowd)) - crowd.starts[crowd.task[order]]
    heard = crowd.keep((place < VOTES) | (gold[crowd.task] >= 0))
    ontology = decode_ontology({"kind": "choice", "classes": [{"name": f"c{k}"} for k in range(crowd.n_classes)]})
    strategy = strategy_for(ontology)
    said = [
        Said(UUID(int=n), UUID(int=t), UUID(int=w), k)
        for n, (t, w, k) in enumerate(
            zip(heard.task.tolist(), heard.worker.tolist(), heard.label.tolist(), strict=True)
        )
    ]
    made = {UUID(int=w): int(n) for w, n in enumerate(np.bincount(heard.worker, minlength=heard.n_workers)) if n}
    golds = {UUID(int=t): int(gold[t]) for t in np.flatnonzero(gold >= 0).tolist()}
    threshold = settle_threshold(TARGET, SHARE)
    plan = Plan(threshold=threshold, max_votes=VOTES)
    model, _ = strategy.fit(
        strategy.cold(ontology, threshold),
        ontology,
        Evidence(made, codes=said, golds=golds),
        Aims(TARGET, SHARE, threshold, plan),
    )
    asked = set(rest.tolist())
    tasks = [UUID(int=t) for t in rest.tolist()]
    votes = [one for one in said if one.task.int in asked]
    rulings = strategy.decide(strategy.thaw(strategy.freeze(model)), ontology, tasks, votes, plan)
    code = np.array([-1 if one.code is None else one.code for one in rulings])
    sure = np.array([one.confidence for one in rulings])
    return Claim(sure, code == truth[rest], majority_right(heard, truth, rest))


def calibration_error(claim: Claim) -> float:
    """Expected calibration error, ten bins of equal width."""
    claimed, right = claim.claimed, claim.right
    box = np.minimum((claimed * BINS).astype(int), BINS - 1)
    return float(
        sum(abs(claimed[box == b].mean() - right[box == b].mean()) * (box == b).mean() for b in np.unique(box))
    )


def chance_alone(claim: Claim, seed: int) -> float:
    """The calibration error that as many perfectly honest claims would show by chance."""
    drawn = np.random.default_rng(seed).random(len(claim.claimed)) < claim.claimed
    return calibration_error(Claim(claim.claimed, drawn))


def majority_right(crowd: Crowd, truth: NDArray[np.int16], rest: NDArray[np.int64]) -> float:
    """Share right of the majority of all votes on the tasks of `rest`, ties by lot."""
    share = majority(crowd).posterior[rest]
    most = share >= share.max(axis=1, keepdims=True) - 1e-12
    return float((most[np.arange(len(rest)), truth[rest]] / most.sum(axis=1)).mean())


def _measured(
    crowd: Crowd, codes: Codes, truth: NDArray[np.int16], known: NDArray[np.int64], golds: int, seed: int
) -> dict[str, float]:
    gold = golds_drawn(truth, known, golds, seed)
    rest = known[gold[known] < 0]
    file = by_file(crowd, codes, gold, truth, rest)
    server = by_server(crowd, gold, truth, rest, seed)
    return {
        "majority": 100 * file.majority,
        "right": 100 * float(file.right.mean()),
        "lead": 100 * (float(file.right.mean()) - file.majority),
        "claimed": 100 * float(file.claimed.mean()),
        "ECE": calibration_error(file),
        "chance": chance_alone(file, seed),
        "server right": 100 * float(server.right.mean()),
        "server lead": 100 * (float(server.right.mean()) - server.majority),
        "server ECE": calibration_error(server),
    }


def _row(drawings: list[dict[str, float]]) -> dict[str, float]:
    """The mean of several drawings; the least lead of them, and in how many of them the majority led by a point."""
    row = {key: float(np.mean([one[key] for one in drawings])) for key in drawings[0]}
    for way in WAYS:
        leads = [one[f"{way}lead"] for one in drawings]
        row[f"{way}least lead"] = min(leads)
        row[f"{way}behind"] = sum(lead < -A_POINT for lead in leads)
    return {**row, "drawings": len(drawings)}


def _real(item: RealSet) -> dict[int, dict[str, float]]:
    rows = {}
    for golds in GOLDS:
        if golds and len(item.known) < golds + LEAST_LEFT:
            continue
        seeds = range(REPEATS if golds else 1)
        rows[golds] = _row([_measured(item.crowd, item.codes, item.truth, item.known, golds, seed) for seed in seeds])
    return rows


def _simulated(world: World) -> dict[int, dict[str, float]]:
    drawn = [simulate(world, seed) for seed in range(SKEWED_SEEDS if world.class_skew else SEEDS)]
    rows = {}
    for golds in GOLDS:
        found = []
        for seed, one in enumerate(drawn):
            crowd = one.crowd
            codes = Codes(tuple(range(crowd.n_tasks)), tuple(range(crowd.n_workers)), tuple(range(crowd.n_classes)))
            found.append(_measured(crowd, codes, one.truth, np.arange(crowd.n_tasks), golds, seed))
        rows[golds] = _row(found)
    return rows


def _means(rows: dict[str, dict[int, dict[str, float]]]) -> dict[int, dict[str, float]]:
    """By golds: the mean over all rows, the least lead of any drawing, and sums of those where the majority led."""
    out = {}
    for golds in GOLDS:
        here = [row[golds] for row in rows.values() if golds in row]
        if not here:
            continue
        mean = {key: float(np.mean([row[key] for row in here])) for key in here[0]}
        for way in WAYS:
            mean[f"{way}least lead"] = min(row[f"{way}least lead"] for row in here)
            mean[f"{way}behind"] = sum(row[f"{way}behind"] for row in here)
            mean[f"{way}rows behind"] = sum(row[f"{way}lead"] < -A_POINT for row in here)
        out[golds] = {**mean, "rows": len(here), "drawings": sum(row["drawings"] for row in here)}
    return out


def _classes_of(name: str) -> int:
    return int(name.removeprefix("K=").split(" ", 1)[0])


HEADER = (
    f"{'':32} {'K':>5} {'golds':>5} | {'majority':>8} {'claimed':>7} {'right':>6} {'lead':>6} {'least':>6} "
    f"{'behind':>6} {'ECE':>6} {'chance':>6} | server {'right':>6} {'lead':>6} {'least':>6} {'behind':>6} "
    f"{'ECE':>6} {'of':>4}"
)


def _print(name: str, classes: int, rows: dict[int, dict[str, float]]) -> None:
    for golds, row in rows.items():
        file = f"{row['majority']:8.2f} {row['claimed']:7.2f} {row['right']:6.2f} {row['lead']:+6.2f}"
        file += f" {row['least lead']:+6.2f} {row['behind']:6} {row['ECE']:6.3f} {row['chance']:6.3f}"
        server = f"{row['server right']:6.2f} {row['server lead']:+6.2f} {row['server least lead']:+6.2f}"
        server += f" {row['server behind']:6} {row['server ECE']:6.3f} {row['drawings']:4}"
        print(f"{name:32} {classes or '':>5} {golds:>5} | {file} | {'':6} {server}", flush=True)
