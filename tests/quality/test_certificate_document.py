"""The document: anyone can compute it again, and nothing in it can be changed unnoticed."""

from __future__ import annotations

import copy
import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupola.kernel.errors import Problem
from cupola.quality.certify import AuditPlan, Finding, build, check, draw, evaluate, sign
from cupola.quality.certify.draw import hash_of_ids, hash_of_labels, rank
from cupola.quality.certify.fixed import hypergeometric_upper
from cupola.quality.certify.page import page

LABELS = {f"item-{number:04d}": "cat" if number % 3 else "dog" for number in range(500)}
PLAN = AuditPlan("fixed", 120, 0.05, 0.95, "2026-01-01 public")
KEY = bytes(range(32))


def findings(wrong: int = 1, undecidable: int = 0) -> list[Finding]:
    drawn = draw(sorted(LABELS), PLAN.n, PLAN.seed)
    kinds = ["wrong"] * wrong + ["undecidable"] * undecidable + ["right"] * (PLAN.n - wrong - undecidable)
    return [Finding(item, kind) for item, kind in zip(drawn, kinds, strict=True)]  # type: ignore[arg-type]


def signed() -> dict[str, Any]:
    return sign(build(LABELS, findings(), PLAN, release="digits"), KEY)


def test_a_signed_certificate_computes_again_from_its_json() -> None:
    document = json.loads(json.dumps(signed()))
    assert check(document, LABELS) == []
    assert document["result"]["error_upper"] == round(hypergeometric_upper(1, 120, 500) / 500, 12)
    assert document["result"]["reached"] is True


