"""What an audit supports: findings of a declared plan about frozen rows, and the bound that follows from them."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cupola.kernel.errors import invalid
from cupola.quality.certify.draw import draw, label_line, rank
from cupola.quality.certify.fixed import clopper_pearson_upper, error_upper, hypergeometric_upper
from cupola.quality.certify.sequential import Sequential
from cupola.quality.certify.strata import Stratum, stratified_upper

Outcome = Literal["right", "wrong", "undecidable"]
PlanKind = Literal["fixed", "sequential"]
DEFINITION = "the label differs from the one the auditors settle on"
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999

# Of the doubt that a claim allows itself, the first audit of some rows may spend four fifths, each later audit of the
# same rows a fifth of what the one before it had: all of them together never more than the whole.
FIRST_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Finding:
    """What the auditors made of one drawn item; `second`: what the second auditor said before adjudication."""

    item: str
    outcome: Outcome
    first: Outcome | None = None
    second: Outcome | None = None


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """Declared before the draw. limit: the error rate to prove (1 - target accuracy). confidence: of the claim.

    attempt: the number of this audit among those of the same rows, from 1; None where nobody keeps count, as with
    files: then the whole doubt goes into this one.
    """

    kind: PlanKind
    n: int
    limit: float
    confidence: float
    seed: str
    definition: str = DEFINITION
    attempt: int | None = None

    @property
    def bound_confidence(self) -> float:
        """The confidence that the bound of this audit is computed with."""
        return self.confidence if self.attempt is None else confidence_of_attempt(self.confidence, self.attempt)


@dataclass(frozen=True, slots=True)
class Result:
    """What the audit proves. All shares are of the decidable items; `worst_case_upper` counts undecidables as wrong."""

    audited: int
    errors: int
    undecidable: int
    error_upper: float
    accuracy_lower: float
    worst_case_upper: float
    reached: bool
    double_judged: int
    disagreements: int


def confidence_of_attempt(confidence: float, attempt: int) -> float:
    """The confidence of the bound of the attempt-th audit of the same rows, so that the claim holds over all of them.

    However often the rows are audited, the chance that one of the certificates is false stays at 1 - confidence
    (Bonferroni over a geometric series). Raises Problem for an attempt below 1.
    """
    if attempt < 1:
        raise invalid("audit-attempt", f"There is no attempt {attempt}.", place="/plan/attempt")
    return float(round(1.0 - (1.0 - confidence) * FIRST_SHARE * (1.0 - FIRST_SHARE) ** (attempt - 1), 15))


def check_plan(n: int, target: float, confidence: float) -> None:
    """Refuse a plan that could not end in a certificate, before anybody works for it. Raises Problem."""
    if n < 1:
        raise invalid(
            "audit-items", f"An audit of {n} items proves nothing.", place="/n", remedy="Draw at least one item."
        )
    for name, value in (("target", target), ("confidence", confidence)):
        if not LEAST_CONFIDENCE <= value <= MOST_CONFIDENCE:
            raise invalid(
                f"audit-{name}",
                f"The {name} is {value:g}; it is a share from {LEAST_CONFIDENCE:g} to {MOST_CONFIDENCE:g}.",
                place=f"/{name}",
                remedy=f"Write {value / 100:g} for {value:g} %." if 50 <= value < 100 else "0.95 stands for 95 %.",
            )


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a certificate says and needs of the frozen rows. drawn: in the order of the draw, the census left out."""

    items: int
    ids_sha256: str
    labels_sha256: str
    drawn: list[str]


