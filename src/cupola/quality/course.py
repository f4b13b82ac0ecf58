"""Settle, ask once more, or leave it to an expert: what is cheapest for a task as it stands, and for a whole crowd.

A wrong label that is settled has a price, and so have a judgement and an expert's answer. How a task's confidence will
move in this crowd is drawn (`pool.paths`); from the last judgement backwards each state, so many votes and so sure, is
worth the cheapest of the three. The price of an error is the lowest at which no more than the allowed share of all is
left wrong: errors are spent where they save most, on tasks whose further votes would bring little, not on single votes
that a second one could check. What a task costs from its beginning says whether the crowd is worth asking at all.

Source of the method: optimal stopping by backward induction over drawn paths (Longstaff & Schwartz, 2001), with bins
instead of a regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import invalid
from cupola.kernel.jit import kernel
from cupola.quality.online import Decision

BINS = 24  # of confidence, equally full, by which the worth of going on is told apart
LEAST, MOST = 1.0, 400.0  # experts that the price of an error may be
STEPS = 7  # of halving between the two, on one grid for all targets: a stricter one asks no less
MOST_DOUBT = 3.0  # times the doubt that is allowed on average: no single task is settled with more
LOWEST = 0.5
EXPERT_COST = 10.0  # judgements
SURELY = 1.05  # of experts alone: so much dearer must the crowd be before it is asked no more
WORTHY = 0.75  # of experts alone: a crowd that costs less is asked on, as its votes to come are worth more than drawn
LEARN_FROM = 600  # compared judgements a model rests on before it gives anything up,
LEARNING = 0.05  # or fewer, where that many would cost more than this share of experts alone


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one judgement and of one expert's answer, everything included, in one unit."""

    vote: float = 1.0
    expert: float = EXPERT_COST

    def __post_init__(self) -> None:
        if not (self.vote > 0 and self.expert > 0):
            raise invalid("cost-range", "A vote and an expert cost more than nothing.", place="cost")


USUAL_PRICES = Prices()


class Course(msgspec.Struct, frozen=True):
    """How tasks go from here. error: the price of a wrong label; floor: no task is settled below; edges (V, BINS - 1),
    ahead (V, BINS): what going on costs after 1 to V votes, by confidence. gives_up: whether enough is known to leave
    tasks to experts before they have had all their votes. plain: in a crowd well worth asking, the one confidence at
    which a task settles, and before that it is asked on.

    cost, judgements, experts: expected of one item from its beginning; wrong: expected share of all that is released.
    """

    prices: Prices
    error: float
    floor: float
    min_votes: int
    edges: list[list[float]]
    ahead: list[list[float]]
    cost: float
    judgements: float
    experts: float
    wrong: float
    gives_up: bool = True
    plain: float | None = None

    @property
    def ask_crowd(self) -> bool:
        """Whether judgements are expected to save anything of what experts alone would cost."""
        return self.cost < self.prices.expert

    @property
    def experts_alone(self) -> bool:
        """Whether tasks that nobody has judged are left to experts: only where the crowd is clearly dearer, because
        asking in vain costs a judgement or two and not asking may cost most of an expert."""
        return self.gives_up and self.cost > SURELY * self.prices.expert

    @property
    def threshold(self) -> float:
        """The lowest confidence at which anything settles: after the last vote, where an expert costs more."""
        if self.plain is not None:
            return self.plain
        return max(self.floor, 1.0 - self.prices.expert / self.error)

    def verdict(self, votes: int, confidence: float) -> Decision:
        """What is cheapest for a task of so many votes that is so sure."""
        most = len(self.ahead)
        if self.plain is not None:
            if votes >= self.min_votes and confidence >= self.plain:
                return "settle"
            return "escalate" if votes >= most else "more"
        release = np.inf
        if votes >= self.min_votes and confidence >= self.floor:
            release = self.error * (1.0 - confidence)
        if votes >= most:
            return "settle" if release <= self.prices.expert else "escalate"
        if votes < max(self.min_votes, 1):
            return "more"
        on = self.ahead[votes - 1][int(np.searchsorted(self.edges[votes - 1], confidence))]
        if release <= min(on, self.prices.expert):
            return "settle"
        return "more" if on < self.prices.expert or not self.gives_up else "escalate"


def knows_enough(judgements: int, items: int, prices: Prices) -> bool:
    """Whether a model may leave a project's tasks to experts: by its judgements that stand beside others, golds or
    experts' answers. Those that stand alone say nothing of who gave them."""
    return judgements >= min(LEARN_FROM, LEARNING * items * prices.expert / prices.vote)


def course(
    tops: NDArray[np.float64],
    target_accuracy: float,
    prices: Prices,
    *,
    min_votes: int = 1,
    share: float = 0.5,
    gives_up: bool = True,
) -> Course:
    """The cheapest course that is expected to leave no more than `share` of the allowed error in the whole release.

    tops: (n, V) how sure the leading label of drawn tasks is after each vote (see `pool.paths`).
    """
    return _course(_Drawn(tops), target_accuracy, prices, min_votes, share, gives_up=gives_up)


