"""What the server's own rules cost, replayed over recorded and simulated crowds: a vote costs 1, an expert 10.

The strategy that settles single choices is fitted and asked as the aggregator does it: a cold start, fits as judgements
come in, decisions after each page, what waits looked at again after each fit; an expert says the truth. Beside it the
best fixed plan in hindsight: so many votes for every task (or none: experts alone), the same model fitted on all of
them, the surest released as far as the allowed doubt reaches, experts for the rest; a plan that then leaves more wrong
than the target allows is none. "truth in hand" is what nobody can do: the surest released as far as the truth allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sets import RealSet
from votes import ranks

from cupola.labels import Ontology
from cupola.labels.ontology import ClassSpec
from cupola.quality import live
from cupola.quality.course import Prices
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.majority import majority
from cupola.quality.online import Plan
from cupola.quality.refits import FIRST_REFIT, next_after
from cupola.quality.simulate import Kind, World, simulate
from cupola.quality.strategies import strategy_for
from cupola.quality.strategies.base import Aims, Evidence

EXPERT, LIMIT, SHARE = 10.0, 0.05, 0.5
MOST_VOTES, PAGE = 6, 20
ORDERS = 3
GOLD_PACE = 6  # newcomers meet golds first: all of their votes are there when a sixth of the work is done
GOLDS = (0, 50)
MOST_TASKS = 3_000
LEAST_TASKS = 200  # fewer measure nothing once golds are taken from them


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement as the strategies read it."""

    id: UUID
    task: UUID
    worker: UUID
    code: int
    label: str = ""


@dataclass(frozen=True)
class Recorded:
    """crowd: all votes; truth: (n_tasks,) of every task."""

    name: str
    crowd: Crowd
    truth: NDArray[np.int16]


def recorded(name: str, crowd: Crowd, truth: NDArray[np.int16], tasks: NDArray[np.int64]) -> Recorded:
    """Some tasks as a set of their own."""
    rows = np.isin(crowd.task, tasks)
    kept = Crowd.from_codes(
        np.searchsorted(tasks, crowd.task[rows]),
        crowd.worker[rows],
        crowd.label[rows],
        n_tasks=len(tasks),
        n_workers=crowd.n_workers,
        n_classes=crowd.n_classes,
        duplicates="last",
    )
    return Recorded(name, kept, truth[tasks])


