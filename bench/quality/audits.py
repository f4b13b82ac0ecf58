"""Do the certificates of sampled audits hold? Target and confidence declared, labels settled, SEEDS samples audited.

Real sets and simulated crowds. The labels come from `aggregate` with GOLDS golds, which are no part of the release:
"crowd alone" releases them as they are, "settled" gives experts (who are right) what the crowd is less sure of than the
target allows. Then items are drawn as the product draws them, from a seed, always less than half of the release; the
truth says what auditors would find, and `evaluate_drawn` computes the bound, as it does for files and server alike. A
miss: the true accuracy is below the bound. False: the certificate says that the target is reached and it is not.

The server keeps count of audits, and its first bound is the stricter for it (96 % for 95 %): "server". With files
nobody does: "file", the harder test. Beside the misses counted stands the chance of one, exact, where all can be
decided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from claims import KINDS, LEAST_LEFT, MIX, golds_drawn
from numpy.typing import NDArray
from scipy.stats import binomtest, hypergeom
from sets import RealSet

from cupola.kernel.errors import Problem
from cupola.quality.aggregation import aggregate
from cupola.quality.certify.document import OUTCOMES, UNSIGNED, build, check
from cupola.quality.certify.draw import draw
from cupola.quality.certify.evidence import (
    AuditPlan,
    Finding,
    Outcome,
    Result,
    confidence_of_attempt,
    evaluate,
    evaluate_drawn,
)
from cupola.quality.certify.fixed import error_upper, sample_size_for_power
from cupola.quality.inference.base import Crowd
from cupola.quality.inference.codes import Codes
from cupola.quality.model import crowd_share, settle_threshold
from cupola.quality.simulate import World, simulate

DECLARED = ((0.95, 0.95), (0.90, 0.80))  # target accuracy, confidence
SEEDS = 400
SETTLED = 10  # drawings of the golds, or simulated crowds, that the seeds are spread over
GOLDS = 50
DOUBT = 0.02  # of the items that auditors cannot decide, where some are
SLICE = 0.2  # the least sure, examined one by one before the freeze
SIMULATED = ((2, "hard"), (4, "usual"), (10, "bad"), (30, "hard"), (300, "usual"))
WHOLE = (20, 66, 300)  # items of releases that are audited whole
ATTEMPTS = {"file": None, "server": 1}


@dataclass(frozen=True)
class Release:
    """Items of a frozen release: outcome each would get from auditors, and how sure the crowd was of it."""

    ids: list[str]
    wrong: NDArray[np.bool_]
    confidence: NDArray[np.float64]
    undecidable: NDArray[np.bool_]

    def settled(self, target: float, confidence: float, n: int) -> Release:
        """With the labels of experts where the crowd is less sure than a project of this target settles at."""
        threshold = settle_threshold(target, crowd_share(target, confidence, n, len(self.ids)))
        return Release(self.ids, self.wrong & (self.confidence >= threshold), self.confidence, self.undecidable)

    def with_doubt(self, seed: int) -> Release:
        """With a share of items that nobody can decide."""
        unclear = np.random.default_rng(seed).random(len(self.ids)) < DOUBT
        return Release(self.ids, self.wrong & ~unclear, self.confidence, unclear)

    def outcomes(self) -> dict[str, Outcome]:
        """What auditors find of each item."""
        words = np.where(self.undecidable, "undecidable", np.where(self.wrong, "wrong", "right"))
        return dict(zip(self.ids, words.tolist(), strict=True))

    @property
    def error(self) -> float:
        """The true error rate of what can be decided: what a certificate is about."""
        return float(self.wrong.sum() / max(int((~self.undecidable).sum()), 1))


def run(items: list[RealSet]) -> dict[str, Any]:
    """Misses, false certificates and exact chances by set and case; and what whole audits prove."""
    out: dict[str, Any] = {"rows": {}, "whole": whole()}
    print(HEADER, flush=True)
    for name, releases in _releases(items):
        for target, confidence in DECLARED:
            for case, row in _cases(name, releases, target, confidence).items():
                out["rows"][f"{name}, {target:.0%} at {confidence:.0%}, {case}"] = row
                _print(name, target, confidence, case, row)
    for target, confidence in DECLARED:
        rows = {key: row for key, row in out["rows"].items() if f", {target:.0%} at {confidence:.0%}, " in key}
        for case in dict.fromkeys(key.split(f"{confidence:.0%}, ", 1)[1] for key in rows):
            some = [row for key, row in rows.items() if key.endswith(f"{confidence:.0%}, {case}")]
            pooled = _pooled(some)
            out.setdefault("pooled", {})[f"{target:.0%} at {confidence:.0%}, {case}"] = pooled
            _print("all", target, confidence, case, pooled)
    print("\n  audited whole, one error left and one undecidable: bound, what is right, format 1's")
    for name, found in out["whole"].items():
        print(f"  {name:60} {found['bound']:.4f} {found['right']:.4f} {found['format 1']:.4f}", flush=True)
    return out


def _releases(items: list[RealSet]) -> Iterator[tuple[str, list[Release]]]:
    for item in items:
        if len(item.known) >= GOLDS + LEAST_LEFT:
            yield (
                item.name,
                [_released(item.crowd, item.codes, item.truth, item.known, seed) for seed in range(SETTLED)],
            )
    for classes, kind in SIMULATED:
        some = []
        for seed in range(SETTLED):
            drawn = simulate(World(tasks=1_000, classes=classes, mix=MIX, **KINDS[kind]), seed)
            crowd = drawn.crowd
            codes = Codes(tuple(range(crowd.n_tasks)), tuple(range(crowd.n_workers)), tuple(range(classes)))
            some.append(_released(crowd, codes, drawn.truth, np.arange(crowd.n_tasks), seed))
        yield f"K={classes} {kind}", some


def _released(crowd: Crowd, codes: Codes, truth: NDArray[np.int16], known: NDArray[np.int64], seed: int) -> Release:
    gold = golds_drawn(truth, known, GOLDS, seed)
    found = aggregate((crowd.with_gold(gold), codes))
    rest = known[gold[known] < 0]
    wrong = np.asarray(found.label[rest] != truth[rest], dtype=np.bool_)
    return Release([f"item-{t}" for t in rest.tolist()], wrong, found.confidence[rest], np.zeros(len(rest), np.bool_))


def sample_of(items: int, target: float, confidence: float) -> int:
    """How many items are drawn: what proves the target with 90 % probability at a tenth of the error, as `audit draw`
    plans it, but less than half of the release."""
    limit = 1.0 - target
    try:
        n, _ = sample_size_for_power(limit, limit / 10, 0.9, confidence_of_attempt(confidence, 1), items)
    except Problem:
        n = items
    return min(n, (items - 1) // 2)


def _cases(name: str, releases: list[Release], target: float, confidence: float) -> dict[str, dict[str, Any]]:
    n = sample_of(len(releases[0].ids), target, confidence)
    settled = [one.settled(target, confidence, n) for one in releases]
    doubted = [one.with_doubt(seed) for seed, one in enumerate(releases)]
    out: dict[str, dict[str, Any]] = {}
    for attempt in ATTEMPTS:
        out[f"crowd alone, {attempt}"] = _audited(name, releases, target, confidence, n, attempt)
        out[f"settled, {attempt}"] = _audited(name, settled, target, confidence, n, attempt)
    out["crowd alone, 2 % undecidable, file"] = _audited(name, doubted, target, confidence, n, "file")
    out["census of the doubtful, one error left, file"] = _audited(
        name, doubted, target, confidence, n, "file", slice_first=True
    )
    return out


def _audited(
    name: str,
    releases: list[Release],
    target: float,
    confidence: float,
    n: int,
    attempt: str,
    *,
    slice_first: bool = False,
) -> dict[str, Any]:
    limit = 1.0 - target
    misses, false, reached, bounds, accuracies, chances = 0, 0, 0, [], [], []
    known: dict[tuple[int, ...], Result] = {}  # the bound follows from these counts alone
    for seed in range(SEEDS):
        release = releases[seed % len(releases)]
        census: dict[str, Outcome] = {}
        if slice_first:
            release, census = _examined(release)
        outcomes = release.outcomes()
        plan = AuditPlan("fixed", n, limit, confidence, f"{name} {seed}", attempt=ATTEMPTS[attempt])
        frame = [item for item in release.ids if item not in census]
        drawn = draw(frame, min(n, len(frame)), plan.seed)
        findings = [Finding(item, outcomes[item]) for item in drawn]
        counts = tuple(
            sum(word == wanted for word in words)
            for words in ([one.outcome for one in findings], list(census.values()))
            for wanted in OUTCOMES
        )
        if counts not in known:
            known[counts] = evaluate_drawn(len(release.ids), drawn, findings, plan, census)
        result = known[counts]
        if seed == 0:
            _same_as_the_document(release, findings, plan, census, result)
        misses += release.error > result.error_upper + 1e-12
        reached += result.reached
        false += result.reached and release.error > limit + 1e-12
        bounds.append(result.accuracy_lower)
        accuracies.append(1.0 - release.error)
        if seed < len(releases) and not release.undecidable.any() and not census:
            chances.append(_chance(int(release.wrong.sum()), n, len(release.ids), plan.bound_confidence))
    interval = binomtest(misses, SEEDS).proportion_ci(0.95)
    return {
        "items": len(releases[0].ids),
        "n": n,
        "true": float(np.mean(accuracies)),
        "bound": float(np.mean(bounds)),
        "audits": SEEDS,
        "misses": misses,
        "misses, from": float(interval.low),
        "misses, to": float(interval.high),
        "exact": float(np.mean(chances)) if chances else None,
        "allowed": 1.0 - confidence,
        "reached": reached,
        "false": false,
    }


def _examined(release: Release) -> tuple[Release, dict[str, Outcome]]:
    """The release after experts have put right its doubtful slice, all but one wrong label, and one that they cannot
    decide; and what the frozen labels of the slice are worth."""
    slice_ = np.argsort(release.confidence, kind="stable")[: int(SLICE * len(release.ids))]
    wrong, unclear = release.wrong.copy(), release.undecidable.copy()
    left = slice_[wrong[slice_]][:1]
    wrong[slice_], unclear[slice_] = False, False
    wrong[left] = True
    unclear[slice_[~wrong[slice_]][:1]] = True
    after = Release(release.ids, wrong, release.confidence, unclear)
    outcomes = after.outcomes()
    return after, {release.ids[t]: outcomes[release.ids[t]] for t in slice_.tolist()}


def _chance(wrong: int, n: int, items: int, confidence: float) -> float:
    """The exact chance that a draw of n bounds the error below what it is."""
    seen = np.arange(max(0, n - (items - wrong)), min(n, wrong) + 1)
    low = np.array([error_upper(int(errors), n, items, confidence) * items < wrong - 1e-6 for errors in seen])
    return float(hypergeom.pmf(seen, items, wrong, n)[low].sum())


def _same_as_the_document(
    release: Release, findings: list[Finding], plan: AuditPlan, census: dict[str, Outcome], result: Result
) -> None:
    """Whether the certificate as it would be given away says the same, and is found to hold."""
    if plan.attempt is not None:
        return  # the server's documents carry the audits before, which a bench has not
    labels = dict.fromkeys(release.ids, "label")
    document = build(labels, findings, plan, release="bench", census=census)
    said = document["result"]["error_upper"]
    faults = [line for line in check(document, labels) if line != UNSIGNED]
    if faults or abs(said - result.error_upper) > 1e-9:
        raise RuntimeError(f"The document does not hold: {said} beside {result.error_upper}; {faults}")


def whole() -> dict[str, dict[str, float]]:
    """Everything looked at, one error not put right and one item undecidable: the bound is what was found, no more."""
    out = {}
    for items in WHOLE:
        ids = [f"item-{n:04}" for n in range(items)]
        for name, examined, words in (
            ("drawn whole", 0, {0: "wrong", 1: "undecidable"}),
            ("three quarters a census with both, the rest drawn whole", 3 * items // 4, {0: "wrong", 1: "undecidable"}),
            ("census with the error, the undecidable drawn", 3 * items // 4, {0: "wrong", items - 1: "undecidable"}),
            ("census with the undecidable, the error drawn", 3 * items // 4, {0: "undecidable", items - 1: "wrong"}),
            ("all of it a census", items, {0: "wrong", 1: "undecidable"}),
        ):
            outcomes: dict[str, Outcome] = {}
            for n, item in enumerate(ids):
                word = words.get(n, "right")
                outcomes[item] = "wrong" if word == "wrong" else "undecidable" if word == "undecidable" else "right"
            census = {item: outcomes[item] for item in ids[:examined]}
            plan = AuditPlan("fixed", max(items - examined, 1), 0.05, 0.95, "whole")
            drawn = draw(ids[examined:], items - examined, plan.seed)
            findings = [Finding(item, outcomes[item]) for item in drawn]
            found = evaluate(ids, findings, plan, census)
            before = evaluate(ids, findings, plan, census, version=1)
            out[f"{items} items, {name}"] = {
                "bound": found.error_upper,
                "right": 1 / (items - 1),
                "format 1": before.error_upper,
            }
    return out


def _pooled(rows: list[dict[str, Any]]) -> dict[str, Any]:
    audits, misses = sum(row["audits"] for row in rows), sum(row["misses"] for row in rows)
    interval = binomtest(misses, audits).proportion_ci(0.95)
    exact = [row["exact"] for row in rows if row["exact"] is not None]
    return {
        "items": sum(row["items"] for row in rows),
        "n": sum(row["n"] for row in rows),
        "true": float(np.mean([row["true"] for row in rows])),
        "bound": float(np.mean([row["bound"] for row in rows])),
        "audits": audits,
        "misses": misses,
        "misses, from": float(interval.low),
        "misses, to": float(interval.high),
        "exact": float(np.mean(exact)) if exact else None,
        "allowed": rows[0]["allowed"],
        "reached": sum(row["reached"] for row in rows),
        "false": sum(row["false"] for row in rows),
        "most misses": max(row["misses"] / row["audits"] for row in rows),
        "most, exact": max(exact) if exact else None,
        "rows beyond": sum(row["misses, from"] > row["allowed"] for row in rows),
    }


HEADER = (
    f"{'':12} {'declared':12} {'case':46} {'items':>6} {'n':>5} {'true':>6} {'bound':>6} {'misses':>6} {'of':>5} "
    f"{'95 % interval':>15} {'exact':>6} {'reached':>7} {'false':>5}"
)


def _print(name: str, target: float, confidence: float, case: str, row: dict[str, Any]) -> None:
    exact = "" if row["exact"] is None else f"{row['exact']:.2%}"
    between = f"{row['misses, from']:.2%}-{row['misses, to']:.2%}"
    print(
        f"{name:12} {f'{target:.0%} at {confidence:.0%}':12} {case:46} {row['items']:6} {row['n']:5} "
        f"{row['true']:6.2%} {row['bound']:6.2%} {row['misses']:6} {row['audits']:5} {between:>15} {exact:>6} "
        f"{row['reached']:7} {row['false']:5}",
        flush=True,
    )
