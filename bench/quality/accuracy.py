"""Accuracy, CPU and memory on every set, beside the peers; and what leave-one-set-out choices would have given."""

from __future__ import annotations

import itertools
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peer_env import ask
from sets import RealSet, family

from cupola.quality.choose import choose
from cupola.quality.classifier import learn_and_join
from cupola.quality.inference.base import Crowd, Fit, evidence_of
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.inference.methods import METHODS
from cupola.quality.inference.pool_ds import pool_ds

PEERS = ("MV", "WAWA", "DS", "OneCoin", "GLAD", "MACE")
DESIGN_SETS = ("rte", "dog", "sp", "sp_amt", "cf", "cf_amt", "face", "product", "adult", "labelme")
GOLDS = 100
REPEATS = 5

# what is chosen by leave-one-set-out: one prior alone, and the make-up of the blend
GRID = {
    f"{name} {strength:g}": (method, strength)
    for name, method in (("coin_ds", coin_ds), ("pool_ds", pool_ds))
    for strength in (1.0, 3.0, 10.0, 30.0)
}


STRENGTHS = (1.0, 3.0, 10.0, 30.0)
SUPPORTS = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0)  # nats by which a label nobody gave must lead
MAKE_UPS = [
    (names, support)
    for few in (1, 2, 3)
    for strengths in itertools.combinations(STRENGTHS, few)
    for kinds in (("coin_ds",), ("pool_ds",), ("coin_ds", "pool_ds"))
    for names in [tuple(f"{kind} {strength:g}" for kind in kinds for strength in strengths)]
    for support in SUPPORTS
]


def right(item: RealSet, label: np.ndarray) -> float:
    """Accuracy in percent over the tasks with a known truth."""
    return float(100 * (label[item.known] == item.truth[item.known]).mean())


def peer_accuracy(item: RealSet, labels: dict[str, str]) -> float:
    """The same for labels by name."""
    names = [str(name) for name in item.codes.labels]
    tasks = [str(task) for task in item.codes.tasks]
    return float(100 * np.mean([labels.get(tasks[t]) == names[item.truth[t]] for t in item.known]))


