"""Whether the crowd is worth asking, said beforehand and borne out by what it then costs."""

from __future__ import annotations

import numpy as np
import pytest

from cupola.kernel.errors import Problem
from cupola.quality.calibrate import DEFAULT_RHO, temper
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.plan import pool_from_pilot, pool_from_skill, worth_asking
from cupola.quality.simulate import World, simulate

EXPERT, CAP, LIMIT = 10.0, 5, 0.05


def walked(crowd: Crowd, pilot: Crowd) -> np.ndarray:
    """(tasks, CAP) confidence of the leader after each vote, with the tables of the pilot."""
    fit = coin_ds(pilot)
    tables = np.log(np.maximum(fit.confusion, 1e-12))
    out = np.zeros((crowd.n_tasks, CAP))
    rng = np.random.default_rng(0)
    for task in range(crowd.n_tasks):
        rows = rng.permutation(np.arange(crowd.starts[task], crowd.starts[task + 1]))[:CAP]
        evidence = np.cumsum(tables[crowd.worker[rows], :, crowd.label[rows]], axis=0)
        out[task] = temper(evidence, np.arange(1, CAP + 1), fit.prior, DEFAULT_RHO).max(axis=1)
    return out


def price(tops: np.ndarray, votes: int, threshold: float) -> float:
    """What an item really costs with so many votes at most."""
    if votes == 0:
        return EXPERT
    ready = tops[:, :votes] >= threshold
    settled = ready.any(axis=1)
    used = np.where(settled, ready.argmax(axis=1) + 1, votes)
    return float((used + EXPERT * ~settled).mean())


@pytest.mark.parametrize("error", [0.03, 0.1, 0.2, 0.35, 0.5])
def test_the_chosen_way_costs_no_more_than_a_tenth_above_the_best_in_hindsight(error: float) -> None:
    drawn = simulate(
        World(tasks=900, votes=(CAP, CAP), classes=4, base_error=error, mix={"expert": 2, "ordinary": 25}), 4
    )
    pilot = drawn.crowd.keep(drawn.crowd.task < 250)
    found = worth_asking(
        pool_from_pilot(coin_ds(pilot), pilot), 1.0 - LIMIT, vote_cost=1.0, expert_cost=EXPERT, max_votes=CAP
    )
    tops = walked(drawn.crowd, pilot)[250:]
    ours = price(tops, found.best.votes, found.best.threshold)
    hindsight = min(price(tops, way.votes, way.threshold) for way in found.ways)
    assert ours <= 1.1 * hindsight
    assert ours <= EXPERT * 1.02
    assert found.best.cost == pytest.approx(ours, rel=0.25)


def test_a_crowd_that_guesses_is_not_asked_and_a_good_one_is() -> None:
    asked = {
        skill: worth_asking(pool_from_skill(5, skill), 0.97, vote_cost=1.0, expert_cost=10.0) for skill in (0.3, 0.97)
    }
    assert not asked[0.3].ask_crowd
    assert asked[0.3].best.cost == 10.0
    assert "experts alone" in asked[0.3].why
    assert asked[0.97].ask_crowd
    assert asked[0.97].best.cost < 6.0
    dear = worth_asking(pool_from_skill(5, 0.97), 0.97, vote_cost=9.9, expert_cost=10.0)
    assert not dear.ask_crowd
    with pytest.raises(Problem, match="more than nothing"):
        worth_asking(pool_from_skill(5), 0.97, vote_cost=0.0, expert_cost=10.0)
