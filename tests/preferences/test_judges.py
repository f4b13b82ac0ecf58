"""Judges against people: flips, agreement, what a judge may stand in for, and means that lean on one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from cupola.kernel.errors import Problem
from cupola.preferences import cli, judges, judging_files, ppi
from cupola.preferences.judges import Item, Verdict

PANDALM = (
    Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "llm/pandalm/items.jsonl"
)


def crowd(n: int, seed: int, *, judge_right: float = 0.7, people_right: float = 0.95) -> list[Item]:
    """Items with three people and a judge that sees both orders, each right with a given chance."""
    rng = np.random.default_rng(seed)
    words = np.array(["1", "2", "tie"])
    items = []
    for number in range(n):
        truth = int(rng.integers(3))

        def says(right: float, truth: int = truth) -> str:
            return str(words[truth if rng.random() < right else (truth + int(rng.integers(1, 3))) % 3])

        verdicts = [Verdict(says(judge_right), turned) for turned in (False, True)]
        items.append(
            Item(
                str(number),
                "odd" if number % 2 else "even",
                {f"p{k}": says(people_right) for k in range(3)},
                {"bot": verdicts},
            )
        )
    return items


def test_a_verdict_that_flips_with_the_order_is_a_tie() -> None:
    flips = Item("1", verdicts={"bot": [Verdict("1", False), Verdict("2", True)]})
    stays = Item("2", verdicts={"bot": [Verdict("2", False), Verdict("2", True)]})
    assert flips.said_by("bot") == "tie"
    assert stays.said_by("bot") == "2"
    found = judges.judged([flips, stays], "bot")
    assert found.both_orders == 2
    assert found.flips is not None
    assert found.flips.value == 0.5
    assert found.first_kept is not None
    assert found.first_kept.value == 1.0


def test_a_judge_is_certified_only_where_enough_items_prove_it() -> None:
    assert judges.judged(crowd(800, 1), "bot", target=0.95).rule.certified  # type: ignore[union-attr]
    few = judges.judged(crowd(40, 1), "bot", target=0.95).rule
    assert few is not None
    assert not few.certified
    assert few.error_high > 0.05
    assert judges.judged(crowd(10, 1), "bot").rule is None


def test_the_rule_certifies_too_much_no_more_often_than_its_confidence_says() -> None:
    """Over many calibrations of a judge whose true error is known from a large one."""
    true_same = judges.judged(crowd(8_000, 99, people_right=0.85), "bot").rule
    assert true_same is not None
    just_above = true_same.same + 0.004  # a promise that is not kept
    wrong = [
        judges.judged(crowd(300, seed, people_right=0.85), "bot", target=just_above).rule.certified  # type: ignore[union-attr]
        for seed in range(60)
    ]
    assert np.mean(wrong) <= 0.1


def test_slices_share_the_confidence_among_them() -> None:
    found = judges.calibrate(crowd(200, 2))
    assert [one.slice for one in found] == ["", "even", "odd"]
    assert [one.rule.confidence for one in found if one.rule] == pytest.approx([0.95, 0.975, 0.975])


def test_people_alone_two_and_a_third_where_they_differ() -> None:
    items = [Item("1", people={"a": "1", "b": "1", "c": "1"}), Item("2", people={"a": "1", "b": "2", "c": "2"})]
    found = judges.people(items)
    assert found.asked == pytest.approx((2 + (2 + 3 + 3) / 3) / 2)
    assert found.same == 1.0
    assert found.unanimous == 0.5


def test_means_with_a_judge_cover_and_are_worth_more_people() -> None:
    rng = np.random.default_rng(4)
    hit, worth = 0, []
    for _ in range(300):
        truth = rng.random(2_000) < 0.6
        judge = np.where(rng.random(2_000) < 0.85, truth, ~truth).astype(float)
        found = ppi.mean(truth[:100].astype(float), judge[:100], judge[100:])
        hit += found.low <= 0.6 <= found.high
        worth.append(found.effective)
    assert 0.92 <= hit / 300 <= 0.98
    assert np.median(worth) > 1.4


def test_a_judge_that_knows_nothing_costs_nothing() -> None:
    rng = np.random.default_rng(5)
    people = rng.random(200)
    found = ppi.mean(people, rng.random(200), rng.random(2_000))
    plain = ppi.mean(people, people, np.zeros(0))
    assert found.high - found.low <= 1.01 * (plain.high - plain.low)
    with pytest.raises(Problem) as raised:
        ppi.mean(people[:5], people[:5], people)
    assert raised.value.code == "too-few-people"


def test_calibrating_reads_a_long_table_and_a_second_file_of_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = crowd(60, 6)
    verdicts = ["item,judge,order,winner"]
    people = []
    for item in items:
        verdicts += [f"{item.id},bot,{'21' if one.turned else '12'},{one.value}" for one in item.verdicts["bot"]]
        people.append({"id": item.id, "of": item.slice,
                       "votes": [{"rater": who, "value": value} for who, value in item.people.items()]})  # fmt: skip
    verdicts += ["1,bot,sideways,1", "1,bot,12,"]
    (tmp_path / "verdicts.csv").write_text("\n".join(verdicts))
    (tmp_path / "people.jsonl").write_text("\n".join(map(json.dumps, people)))
    files = [tmp_path / "verdicts.csv", tmp_path / "people.jsonl"]
    assert cli.calibrate_command(files, slice_by="of", json_out=True) == 1
    told = json.loads(capsys.readouterr().out)
    expected = judges.judged(items, "bot")
    assert told["judges"][0]["agreement"]["value"] == pytest.approx(expected.agreement.value)  # type: ignore[union-attr]
    assert [one["reason"] for one in told["refused"]] == [
        "has the order 'sideways'; it is 12 or 21", "leaves out a verdict"]  # fmt: skip
    assert cli.calibrate_command(files) == 1
    with pytest.raises(Problem) as raised:
        judging_files.read(files[:1])
    assert raised.value.code == "no-person"


@pytest.mark.skipif(not PANDALM.is_file(), reason="the recorded votes are not here")
def test_recorded_votes_give_the_published_agreement() -> None:
    items, refused = judging_files.read([PANDALM])
    assert len(refused) == 25  # verdicts that could not be used
    found = judges.people(items)
    assert found.alpha.value == pytest.approx(0.864, abs=0.001)
    assert sorted(round(pair[2] or 0, 3) for pair in found.kappas) == [0.852, 0.862, 0.879]
    assert found.asked is not None
    assert 2.07 <= found.asked <= 2.09
    for judge in ("gpt-3.5-turbo", "pandalm-7b"):
        rule = judges.judged(items, judge).rule
        assert rule is not None
        assert rule.judgements <= 1.65
        assert rule.same >= 0.985