class Freezing:
    """Takes the frozen rows one by one, in the order of their ids; holds the drawn ones and two hashes, no more."""

    def __init__(self, seed: str, n: int, leave_out: Collection[str] = ()) -> None:
        if n < 0:
            raise invalid("sample-size", f"{n} items cannot be drawn.", place="/n")
        self._seed = seed
        self._n = n
        self._out = leave_out
        self._ids = hashlib.sha256()
        self._labels = hashlib.sha256()
        self._items = 0
        self._last: str | None = None
        self._least: list[tuple[int, str]] = []  # a heap whose root is the worst of those drawn so far

    def add(self, item: str, label: Any) -> None:
        """Raises Problem for a row twice, or one that comes before its predecessor."""
        if self._last is not None and item <= self._last:
            code = "item-twice" if item == self._last else "items-unsorted"
            raise invalid(code, f"The item {item!r} comes after {self._last!r}.", place="/items")
        self._last = item
        self._items += 1
        self._ids.update(item.encode() + b"\n")
        self._labels.update(label_line(item, label))
        if item in self._out or self._n == 0:
            return
        entry = (-int(rank(self._seed, item), 16), item)
        if len(self._least) < self._n:
            heapq.heappush(self._least, entry)
        elif entry > self._least[0]:
            heapq.heapreplace(self._least, entry)

    def done(self) -> Frozen:
        drawn = [item for _, item in sorted(self._least, reverse=True)]
        return Frozen(self._items, self._ids.hexdigest(), self._labels.hexdigest(), drawn)


def freeze(labels: Mapping[str, Any], plan: AuditPlan, census: Mapping[str, Outcome] | None = None) -> Frozen:
    """Labels that fit into memory, as a certificate needs them."""
    rows = Freezing(plan.seed, plan.n, census or {})
    for item in sorted(labels):
        rows.add(item, labels[item])
    return rows.done()


def evaluate(
    items: Sequence[str],
    findings: Sequence[Finding],
    plan: AuditPlan,
    census: Mapping[str, Outcome] | None = None,
    *,
    version: int = 2,
) -> Result:
    """The claim that an audit supports.

    items: every id of the release. findings: in the order of the draw. census: items that experts examined one by one
    before the freeze, with what the frozen label is worth; they are left out of the draw. version: of the
    certificate's format; the first had a wider bound where something was undecidable.
    Raises Problem when the findings are not exactly the drawn items (for a sequential plan: their beginning).
    """
    known = census or {}
    there = set(items)
    strangers = [item for item in known if item not in there]
    if strangers:
        raise invalid("audit-stranger", f"{strangers[0]!r} of the census is not in the release.", place="/census")
    frame = [item for item in items if item not in known]
    drawn = draw(frame, min(plan.n, len(frame)), plan.seed)
    return evaluate_drawn(len(items), drawn, findings, plan, known, version=version)


def evaluate_drawn(
    items: int,
    drawn: Sequence[str],
    findings: Sequence[Finding],
    plan: AuditPlan,
    census: Mapping[str, Outcome] | None = None,
    *,
    version: int = 2,
) -> Result:
    """`evaluate`, for whoever has drawn already. items: how many the release has, the census among them."""
    known = census or {}
    seen = [finding.item for finding in findings]
    expected = list(drawn) if plan.kind == "fixed" else list(drawn[: len(seen)])
    if seen != expected:
        first = next(
            (i for i, (a, b) in enumerate(zip(seen, expected, strict=False)) if a != b), min(len(seen), len(expected))
        )
        raise invalid(
            "audit-not-the-draw",
            f"Finding {first} is {seen[first]!r}, but the plan drew {expected[first]!r} there."
            if first < len(seen) and first < len(expected)
            else f"{len(seen)} findings for {len(expected)} drawn items.",
            remedy="Judge exactly the drawn items, in their order; what cannot be decided is 'undecidable'.",
            place=f"/findings/{first}",
        )
    frame = items - len(known)
    decided = [finding for finding in findings if finding.outcome != "undecidable"]
    errors = sum(finding.outcome == "wrong" for finding in decided)
    undecidable = len(findings) - len(decided)
    census_errors = sum(outcome == "wrong" for outcome in known.values())
    census_decided = sum(outcome != "undecidable" for outcome in known.values())
    confidence = plan.bound_confidence
    if plan.kind == "sequential":
        if known:
            raise invalid("plan-mixed", "A sequential plan has no census.", remedy="Use a fixed plan.", place="/plan")
        fresh = Sequential(plan.limit, confidence, population=frame)
        state = fresh.seen_all(f.outcome == "wrong" for f in decided)
        pessimist = fresh.seen_all(f.outcome != "right" for f in findings)
        upper = plan.limit if state.reached else 1.0
        worst = plan.limit if pessimist.reached else 1.0
    else:
        bound = _bound if version > 1 else _bound_of_1
        upper = bound(errors, len(decided), undecidable, frame, census_errors, census_decided, confidence)
        worst = bound(
            errors + undecidable,
            len(findings),
            0,
            frame,
            census_errors + len(known) - census_decided,
            len(known),
            confidence,
        )
    double = [finding for finding in findings if finding.first is not None and finding.second is not None]
    return Result(
        audited=len(findings),
        errors=errors,
        undecidable=undecidable,
        error_upper=upper,
        accuracy_lower=1.0 - upper,
        worst_case_upper=worst,
        reached=upper <= plan.limit,
        double_judged=len(double),
        disagreements=sum(finding.first != finding.second for finding in double),
    )


