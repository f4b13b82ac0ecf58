"""The planner: for this target with this pool, about so many judgements and so many expert answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cupola.kernel.errors import Problem, invalid
from cupola.kernel.jit import kernel
from cupola.quality.calibrate import DEFAULT_RHO
from cupola.quality.certify.evidence import confidence_of_attempt
from cupola.quality.certify.fixed import sample_size_for_power
from cupola.quality.inference.base import Crowd, Fit
from cupola.quality.inference.coin_ds import coin_ds
from cupola.quality.online import Plan, cold_start
from cupola.quality.progress import Told, silent
from cupola.quality.standing import MOST_LOG_ODDS, MOST_SURE, SHARPNESS

SIMULATED_TASKS = 2_000
DRAWS = 24
WORTH = 0.05  # of an expert's price that the crowd must be expected to save
FIRST = np.array([1.0, 0.0, 0.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class Range:
    """A forecast: likely is the median, 80 % of outcomes lie between low and high."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """judgements and experts for all items; settled_error: expected share wrong among what the crowd settles.

    reachable: whether the expected error after experts is within the target. audit_items, audit_allowed: a fixed audit
    that proves the target with 90 % probability, and the errors it may show; None when no audit could.
    """

    judgements: Range
    experts: Range
    settled_error: Range
    reachable: bool
    audit_items: int | None
    audit_allowed: int | None
    threshold: float
    basis: str


@dataclass(frozen=True, slots=True)
class Pool:
    """Who will judge: tables (W, K, K), the chance (W,) that each gives the next vote, class prior (K,), rho.

    standing: (5,) what a confidence is made with (see the module of that name); None where only rho is known.
    """

    confusions: NDArray[np.float64]
    share: NDArray[np.float64]
    prior: NDArray[np.float64]
    rho: float
    basis: str
    standing: NDArray[np.float64] | None = None


def pool_from_skill(n_classes: int, skill: float = 0.85, rho: float = DEFAULT_RHO) -> Pool:
    """A pool nobody has seen yet: all right with probability `skill`, errors even."""
    if not 1.0 / n_classes < skill < 1.0:
        raise invalid(
            "skill-range",
            f"A skill of {skill} with {n_classes} classes is chance or worse, or perfect.",
            remedy=f"Give a share right between {1 / n_classes:.2f} and 1.",
            place="/skill",
        )
    table = cold_start(n_classes, skill)
    return Pool(table[None], np.ones(1), np.full(n_classes, 1.0 / n_classes), rho, f"an assumed skill of {skill:.0%}")


def pool_from_pilot(fit: Fit, crowd: Crowd, rho: float = DEFAULT_RHO) -> Pool:
    """The pool that a pilot showed."""
    made = np.bincount(crowd.worker, minlength=crowd.n_workers).astype(np.float64)
    if made.sum() == 0:
        raise invalid("pilot-empty", "The pilot has no judgements.", remedy="Use pool_from_skill.")
    basis = f"a pilot of {len(crowd)} judgements by {int((made > 0).sum())} people"
    return Pool(fit.confusion, made / made.sum(), fit.prior, rho, basis)


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
    plan_audit: bool = True,
    seed: int = 0,
    told: Told = silent,
) -> Forecast:
    """What reaching `target_accuracy` at `confidence` will take.

    The stopping threshold is the lowest that leaves no more than `share` of the allowed error in the whole release, by
    the calibrated confidence of what it settles; what reaches max_votes unsettled goes to an expert, taken to be right.
    plan_audit: whether to look for the audit as well, which takes longer than the rest.
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
    votes, experts, errors, thresholds = [], [], [], []
    for draw in range(DRAWS):
        told(draw, DRAWS, "")
        used = pool if pilot is None else _resampled(pilot, pool.rho, rng)
        # rho itself is only known to about a fifth, and so are the odds of a confidence
        off = float(rng.normal(0.0, 0.2))
        rho = pool.rho * float(np.exp(off))
        if used.standing is not None:
            used = replace(used, standing=used.standing - off * FIRST)
        threshold, (mean_votes, escalated, error) = _tune(used, rho, share * limit, min_votes, max_votes, rng)
        votes.append(mean_votes)
        experts.append(escalated)
        errors.append(error)
        thresholds.append(threshold)
    settled = float(np.median(errors)) * (1.0 - float(np.median(experts)))
    audit: tuple[int, int] | None = None
    if plan_audit:
        with contextlib.suppress(Problem):  # no audit could prove it
            first = confidence_of_attempt(confidence, 1)
            audit = sample_size_for_power(limit, min(settled, share * limit), 0.9, first, items)
    return Forecast(
        judgements=_range(np.array(votes) * items),
        experts=_range(np.array(experts) * items),
        settled_error=_range(np.array(errors)),
        reachable=settled <= limit,
        audit_items=None if audit is None else audit[0],
        audit_allowed=None if audit is None else audit[1],
        threshold=float(np.median(thresholds)),
        basis=pool.basis,
    )


