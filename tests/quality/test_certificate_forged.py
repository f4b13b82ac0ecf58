"""A certificate is computed again member by member, and its bound holds over draws, undecidables and attempts."""

from __future__ import annotations

import copy
import functools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cupola.kernel.errors import Problem
from cupola.quality.certify import (
    AuditPlan,
    Finding,
    attempt_of,
    build_frozen,
    check,
    confidence_of_attempt,
    draw,
    evaluate,
    read_json,
)
from cupola.quality.certify.evidence import _bound, _bound_of_1, freeze
from cupola.quality.cli import main

ITEMS = [f"item-{number:03d}" for number in range(200)]
LABELS = {item: "cat" if number % 3 else "dog" for number, item in enumerate(ITEMS)}
CENSUS: dict[str, Any] = {"item-000": "right", "item-001": "wrong", "item-002": "undecidable"}
EARLIER = [{"name": "v0", "shared_rows": 150, "drawn": 40, "came": "failed"}]
PLAN = AuditPlan("fixed", 60, 0.2, 0.95, "public words", attempt=2)


def unsigned() -> dict[str, Any]:
    drawn = draw([item for item in ITEMS if item not in CENSUS], PLAN.n, PLAN.seed)
    said: list[Any] = ["wrong", "undecidable", *["right"] * (PLAN.n - 2)]
    found = [Finding(item, one, one, one) for item, one in zip(drawn, said, strict=True)]
    document = build_frozen(
        freeze(LABELS, PLAN, CENSUS),
        found,
        PLAN,
        release="digits",
        census=CENSUS,
        earlier=EARLIER,
        made_at="2026-01-01T00:00:00+00:00",
    )
    return json.loads(json.dumps(document))  # type: ignore[no-any-return]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path


def otherwise(value: Any) -> list[Any]:
    """What a forger might write instead, the word for a number and 1 for true among it."""
    if isinstance(value, bool):
        return [not value, int(value), str(value)]
    if isinstance(value, int | float):
        return [value + 1, value / 2, str(value)]
    if value in ("right", "wrong", "undecidable"):
        return [word for word in ("right", "wrong", "undecidable") if word != value]
    return [f"{value}!", "", 1]