def _bound(
    errors: int,
    n: int,
    undecidable: int,
    population: int,
    census_errors: int,
    census_decided: int,
    confidence: float,
) -> float:
    """The most errors a decidable item of the release may have; n of `population` were drawn and decided.

    How many of the population are decidable is known only within bounds once an undecidable one was drawn: at least n,
    at most all but those. For each number the decided ones are a plain sample of the decidable, so the largest of the
    bounds holds. Where everything was drawn there is one number only, and the bound is what was found.
    """
    if population == 0:
        return census_errors / census_decided if census_decided else 1.0
    if n == 0:
        return 1.0
    most = population - undecidable
    worst = 0.0
    for low, high in _blocks(n if undecidable else population, most):
        # the bound on the number of errors grows with the number of decidable items
        found = hypergeometric_upper(errors, n, high, confidence) + census_errors
        worst = max(worst, found / (low + census_decided))
    if undecidable == 0:
        return worst
    rate = clopper_pearson_upper(errors, n, confidence)
    own = census_errors / census_decided if census_decided else 0.0
    share = most if rate >= own else n  # the census has the less weight the more the rest is of, and the reverse
    return min(worst, (rate * share + census_errors) / (share + census_decided), 1.0)


def _blocks(least: int, most: int) -> Iterator[tuple[int, int]]:
    """Spans that cover least..most: single numbers while they are few, then spans of less than one per cent."""
    low = least
    while low <= most:
        high = low if most - least <= 256 else min(most, max(low, low + low // 128))
        yield low, high
        low = high + 1


def _bound_of_1(
    errors: int,
    n: int,
    undecidable: int,
    population: int,
    census_errors: int,
    census_decided: int,
    confidence: float,
) -> float:
    """The bound of certificates in the first format: as if the rest were endless once something was undecidable."""
    if population == 0:
        return census_errors / census_decided if census_decided else 1.0
    if n == 0:
        return 1.0
    if undecidable == 0 and census_decided == 0:
        return error_upper(errors, n, population, confidence)
    if undecidable == 0:
        strata = [Stratum("census", census_decided, census_decided, census_errors)]
        return stratified_upper([*strata, Stratum("rest", population, n, errors)], confidence)
    rate = clopper_pearson_upper(errors, n, confidence)
    own = census_errors / census_decided if census_decided else 0.0
    if rate >= own:
        return (rate * population + census_errors) / (population + census_decided)
    return max(rate, own)


def read_json(text: str | bytes) -> Any:
    """JSON in which no member stands twice: of two, a reader and a program might each believe another one.

    Raises ValueError.
    """

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"the member {twice!r} stands twice")
        return found

    return json.loads(text, object_pairs_hook=members)