def run(items: list[RealSet], out: Path, with_peers: bool) -> dict[str, Any]:
    """The table, the leave-one-set-out choice, the gold-chosen method and the classifier."""
    warm = Crowd.from_codes([0, 0, 1], [0, 1, 0], [0, 1, 0])
    for method in METHODS.values():
        method(warm)  # compile before the clock runs
    table: dict[str, dict[str, Any]] = {}
    for item in items:
        row: dict[str, Any] = {"judgements": len(item.crowd), "K": item.crowd.n_classes, "truths": len(item.known)}
        for name, method in METHODS.items():
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started = time.process_time()
            fit = method(item.crowd)
            row[name] = {
                "accuracy": right(item, fit.label),
                "cpu_s": time.process_time() - started,
                "extra_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
            }
        row["auto"] = {"accuracy": gold_chosen(item), "golds": min(GOLDS, len(item.known) // 3)}
        if with_peers:
            for name, said in ask(out, item.folder / "labels.csv", PEERS).items():
                if "error" in said:
                    row[f"peer {name}"] = said
                    continue
                row[f"peer {name}"] = {
                    "accuracy": peer_accuracy(item, said["labels"]),
                    "cpu_s": said["cpu_s"],
                    "extra_mb": said["extra_mb"],
                }
        if item.features is not None:
            row["classifier"] = classifier(item, out, with_peers)
        table[item.name] = row
        print(line(item.name, row), flush=True)
    return {"sets": table, "leave_one_set_out": leave_one_out(items)}


def gold_chosen(item: RealSet) -> float:
    """Mean accuracy, on the other tasks, of the method that a random draw of golds chose."""
    golds = min(GOLDS, len(item.known) // 3)
    figures = []
    for seed in range(REPEATS):
        drawn = np.random.default_rng(seed).permutation(item.known)[:golds]
        gold = np.full(item.crowd.n_tasks, -1, np.int16)
        gold[drawn] = item.truth[drawn]
        fit = choose(item.crowd, gold, seed=seed).fit
        rest = np.setdiff1d(item.known, drawn)
        figures.append(100 * (fit.label[rest] == item.truth[rest]).mean())
    return float(np.mean(figures))


def classifier(item: RealSet, out: Path, with_peers: bool) -> dict[str, Any]:
    """With features: our joined worker, and CROWDLAB on the same out-of-fold probabilities."""
    assert item.features is not None
    ours, alone, theirs = [], [], []
    for seed in range(REPEATS):
        fit, _, probabilities = learn_and_join(item.crowd, item.features, seed=seed)
        ours.append(right(item, fit.label))
        alone.append(right(item, probabilities.argmax(axis=1)))
        if with_peers and seed == 0:
            said = ask(out, item.folder / "labels.csv", ("CROWDLAB",), probabilities)["CROWDLAB"]
            if "labels" in said:
                theirs.append(peer_accuracy(item, said["labels"]))
            else:
                print("CROWDLAB:", said)
    return {"joined": float(np.mean(ours)), "alone": float(np.mean(alone)), "CROWDLAB": theirs[0] if theirs else None}


def leave_one_out(items: list[RealSet]) -> dict[str, Any]:
    """For each set, the one prior, and the make-up of a blend, that were best on the sets outside its family, and how
    they then did."""
    alone: dict[str, dict[str, float]] = {}
    blends: dict[str, dict[str, float]] = {}
    for item in items:
        fits = {name: method(item.crowd, strength=strength) for name, (method, strength) in GRID.items()}
        alone[item.name] = {name: right(item, fit.label) for name, fit in fits.items()}
        blends[item.name] = {
            f"{' + '.join(names)}, support {support:g}": right(
                item, pooled([fits[name] for name in names], item, support)
            )
            for names, support in MAKE_UPS
        }
    priors, make_ups = left_out(alone), left_out(blends)
    return {"grid": alone, **priors, "make-up": make_ups}


def pooled(fits: list[Fit], item: RealSet, support: float) -> NDArray[np.int64]:
    """Labels of the geometric mean of fits, as `blend` takes it, with another support for labels nobody gave."""
    logits = np.mean([np.log(fit.prior) + evidence_of(fit, item.crowd) for fit in fits], axis=0)
    voted = np.zeros(logits.shape, np.bool_)
    voted[item.crowd.task, item.crowd.label] = True
    invented = ~voted[np.arange(len(logits)), logits.argmax(axis=1)] & (item.crowd.votes > 0)
    return np.asarray(np.where(invented[:, None] & ~voted, logits - support, logits).argmax(axis=1), dtype=np.int64)


def left_out(grid: dict[str, dict[str, float]]) -> dict[str, Any]:
    """What the other families would have chosen for each set: {chosen: {set: {chosen, accuracy}}, mean}."""
    chosen: dict[str, Any] = {}
    for name, own in grid.items():
        others = [other for other in grid if other not in family(name)]
        if others:
            best = max(own, key=lambda choice: float(np.mean([grid[other][choice] for other in others])))
            chosen[name] = {"chosen": best, "accuracy": own[best]}
    mean = float(np.mean([entry["accuracy"] for entry in chosen.values()])) if chosen else None
    return {"chosen": chosen, "mean": mean}


def line(name: str, row: dict[str, Any]) -> str:
    """A row as text."""
    cells = [
        f"{method} {cell['accuracy']:.1f}" + (f" ({cell['cpu_s']:.3f}s)" if "cpu_s" in cell else "")
        for method, cell in row.items()
        if isinstance(cell, dict) and "accuracy" in cell
    ]
    extra = f" | classifier {row['classifier']}" if "classifier" in row else ""
    return f"{name:12} {row['judgements']:>6} K={row['K']} " + " · ".join(cells) + extra