@pytest.mark.parametrize(
    "path",
    [
        ("release", "items"),
        ("release", "labels_sha256"),
        ("plan", "seed"),
        ("plan", "n"),
        ("plan", "limit"),
        ("result", "errors"),
        ("result", "accuracy_lower"),
        ("result", "reached"),
        ("findings", 3, "outcome"),
        ("findings", 3, "item"),
        ("statement",),
        ("made_at",),
    ],
)
def test_any_change_is_noticed(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(signed())
    place = document
    for step in path[:-1]:
        place = place[step]
    old = place[path[-1]]
    place[path[-1]] = (not old) if isinstance(old, bool) else old + 1 if isinstance(old, int | float) else "wrong!"
    assert check(document, LABELS) != []


def test_another_label_in_the_release_is_noticed_even_under_a_fresh_signature() -> None:
    document = signed()
    changed = {**LABELS, "item-0000": "cow"}
    assert any("labels_sha256" in line for line in check(document, changed))


def test_a_bettered_result_under_a_fresh_signature_is_noticed() -> None:
    document = signed()
    document["result"]["errors"] = 0
    assert any("result.errors" in line for line in check(sign(document, KEY), LABELS))


def test_leaving_out_an_unwelcome_finding_is_noticed() -> None:
    document = signed()
    del document["findings"][0]
    assert check(sign(document, KEY), LABELS) != []


def test_a_stranger_signature_and_a_missing_one_are_told_apart() -> None:
    document = signed()
    other = sign(document, bytes(32))
    assert check(other, LABELS) == []  # whole in itself
    key = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
    assert check(document, LABELS, key) == []
    assert "another key" in check(other, LABELS, key)[0]
    bare = build(LABELS, findings(), PLAN, release="digits")
    assert check(bare, LABELS) == ["The certificate is not signed."]
    assert check({}, LABELS) == ["The field 'format' is missing."]


def test_undecidable_items_are_listed_apart_and_their_worst_case_is_told() -> None:
    without = evaluate(sorted(LABELS), findings(1), PLAN)
    result = evaluate(sorted(LABELS), findings(1, 10), PLAN)
    assert (result.errors, result.undecidable, result.audited) == (1, 10, 120)
    assert result.error_upper > without.error_upper  # fewer decided items say less
    assert result.worst_case_upper > 10 / 120


def test_a_census_of_the_doubtful_slice_leaves_the_draw_and_counts_as_it_is() -> None:
    items = sorted(LABELS)
    census = dict.fromkeys(items[:100], "right")
    drawn = draw(items[100:], 120, PLAN.seed)
    result = evaluate(items, [Finding(item, "right") for item in drawn], PLAN, census)  # type: ignore[arg-type]
    assert result.error_upper == hypergeometric_upper(0, 120, 400) / 500
    with pytest.raises(Problem, match="not in the release"):
        evaluate(items, [], PLAN, {"stranger": "right"})


def test_judging_other_items_than_the_drawn_is_refused_by_place() -> None:
    wrong_order = findings()
    wrong_order[5], wrong_order[6] = wrong_order[6], wrong_order[5]
    with pytest.raises(Problem) as refusal:
        evaluate(sorted(LABELS), wrong_order, PLAN)
    assert refusal.value.place == "/findings/5"


def test_a_sequential_audit_may_stop_early_and_says_so() -> None:
    plan = AuditPlan("sequential", 500, 0.05, 0.95, "seed")
    order = draw(sorted(LABELS), 500, "seed")
    short = evaluate(sorted(LABELS), [Finding(item, "right") for item in order[:20]], plan)
    long = evaluate(sorted(LABELS), [Finding(item, "right") for item in order[:90]], plan)
    assert not short.reached
    assert long.reached
    assert long.accuracy_lower == 0.95


def test_disagreement_of_two_auditors_is_counted() -> None:
    found = findings()
    found[0] = Finding(found[0].item, "wrong", "wrong", "right")
    found[1] = Finding(found[1].item, "right", "right", "right")
    result = evaluate(sorted(LABELS), found, PLAN)
    assert (result.double_judged, result.disagreements) == (2, 1)


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=40), st.text(max_size=8))
def test_a_draw_depends_on_ids_and_seed_only_and_grows_by_appending(ids: set[str], seed: str) -> None:
    ids = {one for one in ids if one.encode("utf-8", "ignore").decode() == one}
    if not ids:
        return
    forward, backward = sorted(ids), sorted(ids, reverse=True)
    seed = seed.encode("utf-8", "ignore").decode()
    whole = draw(forward, len(ids), seed)
    assert whole == draw(backward, len(ids), seed)
    assert draw(forward, len(ids) // 2, seed) == whole[: len(ids) // 2]
    assert set(whole) == ids


def test_every_item_is_drawn_equally_often_over_seeds() -> None:
    ids = [f"i{n}" for n in range(20)]
    counts = dict.fromkeys(ids, 0)
    for seed in range(2000):
        for item in draw(ids, 5, str(seed)):
            counts[item] += 1
    # 2000 * 5 / 20 = 500 expected, standard deviation 19
    assert max(abs(count - 500) for count in counts.values()) < 80


def test_the_hashes_are_fixed_for_all_time() -> None:
    # printf 'seed\nitem' | sha256sum
    assert rank("seed", "item") == "be684b7e1733fde8f20129d79f3458f3830c0bf045ecbd5ca57821835966fb10"
    assert hash_of_labels({"a": "1", "b": "2"}) == "6a2556cdf15c3d81383cfd2bb5ec8479437a20da34713dc55ef1c5f05184a186"
    assert hash_of_ids(["b", "a"]) == hash_of_ids(["a", "b"])
    assert hash_of_labels({"a": {"y": 1, "x": 2}}) == hash_of_labels({"a": {"x": 2, "y": 1}})
    assert hash_of_labels({"a": "1"}) != hash_of_labels({"a": 1})


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_tells_the_claim_and_runs_nothing(language: Any) -> None:
    evil = "<script>alert(1)</script>\"'"
    document = build(LABELS, findings(1, 3), PLAN, release=evil)
    html = page(document, language)
    tags = Tags()
    tags.feed(html)
    assert "script" not in tags.seen
    assert not [name for name in tags.attributes if name.startswith("on") or name in ("src", "href")]
    assert f"{document['result']['accuracy_lower']:.2%}" in html
    assert PLAN.seed in html
    assert document["release"]["labels_sha256"] in html
