"""Simulated crowds whose truth is known: experts among the misled, and the price of asking."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupola.quality.calibrate import DEFAULT_RHO, temper
from cupola.quality.collusion import collusion
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.plan import pool_from_pilot, worth_asking
from cupola.quality.simulate import World, simulate

SEEDS = 5
VOTE, EXPERT, LIMIT, CAP = 1.0, 10.0, 0.05, 5


def run() -> dict[str, Any]:
    """Everything of this part."""
    out: dict[str, Any] = {"experts among the misled": experts(), "price": price_of_asking()}
    for name, found in out.items():
        print(f"  {name}: {found}", flush=True)
    return out


def misled(seed: int, classes: int, *, ring: int = 0, tasks: int = 1_500, people: int = 40) -> Crowd:
    """Six right in 95 of 100, three times as busy as 34 others whom a fifth of the tasks misleads; and a ring."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, tasks)
    hard = rng.random(tasks) < 0.2
    tempting = (truth + rng.integers(1, classes, tasks)) % classes
    busy = np.where(np.arange(people) < 6, 3.0, 1.0)
    worker = np.argsort(-(np.log(busy) + rng.gumbel(size=(tasks, people))), axis=1)[:, :5].ravel()
    task = np.repeat(np.arange(tasks), 5)
    chance = np.where(worker < 6, 0.95, np.where(hard[task], 0.3, 0.8))
    label = np.where(rng.random(len(task)) < chance, truth[task], tempting[task])
    block = rng.choice(tasks, 60, replace=False)
    shared = np.where(rng.random(60) < 0.5, rng.integers(0, classes, 60), truth[block])
    for member in range(people, people + ring):
        task, worker = np.concatenate([task, block]), np.concatenate([worker, np.full(60, member)])
        label = np.concatenate([label, shared])
    return Crowd.from_codes(task, worker, label, n_tasks=tasks, n_workers=people + ring, n_classes=classes)


def experts() -> dict[str, float]:
    """Shares of honest people accused, and of a ring's members found, over crowds of 2 to 4 classes."""
    accused, found, crowds = 0, 0, 0
    for classes in (2, 3, 4):
        for seed in range(2 * SEEDS):
            accused += len(collusion(misled(seed, classes)))
            flagged = {flag.worker for flag in collusion(misled(seed, classes, ring=6))}
            found += len(flagged & set(range(40, 46)))
            accused += len(flagged - set(range(40, 46)))
            crowds += 1
    return {"honest accused": accused / (2 * 40 * crowds), "ring found": found / (6 * crowds)}


def price_of_asking() -> dict[str, Any]:
    """By base error: what an item costs the way the planner chose from a pilot, the best way in hindsight, and experts
    alone, with a vote at 1 and an expert at 10."""
    out: dict[str, Any] = {}
    for error in (0.03, 0.1, 0.2, 0.35, 0.5):
        ours, best = [], []
        for seed in range(SEEDS):
            world = World(tasks=1_200, votes=(CAP, CAP), base_error=error, mix={"expert": 2, "ordinary": 25})
            crowd = simulate(world, seed).crowd
            pilot = crowd.keep(crowd.task < 250)
            fit = coin_ds(pilot)
            found = worth_asking(
                pool_from_pilot(fit, pilot), 1.0 - LIMIT, vote_cost=VOTE, expert_cost=EXPERT, max_votes=CAP, seed=seed
            )
            tops = _walked(crowd, fit.confusion, fit.prior)[250:]
            ours.append(_price(tops, found.best.votes, found.best.threshold))
            best.append(min(_price(tops, way.votes, way.threshold) for way in found.ways))
        out[f"{error:g}"] = {"ours": float(np.mean(ours)), "hindsight": float(np.mean(best)), "experts": EXPERT}
    out["worst ratio"] = max(row["ours"] / row["hindsight"] for row in out.values() if isinstance(row, dict))
    return out


def _walked(crowd: Crowd, confusion: NDArray[np.float64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(tasks, CAP) confidence of the leader after each vote."""
    tables = np.log(np.maximum(confusion, 1e-12))
    out = np.zeros((crowd.n_tasks, CAP))
    for task in range(crowd.n_tasks):
        rows = np.arange(crowd.starts[task], crowd.starts[task + 1])[:CAP]
        evidence = np.cumsum(tables[crowd.worker[rows], :, crowd.label[rows]], axis=0)
        out[task] = temper(evidence, np.arange(1, CAP + 1), prior, DEFAULT_RHO).max(axis=1)
    return out


def _price(tops: NDArray[np.float64], votes: int, threshold: float) -> float:
    if votes == 0:
        return EXPERT
    ready = tops[:, :votes] >= threshold
    settled = ready.any(axis=1)
    used = np.where(settled, ready.argmax(axis=1) + 1, votes)
    return float((VOTE * used + EXPERT * ~settled).mean())