class Replay:
    """One order of one set, through the strategy. Golds cost nothing here, on either side."""

    def __init__(self, item: Recorded, seed: int, golds: int) -> None:
        rng = np.random.default_rng(seed)
        self.item, crowd = item, item.crowd
        self.place = ranks(crowd, rng)
        self.gold = np.zeros(crowd.n_tasks, bool)
        self.gold[rng.permutation(crowd.n_tasks)[:golds]] = True
        self.ontology = Ontology("choice", [ClassSpec(str(n)) for n in range(crowd.n_classes)])
        self.strategy = strategy_for(self.ontology)
        self.threshold = 1.0 - LIMIT * SHARE
        self.order = [int(t) for t in rng.permutation(np.flatnonzero(~self.gold))]
        rows = np.lexsort((self.place, crowd.task))
        self.rows_of = np.split(rows, crowd.starts[1:-1])
        # golds are met as work goes on: their votes come evenly over all of it
        self.most = min(MOST_VOTES, int(crowd.votes.max()))
        self.gold_rows = [int(r) for r in rng.permutation(np.flatnonzero(self.gold[crowd.task]))]
        self.begin()

    def begin(self) -> None:
        crowd = self.item.crowd
        self.model = self.strategy.cold(self.ontology, self.threshold)
        self.given = np.zeros(crowd.n_tasks, np.int64)
        self.settled = np.full(crowd.n_tasks, -1, np.int64)
        self.expert = np.zeros(crowd.n_tasks, bool)
        self.shown: list[int] = []
        self.shown_golds = 0

    @property
    def plan(self) -> Plan:
        return Plan(self.model.threshold, 1, self.most)

    def vote(self, row: int) -> Judged:
        crowd = self.item.crowd
        return Judged(
            UUID(int=row), UUID(int=int(crowd.task[row])), UUID(int=int(crowd.worker[row])), int(crowd.label[row])
        )

    def decide(self, tasks: list[int]) -> list[int]:
        """Settle or give up what can be; returns those that want one more vote."""
        tasks = [t for t in tasks if self.given[t]]
        votes = [self.vote(int(r)) for t in tasks for r in self.rows_of[t][: self.given[t]]]
        more = []
        rulings = self.strategy.decide(self.model, self.ontology, [UUID(int=t) for t in tasks], votes, self.plan)
        for t, ruling in zip(tasks, rulings, strict=True):
            out_of_votes = self.given[t] >= len(self.rows_of[t])
            verdict = ruling.verdict
            course = self.strategy.course(self.model)
            if out_of_votes and verdict == "more" and course is not None:
                verdict = course.verdict(self.most, ruling.confidence)  # as after the last vote: nobody is left to ask
            if verdict == "settle" and ruling.code is not None:
                self.settled[t] = ruling.code
            elif verdict == "escalate" or out_of_votes:
                self.expert[t] = True
            else:
                more.append(t)
        return more

    def fit(self) -> None:
        golds = self.gold_rows[: self.shown_golds]
        truth = self.item.truth
        evidence = Evidence(
            {},
            codes=[self.vote(r) for r in golds + self.shown],
            golds={UUID(int=int(t)): int(truth[t]) for t in np.flatnonzero(self.gold)},
            experts={UUID(int=int(t)): int(truth[t]) for t in np.flatnonzero(self.expert)},
        )
        plan = Plan(self.threshold, 1, self.most)
        aims = Aims(1.0 - LIMIT, SHARE, self.threshold, plan, Prices(expert=EXPERT), len(self.order))
        model, _ = self.strategy.fit(self.model, self.ontology, evidence, aims)
        self.model = self.strategy.thaw(self.strategy.freeze(model))

    def run(self) -> dict[str, float]:
        crowd = self.item.crowd
        work = int((~self.gold).sum())
        next_fit: float = FIRST_REFIT
        fresh = list(self.order[::-1])
        waiting: list[int] = []
        total = max(int(np.minimum(crowd.votes[~self.gold], self.most).sum()), 1)
        while fresh or waiting:
            # whoever comes next gets tasks that wait and fresh ones as the queue has them
            page = []
            while len(page) < PAGE and (fresh or waiting):
                page.append(waiting.pop(0) if waiting else fresh.pop())
            judged = []
            for t in page:
                if self.given[t] < len(self.rows_of[t]):
                    self.shown.append(int(self.rows_of[t][self.given[t]]))
                    self.given[t] += 1
                    judged.append(t)
                else:
                    self.expert[t] = True
            self.shown_golds = min(int(GOLD_PACE * len(self.gold_rows) * len(self.shown) / total), len(self.gold_rows))
            waiting += self.decide(judged)
            if len(self.shown) + self.shown_golds >= next_fit:
                self.fit()
                next_fit = next_after(len(self.shown) + self.shown_golds, work)
                waiting = self.decide(waiting)
                if self.strategy.experts_alone(self.model):
                    self.expert[fresh] = True
                    fresh = []
        mine = ~self.gold
        wrong = mine & ~self.expert & (self.settled != self.item.truth)
        return {
            "votes": float(self.given[mine].sum() / work),
            "experts": float(self.expert[mine].mean()),
            "wrong": float(wrong.sum() / work),
            "cost": float((self.given[mine].sum() + EXPERT * self.expert[mine].sum()) / work),
            "tasks": work,
        }


