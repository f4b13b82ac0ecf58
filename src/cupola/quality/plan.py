"""The planner: for this target with this pool, about so many judgements and so many expert answers."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import Problem, invalid
from cupola.quality.certify.evidence import confidence_of_attempt
from cupola.quality.certify.fixed import sample_size_for_power
from cupola.quality.course import LEARN_FROM, LEARNING, Course, Prices, course, courses
from cupola.quality.inference.base import Crowd
from cupola.quality.online import Plan
from cupola.quality.pool import Pool, paths, resampled
from cupola.quality.progress import Told, silent

DRAWS = 24
# targets between which forecasts are made: error allowed, from all of it to one in 10,000, each two thirds of the last
RUNGS = np.geomspace(1.0, 1e-4, 24)
FIRST = np.array([1.0, 0.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class Range:
    """A forecast: likely is the mean of the middle half of all draws, 80 % of them lie between low and high."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """judgements and experts for all items; cost: of one item with the crowd first, in the unit of the prices, whether
    or not that is worth it; settled_error: expected share wrong among what the crowd settles.

    reachable: whether the expected error after experts is within the target. audit_items, audit_allowed: a fixed audit
    that proves the target with 90 % probability, and the errors it may show; None when no audit could.
    """

    judgements: Range
    experts: Range
    cost: Range
    settled_error: Range
    reachable: bool
    audit_items: int | None
    audit_allowed: int | None
    threshold: float
    basis: str


def forecast(
    items: int,
    pool: Pool,
    target_accuracy: float,
    *,
    confidence: float = 0.95,
    max_votes: int = 5,
    min_votes: int = 1,
    pilot: Crowd | None = None,
    share: float = 0.5,
    prices: Prices | None = None,
    seed: int = 0,
    told: Told = silent,
) -> Forecast:
    """What reaching `target_accuracy` at `confidence` will take.

    Tasks take their cheapest course (see `course`), in which no more than `share` of the allowed error is left in the
    whole release; an expert is taken to be right. Where the crowd is not worth asking, all but what it takes to see
    that is left to experts. A stricter target never costs less: all targets are looked at in the same drawn tasks,
    laxer ones as well, and where one of those seemed dearer, that stands.
    With a pilot, its tasks are drawn again for each of the forecasts, so the interval holds what the pilot leaves open.
    """
    if items < 1:
        raise invalid("items-range", f"{items} items cannot be planned.", place="/items")
    if not 0.0 < target_accuracy < 1.0:
        raise invalid(
            "target-range", f"A target of {target_accuracy} is not between 0 and 1.", place="/target_accuracy"
        )
    Plan(0.5, min_votes, max_votes)  # the same checks as when it runs
    limit = 1.0 - target_accuracy
    rng = np.random.default_rng(seed)
    prices = prices or Prices()
    # that much is asked before anything is left to experts alone
    learning = min(LEARN_FROM, LEARNING * items * prices.expert / prices.vote) / items
    drawn = []
    for draw in range(DRAWS):
        told(draw, DRAWS, "")
        used = pool if pilot is None else resampled(pilot, pool.rho, rng)
        # rho itself is only known to about a fifth, and so are the odds of a confidence
        off = float(rng.normal(0.0, 0.2))
        used = replace(used, rho=pool.rho * float(np.exp(off)))
        if used.standing is not None:
            used = replace(used, standing=used.standing - off * FIRST)
        tops = paths(used, max_votes, rng)
        drawn.append(_foretold(tops, limit, prices, min_votes=min_votes, share=share, learning=learning))
    votes, experts, wrong, costs, thresholds = np.array(drawn).T
    middle = np.argsort(prices.vote * votes + prices.expert * experts)[DRAWS // 4 : DRAWS - DRAWS // 4]
    settled = float(wrong[middle].mean())
    audit: tuple[int, int] | None = None
    with contextlib.suppress(Problem):  # no audit could prove it
        first = confidence_of_attempt(confidence, 1)
        audit = sample_size_for_power(limit, min(settled, share * limit), 0.9, first, items)
    return Forecast(
        judgements=_range(votes * items, middle),
        experts=_range(experts * items, middle),
        cost=_range(costs, np.argsort(costs)[DRAWS // 4 : DRAWS - DRAWS // 4]),
        settled_error=_range(wrong / np.maximum(1.0 - experts, 1e-9), middle),
        reachable=settled <= limit,
        audit_items=None if audit is None else audit[0],
        audit_allowed=None if audit is None else audit[1],
        threshold=float(thresholds[middle].mean()),
        basis=pool.basis,
    )


def _foretold(
    tops: NDArray[np.float64], limit: float, prices: Prices, *, min_votes: int, share: float, learning: float
) -> NDArray[np.float64]:
    """(5,) judgements of an item, share to experts, share left wrong, cost with the crowd first, lowest confidence.

    limit: the error allowed. The course of a target is the cheapest in bins of drawn tasks, so it may cost a little
    less than that of a laxer one: from rung to rung the dearest so far stands. learning: judgements of an item that are
    made before all is left to experts.
    """
    upto = min(int((limit < RUNGS).sum()), len(RUNGS) - 1)  # the first rung that is no laxer
    priced = np.array([prices.vote, prices.expert])
    rungs: list[NDArray[np.float64]] = []
    for one in courses(tops, [1.0 - rung for rung in RUNGS[: upto + 1]], prices, min_votes=min_votes, share=share):
        made = np.array([one.judgements, one.experts, one.wrong, one.cost, one.threshold])
        few = min(one.judgements, learning)
        if prices.vote * few + prices.expert < one.cost:
            made[:3] = few, 1.0, 0.0
        if rungs:
            before = rungs[-1]
            if made[:2] @ priced < before[:2] @ priced:
                made[:3] = before[:3]
            made[3] = max(made[3], before[3])
        rungs.append(made)
    if upto == 0:
        return rungs[0]
    laxer, stricter = np.log(RUNGS[upto - 1]), np.log(RUNGS[upto])
    along = float(np.clip((laxer - np.log(limit)) / (laxer - stricter), 0.0, 1.0))
    return np.asarray((1.0 - along) * rungs[-2] + along * rungs[-1])


@dataclass(frozen=True, slots=True)
class Worth:
    """Whether the crowd is worth asking: the cheapest course, what an item then costs, and the reason in words."""

    course: Course
    cost: float
    why: str

    @property
    def ask_crowd(self) -> bool:
        """False where experts alone are cheaper than anything the crowd could save them."""
        return self.course.ask_crowd


def worth_asking(
    pool: Pool,
    target_accuracy: float,
    *,
    vote_cost: float,
    expert_cost: float,
    max_votes: int = 5,
    min_votes: int = 1,
    share: float = 0.5,
    seed: int = 0,
) -> Worth:
    """What an item is expected to cost where each task takes its cheapest course, beside experts alone.

    A crowd that is seldom sure enough costs its votes on top of the experts. vote_cost, expert_cost: of one answer,
    everything included, in one unit.
    """
    prices = Prices(vote_cost, expert_cost)
    found = course(
        paths(pool, max_votes, np.random.default_rng(seed)), target_accuracy, prices, min_votes=min_votes, share=share
    )
    if found.ask_crowd:
        why = (
            f"{found.judgements:.1f} judgements a task and experts for {found.experts:.0%} cost {found.cost:.2f} an "
            f"item, experts alone {expert_cost:.2f}"
        )
        return Worth(found, found.cost, why)
    why = (
        f"experts alone cost {expert_cost:.2f} an item; with the crowd first {found.experts:.0%} would go to them "
        f"anyway, at {found.cost:.2f}"
    )
    return Worth(found, expert_cost, why)


def _range(values: NDArray[np.float64], middle: NDArray[np.int64]) -> Range:
    low, high = np.quantile(values, [0.1, 0.9])
    likely = float(values[middle].mean())
    return Range(min(float(low), likely), likely, max(float(high), likely))