def changed(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    forged = copy.deepcopy(document)
    place = forged
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return forged


def test_of_an_unsigned_certificate_no_member_can_be_changed_unnoticed() -> None:
    document = unsigned()
    holds = ["The certificate is not signed."]
    assert check(document, LABELS) == holds
    # what the first auditor said, and what is told of another release, follow from nothing here
    free = ("first", "second", "name", "drawn", "came")
    unseen = []
    for path in leaves(document):
        if path == ("made_at",) or path[-1] in free or (path[0] == "earlier" and path[-1] != "shared_rows"):
            continue
        place: Any = functools.reduce(lambda value, step: value[step], path, document)
        for value in otherwise(place):
            if path[-1] == "shared_rows" and attempt_of(200, [{"shared_rows": value}]) == 2:
                continue  # still the same rows
            if check(changed(document, path, value), LABELS) == holds:
                unseen.append((path, value))
    assert unseen == [(("plan", "limit"), 0.1)]  # another target, met as well: the plan's hash in evidence binds it
    assert check(changed(document, ("release", "name"), "other"), LABELS) != holds  # the sentence names the release


def test_a_forged_sentence_is_noticed_and_told() -> None:
    document = unsigned()
    document["statement"] = "Release digits, 200 items: accuracy of at least 99.99 % at 95 % confidence."
    assert any(line.startswith("statement is ") for line in check(document, LABELS))


def test_an_added_member_and_one_that_stands_twice_are_noticed() -> None:
    document = unsigned()
    document["result"]["really"] = "99.99 %"
    assert "result.really is no member of a certificate." in check(document, LABELS)
    with pytest.raises(ValueError, match="'statement' stands twice"):
        read_json('{"statement": "a", "statement": "b"}')


def test_a_census_bounds_by_what_it_found_whatever_was_undecidable() -> None:
    items = ITEMS[:66]
    plan = AuditPlan("fixed", 66, 0.2, 0.95, "s")
    said: list[Any] = ["wrong", "undecidable", *["right"] * 64]
    found = [Finding(item, one) for item, one in zip(draw(items, 66, "s"), said, strict=True)]
    result = evaluate(items, found, plan)
    assert result.error_upper == 1 / 65
    assert _bound_of_1(1, 65, 1, 66, 0, 0, 0.95) > 0.07  # what it used to say


def test_the_bound_with_undecidables_never_exceeds_the_old_one() -> None:
    dice = random.Random(3)
    for _ in range(20):
        population = dice.randint(20, 20_000)
        n = dice.randint(5, min(population, 400))
        apart, errors = dice.randint(1, min(4, population - n) or 1), dice.randint(0, 5)
        if n + apart > population or errors > n:
            continue
        new, old = (
            _bound(errors, n, apart, population, 0, 0, 0.95),
            _bound_of_1(errors, n, apart, population, 0, 0, 0.95),
        )
        assert errors / n <= new <= old + 1e-12


@functools.cache
def bounded(errors: int, n: int, apart: int, population: int, confidence: float) -> float:
    return _bound(errors, n, apart, population, 0, 0, confidence)


def audited(truth: dict[str, str], n: int, seed: str, confidence: float) -> float:
    said = [truth[item] for item in draw(sorted(truth), n, seed)]
    errors, apart = said.count("wrong"), said.count("undecidable")
    return bounded(errors, n - apart, apart, len(truth), confidence)


def test_over_seeds_the_bound_covers_the_truth_as_often_as_it_says() -> None:
    truth = (
        dict.fromkeys(ITEMS[:120], "right")
        | dict.fromkeys(ITEMS[:9], "wrong")
        | dict.fromkeys(ITEMS[9:15], "undecidable")
    )
    missed = sum(audited(truth, 40, str(seed), 0.95) < 9 / 114 for seed in range(3_000))
    assert 0 < missed / 3_000 <= 0.05


def test_auditing_the_same_rows_again_and_again_earns_no_certificate() -> None:
    # nine of a hundred are wrong, one more than the limit allows; five audits each, and the last word is the best one
    truth = dict.fromkeys(ITEMS[:100], "right") | dict.fromkeys(ITEMS[:9], "wrong")
    confidences = [confidence_of_attempt(0.95, attempt) for attempt in range(1, 6)]
    runs = 2_000
    false = sum(
        any(audited(truth, 60, f"{run}/{k}", confidence) <= 0.08 for k, confidence in enumerate(confidences))
        for run in range(runs)
    )
    naive = sum(any(audited(truth, 60, f"{run}/{k}", 0.95) <= 0.08 for k in range(5)) for run in range(runs))
    assert false / runs <= 0.05 < naive / runs


def test_the_attempts_together_never_spend_more_than_the_whole_doubt() -> None:
    spent = [1 - confidence_of_attempt(0.95, attempt) for attempt in range(1, 12)]
    assert spent == sorted(spent, reverse=True)
    assert sum(spent) <= 0.05 + 1e-12
    with pytest.raises(Problem):
        confidence_of_attempt(0.95, 0)


def test_an_earlier_audit_counts_that_shares_half_of_the_rows() -> None:
    assert attempt_of(100, []) == 1
    assert attempt_of(100, [{"shared_rows": 49}]) == 1
    assert attempt_of(100, [{"shared_rows": 50}, {"shared_rows": 100}]) == 3


@pytest.mark.parametrize(
    "given",
    [
        ("--confidence", "95"),
        ("--confidence", "1"),
        ("--target", "99"),
        ("--target", "1"),
        ("--target", "nan"),
        ("--n", "0"),
        ("--n", "-3"),
        ("--seed", " "),
        ("--expected-error", "0.5"),
    ],
)
def test_a_plan_that_proves_nothing_is_refused_before_anybody_works(tmp_path: Path, given: tuple[str, str]) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("task,label\n" + "".join(f"{item},{label}\n" for item, label in LABELS.items()))
    asked = {"--seed": "s", "--out": str(tmp_path / "plan.json"), given[0]: given[1]}
    assert main(["audit", "draw", str(labels), *(word for pair in asked.items() for word in pair)]) == 2
    assert not (tmp_path / "plan.json").exists()