def fixed(replay: Replay) -> dict[str, tuple[float, float]]:
    """By votes a task: cost of an item with the confidence that the product's own model gives after all of them, and
    with the truth in hand (see the module)."""
    crowd, truth = replay.item.crowd, replay.item.truth
    mine = np.flatnonzero(~replay.gold)
    allowed = SHARE * LIMIT * len(mine)
    out = {0: (EXPERT, EXPERT)}
    golds = replay.gold_rows
    for votes in range(1, replay.most + 1):
        rows = np.flatnonzero((replay.place < votes) & ~replay.gold[crowd.task])
        cost = len(rows) / len(mine)
        replay.begin()
        replay.shown, replay.shown_golds = [int(r) for r in rows], len(golds)
        replay.fit()
        people = [UUID(int=int(w)) for w in crowd.worker[rows]]
        sure, _ = live.posteriors(
            replay.model, crowd.task[rows].astype(np.int64), crowd.n_tasks, people, crowd.label[rows].astype(np.int64)
        )
        top, said = sure.max(axis=1)[mine], sure.argmax(axis=1)[mine]
        order = np.argsort(-top, kind="stable")
        by_claim = int((np.cumsum(1.0 - top[order]) <= allowed).sum())
        most = 0
        for confidence, label in ((top, said), _shares(crowd.keep(replay.place < votes), mine)):
            order = np.argsort(-confidence, kind="stable")
            within = np.flatnonzero(np.cumsum((label != truth[mine])[order]) <= allowed)
            most = max(most, int(within[-1]) + 1 if len(within) else 0)
        left = float((said != truth[mine])[np.argsort(-top, kind="stable")][:by_claim].sum() / len(mine))
        out[votes] = (
            cost + EXPERT * (1.0 - by_claim / len(mine)) if left <= LIMIT else 99.0,
            cost + EXPERT * (1.0 - most / len(mine)),
        )
    replay.begin()
    return out


def _shares(heard: Crowd, tasks: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int16]]:
    plain = majority(heard)
    return plain.posterior.max(axis=1)[tasks], plain.label[tasks]


def measured(item: Recorded, golds: int) -> dict[str, Any]:
    rows, plans = [], []
    for seed in range(ORDERS):
        replay = Replay(item, seed, min(golds, len(item.truth) // 4))
        plans.append(fixed(replay))
        rows.append(replay.run())
    mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    costs = {k: np.mean([plan[k] for plan in plans], axis=0) for k in plans[0]}
    best = min(costs, key=lambda k: costs[k][0])
    told = min(float(cost[1]) for cost in costs.values())
    return {
        **mean,
        "best fixed": float(costs[best][0]),
        "its votes": best,
        "truth in hand": told,
        "ratio": mean["cost"] / float(costs[best][0]),
    }


def five_grades(error: float, tasks: int, seed: int) -> Recorded:
    """A simulated crowd of five grades whose errors repeat each other."""
    mix: dict[Kind, int] = {"ordinary": 36, "expert": 2, "spammer": 2}
    world = World(tasks=tasks, classes=5, votes=(6, 6), base_error=error, difficulty_sd=1.0, repeat=0.5, mix=mix)
    drawn = simulate(world, seed)
    return Recorded(f"five grades, error {error:g}, {tasks} tasks", drawn.crowd, drawn.truth)


def run(items: list[RealSet]) -> dict[str, Any]:
    """By set: cost of an item, its votes and experts, and what was left wrong, with and without golds."""
    wanted = [
        recorded(item.name, item.crowd, item.truth, item.known[:MOST_TASKS])
        for item in items
        if len(item.known) >= LEAST_TASKS
    ]
    wanted += [five_grades(error, tasks, 3) for error, tasks in ((0.1, 2_500), (0.15, 400), (0.3, 2_500), (0.5, 2_500))]
    out: dict[str, Any] = {}
    for item in wanted:
        for golds in GOLDS:
            found = out[f"{item.name}, {golds} golds"] = measured(item, golds)
            shown = {key: round(value, 3) for key, value in found.items()}
            print(f"  {item.name}, {golds} golds: {shown}", flush=True)
    return out
