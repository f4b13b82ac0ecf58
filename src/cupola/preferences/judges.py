"""Judges (models that judge) against people: flips, agreement with intervals, and what a judge may stand in for.

A judge never pays, blames or rejects a person; it only says where fewer people need be asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cupola.kernel.errors import invalid
from cupola.preferences import ppi
from cupola.quality import agreement
from cupola.quality.certify import clopper_pearson_lower, clopper_pearson_upper
from cupola.quality.inference.base import Crowd

TIE = "tie"
UNDECIDED = "undecided"  # no answer has most of the votes
DRAWS = 400
LEAST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """value: in the item's own numbering; turned: the two were shown the other way round."""

    value: str
    turned: bool


@dataclass
class Item:
    id: str
    slice: str = ""
    people: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)

    def said_by(self, judge: str) -> str | None:
        """What the judge says, seen from both sides: a verdict that flips with the order is a tie."""
        given = {verdict.value for verdict in self.verdicts.get(judge, ())}
        return None if not given else TIE if len(given) > 1 else given.pop()

    @property
    def majority(self) -> str | None:
        return majority(list(self.people.values())) if self.people else None


def majority(values: Sequence[str]) -> str:
    """What more than half say, else UNDECIDED."""
    value, times = Counter(values).most_common(1)[0]
    return value if 2 * times > len(values) else UNDECIDED


