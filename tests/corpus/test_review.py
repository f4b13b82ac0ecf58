"""People judge without knowing what became of a document; what they say bounds what is left, and teaches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cupola.app.cli import app
from cupola.corpus import recipe, review
from cupola.corpus.engine.files import read_json
from cupola.corpus.report.gather import REVIEW, Residual
from cupola.kernel.errors import Problem
from tests.corpus.engine.helping import kept, ledger, polluted, refine, write


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("review")
    refine([write(folder / "a.jsonl", polluted(210))], folder / "run", recipe.load("web"))
    return folder / "run"


def test_what_people_are_shown_tells_nothing_and_is_what_was_kept(run: Path) -> None:
    plan = review.draw(run, kept=30, dropped=10, doubtful=8, seed=5)
    assert [sum(one.part == part for one in plan.items) for part in ("kept", "dropped", "doubtful")] == [30, 10, 8]
    path = review.write(plan, run / "shown")
    shown = [json.loads(line) for line in path.read_text().splitlines()]
    assert all(set(one) == {"ref", "text"} for one in shown)
    assert [one["ref"] for one in shown] == sorted(one["ref"] for one in shown), "the order tells nothing either"
    stays = {row["id"]: row["text"] for row in kept(run)}
    gone = {row["id"]: row["rule"] for row in ledger(run)}
    for one in plan.items:
        if one.part == "kept":
            assert one.text == stays[one.id], "masked, as training would see it"
        else:
            assert gone[one.id] == one.rule
            assert "duplicate" not in one.rule
            assert one.text
    assert review.draw(run, kept=30, dropped=10, doubtful=8, seed=5) == plan
    other = review.draw(run, kept=30, dropped=10, doubtful=8, seed=6)
    assert {one.id for one in other.items if one.part == "kept"} != {one.id for one in plan.items if one.part == "kept"}
    with pytest.raises(Problem, match="another sample"):
        review.write(other, run / "shown")


def test_labels_bound_what_is_left_and_become_what_models_learn_from(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Problem, match="Nothing was drawn"):
        app(["refine", "review", str(run), str(run.parent / "a.jsonl")], result_action="return_value")
    app(["refine", "sample", str(run), "--kept", "40", "--dropped", "10", "--doubtful", "5", "--json"],
        result_action="return_value")  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    plan = read_json(run / "review" / "plan.json", review.Plan)
    assert plan is not None
    assert told["items"] == len(plan.items)
    refs = [one.ref for one in plan.items if one.part == "kept"]
    others = [one.ref for one in plan.items if one.part != "kept"]
    labels = {ref: "good" if n % 2 else "spam" for n, ref in enumerate(others)}
    labels |= {ref: "spam" if n < 2 else "good" for n, ref in enumerate(refs[:-1])}  # the last one nobody judged
    lines = [{"ref": ref, "label": {"kind": "choice", "values": [label]}} for ref, label in labels.items()]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    app(["refine", "review", str(run), str(tmp_path), "--json"], result_action="return_value")
    found = json.loads(capsys.readouterr().out)
    assert (found["judged"], found["bad"], found["unlabelled"], found["kinds"]) == (39, 2, 1, {"spam": 2})
    assert found["low"] < 2 / 39 < found["high"]
    assert found["at_most"] == pytest.approx(review.at_most(3, 40)), "what nobody judged counts as bad"
    assert sum(one["judged"] for one in found["good_dropped"].values()) == 15
    assert sum(one["times"] for one in found["good_dropped"].values()) == 7
    rows = [json.loads(line) for line in (run / "review" / "labels.jsonl").read_text().splitlines()]
    assert {row["id"]: row["label"] for row in rows} == {one.id: labels[one.ref] for one in plan.items
                                                         if one.ref in labels}  # fmt: skip
    residual = read_json(run / REVIEW, Residual)
    assert residual is not None
    assert (residual.judged, residual.bad) == (39, 2)


def test_labels_of_nothing_and_samples_of_another_run_are_refused(run: Path, tmp_path: Path) -> None:
    plan = review.draw(run, kept=5, dropped=1, doubtful=1)
    path = run.parent / "a.jsonl"
    path.rename(run.parent / "gone.jsonl")
    with pytest.raises(Problem, match="cannot be read again from"):
        review.draw(run, kept=5, dropped=1, doubtful=1)
    (run.parent / "gone.jsonl").rename(path)
    with pytest.raises(Problem, match="None of the labels"):
        review.finish(run, plan, {"nobody": "good"}, "")
    refine([write(tmp_path / "b.jsonl", polluted(30))], tmp_path / "other", recipe.load("copies"))
    with pytest.raises(Problem, match="not drawn of"):
        review.finish(tmp_path / "other", plan, {plan.items[0].ref: "good"}, "")
    (tmp_path / "l.jsonl").write_text('{"ref": "a", "label": {"values": ["x", "y"]}}\n')
    with pytest.raises(Problem, match="one class"):
        dict(review.labels_of(tmp_path / "l.jsonl"))


def test_a_share_has_the_bounds_of_clopper_and_pearson() -> None:
    assert review.at_most(0, 149) == pytest.approx(0.0199, abs=1e-4)  # 3 / n
    assert review.at_most(5, 5) == 1.0
    found = review.share_of(10, 100)
    assert (found.low, found.high) == (pytest.approx(0.0490, abs=1e-4), pytest.approx(0.1762, abs=1e-4))
    assert (review.share_of(0, 9).low, review.share_of(9, 9).high) == (0.0, 1.0)
    assert (review.share_of(0, 0).low, review.share_of(0, 0).high) == (0.0, 1.0)