@dataclass(frozen=True, slots=True)
class Way:
    """One way to label: at most `votes` judgements a task (0: experts alone), then an expert for what is too doubtful.

    cost: expected, of one item, in the unit of the prices; judgements, experts: expected of one item; threshold: the
    confidence at which a task settles.
    """

    votes: int
    cost: float
    judgements: float
    experts: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Worth:
    """Whether the crowd is worth asking: the cheapest way, all ways (experts alone first), and the reason in words."""

    best: Way
    ways: tuple[Way, ...]
    why: str

    @property
    def ask_crowd(self) -> bool:
        """False where experts alone are cheaper than anything the crowd could save them."""
        return self.best.votes > 0


def worth_asking(
    pool: Pool,
    target_accuracy: float,
    *,
    vote_cost: float,
    expert_cost: float,
    max_votes: int = 5,
    share: float = 0.5,
    seed: int = 0,
) -> Worth:
    """What an item costs with at most 0, 1, 2 … judgements before an expert, and the cheapest of these.

    A crowd that is seldom sure enough to be released costs its votes on top of the experts. The crowd is only asked
    where it is expected to save WORTH of the experts' price: a forecast is no better than that. vote_cost, expert_cost:
    of one answer, everything included, in one unit.
    """
    if vote_cost <= 0 or expert_cost <= 0:
        raise invalid("cost-range", "A vote and an expert cost more than nothing.", place="cost")
    Plan(0.5, 1, max_votes)
    allowed = share * (1.0 - target_accuracy)
    tops = _paths(pool, pool.rho, max_votes, np.random.default_rng(seed))
    ways = [Way(0, expert_cost, 0.0, 1.0, 1.0)]
    for votes in range(1, max_votes + 1):
        for threshold, (judgements, experts, _) in _outcomes(tops[:, :votes], allowed):
            cost = vote_cost * judgements + expert_cost * experts
            ways.append(Way(votes, cost, judgements, experts, threshold))
    best = min(ways, key=lambda way: (way.cost, way.votes))
    if best.votes and best.cost > (1.0 - WORTH) * expert_cost:
        best = ways[0]
    if best.votes:
        why = (
            f"at most {best.votes} judgements a task and experts for {best.experts:.0%} cost {best.cost:.2f} an item, "
            f"experts alone {expert_cost:.2f}"
        )
    else:
        cheapest = min(ways[1:], key=lambda way: way.cost)
        why = (
            f"experts alone cost {expert_cost:.2f} an item; with the crowd first {cheapest.experts:.0%} would go to "
            f"them anyway, at {cheapest.cost:.2f}"
        )
    return Worth(best, tuple(ways), why)


def _range(values: NDArray[np.float64]) -> Range:
    low, likely, high = np.quantile(values, [0.1, 0.5, 0.9])
    return Range(float(low), float(likely), float(high))


def _resampled(pilot: Crowd, rho: float, rng: np.random.Generator) -> Pool:
    chosen = rng.integers(0, pilot.n_tasks, pilot.n_tasks)
    sizes = pilot.votes[chosen]
    rows = np.repeat(pilot.starts[chosen], sizes) + _within(sizes)
    again = Crowd.from_codes(
        np.repeat(np.arange(pilot.n_tasks), sizes),
        pilot.worker[rows],
        pilot.label[rows],
        n_tasks=pilot.n_tasks,
        n_workers=pilot.n_workers,
        n_classes=pilot.n_classes,
        gold=None if pilot.gold is None else pilot.gold[chosen],
        duplicates="keep",
    )
    return pool_from_pilot(coin_ds(again, iterations=20), again, rho)