@dataclass(frozen=True, slots=True)
class Share:
    """A share with a two-sided interval, and of how many."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One person and the judge: where they agree that stands; else a second person, and a third where the two differ.

    same: as the majority of all people, over everybody who could be the one; error_high: the upper bound on the share
    of items on which the rule says something else, from one person drawn for each; certified: it is small enough.
    judgements: of people, an item.
    """

    judgements: float
    same: float
    items: int
    errors: int
    error_high: float
    certified: bool
    confidence: float
    target: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One judge on one slice ("" is everything)."""

    judge: str
    slice: str
    items: int
    both_orders: int
    flips: Share | None
    first_kept: Share | None  # of flips, how often whatever stood first was taken
    agreement: Share | None  # with one person
    majority: Share | None  # with the majority of people
    people: Share | None  # one person with another, on the same items
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class People:
    """What people do among themselves. asked: judgements an item of two people and a third where they differ; same: how
    often that is the majority of the three."""

    items: int
    votes: int
    raters: int
    alpha: agreement.Interval
    kappas: list[tuple[str, str, float | None, int]]
    asked: float | None
    same: float | None
    unanimous: float


def people(items: Sequence[Item]) -> People:
    """Agreement of people among themselves. Raises Problem where none judged anything."""
    crowd, raters = crowd_of(items)
    three = [list(item.people.values()) for item in items if len(item.people) >= 3]
    asked, same = [], []
    for votes in three:
        for a, b, c in _triples(votes):
            asked.append(2.0 if a == b else 3.0)
            same.append((a if a == b else majority((a, b, c))) == majority((a, b, c)))
    several = [item for item in items if len(item.people) > 1]
    return People(
        sum(bool(item.people) for item in items),
        len(crowd),
        len(raters),
        agreement.alpha(crowd),
        [(raters[pair.first], raters[pair.second], pair.kappa, pair.shared)
         for pair in agreement.pairs(crowd, least_shared=LEAST_ITEMS)],
        float(np.mean(asked)) if asked else None,
        float(np.mean(same)) if same else None,
        float(np.mean([len(set(item.people.values())) == 1 for item in several])) if several else 1.0,
    )  # fmt: skip


def crowd_of(items: Sequence[Item]) -> tuple[Crowd, list[str]]:
    """The people's votes as codes, and the raters' names by their code."""
    rows = [(n, rater, value) for n, item in enumerate(items) for rater, value in item.people.items()]
    if not rows:
        raise invalid("no-person", "No person said anything.", remedy="Give rows with a rater and a value.")
    raters = sorted({rater for _, rater, _ in rows})
    values = sorted({value for _, _, value in rows})
    who, what = {name: n for n, name in enumerate(raters)}, {name: n for n, name in enumerate(values)}
    table = np.array([(n, who[rater], what[value]) for n, rater, value in rows], np.int64)
    crowd = Crowd.from_codes(table[:, 0], table[:, 1], table[:, 2], n_tasks=len(items), n_workers=len(raters),
                             n_classes=max(len(values), 2))  # fmt: skip
    return crowd, raters


def judged(
    items: Sequence[Item],
    judge: str,
    *,
    slice_: str = "",
    target: float = 0.98,
    confidence: float = 0.95,
    seed: int = 0,
) -> Judged:
    """How one judge fares against people, and whether "judge + one person" may be used on such items.

    target: the least share of items on which the rule must say what the majority of people says. The certificate is
    about items like these, under this reference procedure, and about nothing else.
    """
    mine = [item for item in items if item.verdicts.get(judge) and (not slice_ or item.slice == slice_)]
    both = [item for item in mine if len({verdict.turned for verdict in item.verdicts[judge]}) == 2]
    flipped = [item for item in both if len({verdict.value for verdict in item.verdicts[judge]}) > 1]
    shared = [item for item in mine if item.people]
    several = [item for item in shared if len(item.people) > 1]
    own = [np.mean([item.said_by(judge) == value for value in item.people.values()]) for item in shared]
    against = [item.said_by(judge) == item.majority for item in shared]
    among = [_among(list(item.people.values())) for item in several]
    return Judged(
        judge,
        slice_,
        len(mine),
        len(both),
        _counted(len(flipped), len(both), confidence),
        _counted(sum(_first_taken(item.verdicts[judge]) for item in flipped), len(flipped), confidence),
        _averaged(own, confidence, seed),
        _counted(sum(against), len(against), confidence),
        _averaged(among, confidence, seed),
        _rule([item for item in shared if len(item.people) >= 3], judge, target, confidence, seed),
    )


def calibrate(items: Sequence[Item], *, target: float = 0.98, confidence: float = 0.95, seed: int = 0) -> list[Judged]:
    """Each judge on everything and on each slice. Bounds are one by one: with many slices some hold by luck, so the
    confidence of slices is shared out among them (Bonferroni)."""
    out: list[Judged] = []
    slices = sorted({item.slice for item in items if item.slice})
    for judge in sorted({judge for item in items for judge in item.verdicts}):
        out.append(judged(items, judge, target=target, confidence=confidence, seed=seed))
        each = 1.0 - (1.0 - confidence) / max(len(slices), 1)
        out += [judged(items, judge, slice_=name, target=target, confidence=each, seed=seed) for name in slices]
    return out


def win_rate(items: Sequence[Item], judge: str, *, confidence: float = 0.95) -> tuple[ppi.Mean, ppi.Mean] | None:
    """How often the answer "1" wins (a tie is half): by people alone, and by people and the judge together.

    None where values are not 1, 2 and ties, where people judged too few, or where the judge said no more than they.
    """
    worth = {"1": 1.0, "2": 0.0, TIE: 0.5, UNDECIDED: 0.5}
    told = [(item, item.said_by(judge)) for item in items]
    rows = [(worth.get(said), worth.get(item.majority or "-")) for item, said in told if said is not None]
    if any(said is None for said, _ in rows):
        return None
    theirs = [(truth, said) for said, truth in rows if truth is not None and said is not None]
    alone = [said for said, truth in rows if truth is None and said is not None]
    if len(theirs) < ppi.LEAST_LABELLED or not alone:
        return None
    truth, said = np.array(theirs).T
    return (
        ppi.mean(truth, said, np.zeros(0), confidence=confidence),
        ppi.mean(truth, said, np.array(alone), confidence=confidence),
    )


def _rule(items: Sequence[Item], judge: str, target: float, confidence: float, seed: int) -> Rule | None:
    if len(items) < LEAST_ITEMS:
        return None
    rng = np.random.default_rng(seed)
    asked: list[float] = []
    same: list[float] = []
    errors = 0
    for item in items:
        votes = list(item.people.values())
        truth, said = majority(votes), item.said_by(judge)
        each = [said != one or said == truth for one in votes]
        same.append(float(np.mean(each)))
        errors += not each[int(rng.integers(len(votes)))]
        # the first agrees with the judge: one; else a second, and all where the two differ
        counts = [1.0 if said == a else 2.0 if a == b else float(len(votes))
                  for i, a in enumerate(votes) for j, b in enumerate(votes) if i != j]  # fmt: skip
        asked.append(float(np.mean(counts)))
    high = clopper_pearson_upper(errors, len(items), confidence)
    return Rule(float(np.mean(asked)), float(np.mean(same)), len(items), errors, high, high <= 1.0 - target,
                confidence, target)  # fmt: skip


def _first_taken(verdicts: Sequence[Verdict]) -> bool:
    """A flip towards whatever stood first: 1 as shown, and 2 when turned."""
    return any(one.value == "1" and not one.turned for one in verdicts) and any(
        one.value == "2" and one.turned for one in verdicts
    )


def _triples(votes: list[str]) -> list[tuple[str, str, str]]:
    n = range(len(votes))
    return [(votes[i], votes[j], votes[k]) for i in n for j in n for k in n if len({i, j, k}) == 3]


def _among(votes: list[str]) -> float:
    n = len(votes)
    return (sum(times * times for times in Counter(votes).values()) - n) / (n * (n - 1))


def _counted(times: int, n: int, confidence: float) -> Share | None:
    if n == 0:
        return None
    each = 0.5 + confidence / 2.0  # two one-sided bounds
    return Share(times / n, clopper_pearson_lower(times, n, each), clopper_pearson_upper(times, n, each), n)


def _averaged(values: Sequence[float | np.floating], confidence: float, seed: int) -> Share | None:
    """The mean over items with a bootstrap interval: people of one item are no independent items."""
    if not values:
        return None
    each = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    drawn = each[rng.integers(0, len(each), (DRAWS, len(each)))].mean(axis=1)
    low, high = np.quantile(drawn, [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0])
    return Share(float(each.mean()), float(low), float(high), len(each))