def courses(
    tops: NDArray[np.float64],
    targets: Sequence[float],
    prices: Prices,
    *,
    min_votes: int = 1,
    share: float = 0.5,
) -> list[Course]:
    """The same for several targets, looked at in the same drawn tasks."""
    drawn = _Drawn(tops)
    return [_course(drawn, target, prices, min_votes, share, gives_up=True) for target in targets]


def _course(
    drawn: _Drawn, target_accuracy: float, prices: Prices, min_votes: int, share: float, *, gives_up: bool
) -> Course:
    allowed = share * (1.0 - target_accuracy)
    floor = max(1.0 - MOST_DOUBT * (1.0 - target_accuracy), LOWEST)
    grid = np.geomspace(LEAST * prices.expert, MOST * prices.expert, 2**STEPS + 1)
    low, high = -1, len(grid) - 1
    best = drawn.course(float(grid[high]), floor, prices, min_votes, gives_up=gives_up)
    while high - low > 1:
        middle = (low + high) // 2
        found = drawn.course(float(grid[middle]), floor, prices, min_votes, gives_up=gives_up)
        if found.wrong > allowed:
            low = middle
        else:
            high, best = middle, found
    return best


def asked_on(found: Course, tops: NDArray[np.float64], target_accuracy: float, share: float = 0.5) -> Course:
    """The same course, but where the crowd is well worth asking: there tasks are asked on until they are as sure as the
    lowest threshold that leaves no more than `share` of the allowed error in the whole release.

    Drawn paths foretell too little of what further votes of a good crowd bring, so that giving tasks up by them costs
    more than asking. tops: (n, V) as `course` takes them, drawn without any echo.
    """
    if found.cost >= WORTHY * found.prices.expert:
        return found
    allowed = share * (1.0 - target_accuracy)
    heard = tops.copy()
    heard[:, : found.min_votes - 1] = 0.0
    for threshold in 1.0 - allowed * np.geomspace(8.0, 0.04, 40):
        settled = (heard >= threshold).any(axis=1)
        first = np.where(settled, (heard >= threshold).argmax(axis=1), 0)
        doubt = np.where(settled, 1.0 - heard[np.arange(len(heard)), first], 0.0)
        if threshold > 0 and doubt.mean() <= allowed:
            return msgspec.structs.replace(found, plain=max(float(threshold), found.floor))
    return found


class _Drawn:
    """Drawn tasks, sorted into bins of confidence at each vote."""

    def __init__(self, tops: NDArray[np.float64]) -> None:
        self.tops = tops
        self.edges = np.quantile(tops, np.arange(1, BINS) / BINS, axis=0).T.copy()  # (V, BINS - 1)
        self.box = np.stack([np.searchsorted(self.edges[n], tops[:, n]) for n in range(tops.shape[1])])

    def course(self, error: float, floor: float, prices: Prices, min_votes: int, *, gives_up: bool) -> Course:
        """The course at this price of an error."""
        ahead, judgements, experts, wrong = _backwards(
            self.tops, self.box, BINS, error, floor, prices.vote, prices.expert, min_votes
        )
        return Course(
            prices,
            error,
            floor,
            min_votes,
            self.edges.tolist(),
            ahead.tolist(),
            prices.vote * judgements + prices.expert * experts,
            judgements,
            experts,
            wrong,
            gives_up,
        )


@kernel
def _backwards(
    tops: NDArray[np.float64],
    box: NDArray[np.int64],
    bins: int,
    error: float,
    floor: float,
    vote_price: float,
    expert_price: float,
    min_votes: int,
) -> tuple[NDArray[np.float64], float, float, float]:
    """From the last vote backwards: (V, bins) what going on costs, then the mean judgements, the share that goes to
    experts and the share left wrong, of tasks that take the cheapest course. tops: (n, V); box: (V, n)."""
    tasks, most = tops.shape
    ahead = np.full((most, bins), np.inf)
    value, wrong = np.empty(tasks), np.zeros(tasks)  # what is lost and paid from here on, and what is wrong of it
    votes, settled = np.zeros(tasks), np.zeros(tasks)
    for t in range(tasks):
        sure = tops[t, most - 1]
        release = error * (1.0 - sure) if sure >= floor and most >= min_votes else np.inf
        value[t] = min(release, expert_price)
        if release <= expert_price:
            settled[t], wrong[t] = 1.0, 1.0 - sure
    total, full = np.empty(bins), np.empty(bins)
    for n in range(most - 2, -1, -1):
        total[:] = 0.0
        full[:] = 0.0
        for t in range(tasks):
            total[box[n, t]] += value[t]
            full[box[n, t]] += 1.0
        for b in range(bins):
            ahead[n, b] = vote_price + (total[b] / full[b] if full[b] > 0.0 else expert_price)
        for t in range(tasks):
            sure, on = tops[t, n], ahead[n, box[n, t]]
            release = error * (1.0 - sure) if sure >= floor and n + 1 >= min_votes else np.inf
            if release <= min(on, expert_price):
                value[t], votes[t], settled[t], wrong[t] = release, 0.0, 1.0, 1.0 - sure
            elif on < expert_price or n + 1 < min_votes:
                value[t] += vote_price
                votes[t] += 1.0
            else:
                value[t], votes[t], settled[t], wrong[t] = expert_price, 0.0, 0.0, 0.0
    return ahead, 1.0 + votes.mean(), 1.0 - settled.mean(), wrong.mean()