def _within(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    total = int(sizes.sum())
    ends = np.cumsum(sizes)
    return np.arange(total) - np.repeat(ends - sizes, sizes)


def _tune(
    pool: Pool, rho: float, allowed: float, min_votes: int, max_votes: int, rng: np.random.Generator
) -> tuple[float, tuple[float, float, float]]:
    """The lowest threshold that leaves `allowed` errors at most; (votes a task, share to experts, settled error)."""
    tops = _paths(pool, rho, max_votes, rng)
    tops[:, : min_votes - 1] = 0.0  # nothing settles before
    for threshold, outcome in _outcomes(tops, allowed):
        return threshold, outcome
    return 1.0, (float(max_votes), 1.0, 0.0)


def _outcomes(tops: NDArray[np.float64], allowed: float) -> Iterator[tuple[float, tuple[float, float, float]]]:
    """The lowest threshold that leaves `allowed` errors in the whole release at most: (votes a task, share to experts,
    settled error); nothing where there is none. tops: (tasks, votes)."""
    last = tops.shape[1] - 1
    for threshold in 1.0 - allowed * np.geomspace(8.0, 0.04, 40):
        if threshold <= 0:
            continue
        ready = tops >= threshold
        settled = ready.any(axis=1)
        at = np.where(settled, ready.argmax(axis=1), last)
        error = float((1.0 - tops[settled, at[settled]]).mean()) if settled.any() else 0.0
        if error * float(settled.mean()) <= allowed:
            yield float(threshold), (float((at + 1).mean()), float(1.0 - settled.mean()), error)
            return


def _paths(pool: Pool, rho: float, max_votes: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(tasks, max_votes) calibrated posterior of the best class after each vote.

    Votes are drawn one after the other from their calibrated predictive distribution: the n-th vote says what the
    posterior of the first n - 1 makes it say. So errors repeat as much as rho holds them to.
    """
    return _walk(
        np.log(np.maximum(pool.confusions, 1e-12)),
        np.cumsum(pool.confusions, axis=2),
        np.cumsum(pool.share),
        np.log(np.maximum(pool.prior, 1e-300)),
        rho,
        np.zeros(0) if pool.standing is None else pool.standing,
        rng.random((SIMULATED_TASKS, max_votes, 3)),
    )


@kernel
def _walk(
    log_table: NDArray[np.float64],
    cumulated: NDArray[np.float64],
    share: NDArray[np.float64],
    log_prior: NDArray[np.float64],
    rho: float,
    standing: NDArray[np.float64],
    uniform: NDArray[np.float64],
) -> NDArray[np.float64]:
    tasks, votes, _ = uniform.shape
    classes = len(log_prior)
    out = np.empty((tasks, votes))
    logits = np.empty(classes)
    posterior = np.empty(classes)
    heard = np.empty(classes)
    for t in range(tasks):
        for k in range(classes):
            logits[k] = log_prior[k]
            posterior[k] = np.exp(log_prior[k])
            heard[k] = 0.0
        for n in range(votes):
            w = min(np.searchsorted(share, uniform[t, n, 0]), len(share) - 1)
            draw = uniform[t, n, 1] * posterior.sum()
            truth = 0
            while truth < classes - 1 and draw > posterior[truth]:
                draw -= posterior[truth]
                truth += 1
            said = min(np.searchsorted(cumulated[w, truth], uniform[t, n, 2]), classes - 1)
            heard[said] += 1.0
            scale = 1.0 / (1.0 + n * rho)
            if len(standing):
                scale = SHARPNESS / (1.0 + n * DEFAULT_RHO)
            leader = 0
            for k in range(classes):
                logits[k] += log_table[w, k, said]
                if logits[k] > logits[leader]:
                    leader = k
            total = 0.0
            for k in range(classes):
                posterior[k] = np.exp((logits[k] - logits[leader]) * scale)
                total += posterior[k]
            for k in range(classes):
                posterior[k] /= total
            if len(standing):
                _put_right(posterior, leader, heard[leader] / (n + 1.0), n + 1, log_prior[leader], standing)
            out[t, n] = posterior[leader]
    return out


@kernel
def _put_right(
    posterior: NDArray[np.float64],
    leader: int,
    agreeing: float,
    votes: int,
    log_prior: float,
    standing: NDArray[np.float64],
) -> None:
    """As `standing.worth` and `standing.placed`, for one task."""
    classes = len(posterior)
    rest = max(1.0 - posterior[leader], 1e-9)
    z = standing[0] + standing[1] * min(np.log(posterior[leader] / rest), MOST_LOG_ODDS)
    z += standing[2] * np.log(votes) + standing[3] * (1.0 - agreeing) + standing[4] * (log_prior + np.log(classes))
    top = min(max(1.0 / (1.0 + np.exp(-z)), 1.0 / classes), MOST_SURE)
    second = 0.0
    for k in range(classes):
        if k != leader:
            second = max(second, posterior[k] / rest)
    top = max(top, second / (1.0 + second))
    for k in range(classes):
        posterior[k] = top if k == leader else posterior[k] / rest * (1.0 - top)
