"""Texts, boxes, masks, comparisons, sets and ratings, from a table or the command line to one answer each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cupola.kernel.errors import Problem
from cupola.labels.shapes.box import Box, BoxType
from cupola.quality import Merged, aggregate
from cupola.quality.cli import main
from cupola.quality.inference.rover import key_of, tokenise, word_errors
from cupola.quality.kinds import MERGERS, looks_like
from cupola.quality.readers import read_table, write_table

Columns = dict[str, list[Any]]


def table(rows: list[tuple[Any, Any, Any]]) -> Columns:
    task, worker, label = zip(*rows, strict=True)
    return {"task": list(task), "worker": list(worker), "label": list(label)}


TEXT = table(
    [
        ("t", "a", "the quick brown fox jumped over the dog"),
        ("t", "b", "the quick brown box jumps over the dog"),
        ("t", "c", "a quick brown fox jumps over the log"),
        ("t", "d", "the quick brown fox jumps over dog"),
        ("u", "a", "how now brown cow"),
    ]
)
BOXES = table(
    [
        ("p", "a", "10 10 50 50"),
        ("p", "b", "11 9 52 50"),
        ("p", "c", "10 10 50 51"),
        ("p", "a", "200 200 240 260"),
        ("p", "b", "201 200 240 258"),
        ("p", "c", "400 400 410 410"),
        ("q", "a", ""),
        ("q", "b", "1 1 9 9"),
        ("q", "c", "1 1 9 8"),
    ]
)
MASKS = table([("m", "a", "4x2 0+3 4+1"), ("m", "b", "4x2 0+3"), ("m", "c", "4x2 0+2 4+1"), ("n", "a", "4x2")])
PAIRS = table([(f"x|{i}|{j}", who, "a") for i in range(4) for j in range(i + 1, 4) for who in "vw"])
SETS = table([("i", "a", "cat|dog"), ("i", "b", "dog|cat"), ("i", "c", "cat"), ("j", "a", ""), ("j", "b", "")])
RATINGS = table([("i", "a", "4.5"), ("i", "b", "3.5"), ("j", "a", "2.5"), ("j", "b", "1.5")])
ALL = {"text": TEXT, "box": BOXES, "mask": MASKS, "pairs": PAIRS, "multilabel": SETS, "rating": RATINGS}


def rows_of(columns: Columns, kind: Any) -> list[dict[str, Any]]:
    found = aggregate(columns, kind=kind)
    assert isinstance(found, Merged)
    return list(found.answers.to_pylist())


def test_every_kind_is_reached_by_the_command_and_the_library_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(ALL) == set(MERGERS)
    for kind, columns in ALL.items():
        write_table(pa.table(columns), tmp_path / "in.parquet")
        capsys.readouterr()
        said = ["aggregate", str(tmp_path / "in.parquet"), "--kind", kind, "--out", str(tmp_path / "out.parquet")]
        assert main([*said, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["kind"] == kind
        assert told["judgements"] == len(columns["task"])
        assert read_table(tmp_path / "out.parquet").to_pylist() == rows_of(columns, kind)
        assert main([*said, "--method", "blend"]) == 2


def test_texts_are_merged_word_by_word() -> None:
    found = rows_of(TEXT, "text")
    assert [row["label"] for row in found] == ["the quick brown fox jumps over the dog", "how now brown cow"]
    assert found[0]["judgements"] == 4
    assert 0.5 < found[0]["confidence"] < 1.0


def test_boxes_of_several_people_meet_and_a_lonely_one_is_left_out() -> None:
    found = rows_of(BOXES, "box")
    assert [(row["task"], row["judgements"]) for row in found] == [("p", 3), ("p", 2), ("q", 2)]
    assert found[0]["label"] == "10 10 50 50"
    assert [round(row["confidence"], 2) for row in found] == [1.0, 0.67, 0.67]


def test_masks_are_merged_pixel_by_pixel() -> None:
    found = {row["task"]: row for row in rows_of(MASKS, "mask")}
    assert found["m"]["label"] == "4x2 0+3 4+1"
    assert found["n"]["label"] == "4x2"
    assert found["n"]["confidence"] == 1.0


def test_comparisons_sets_and_ratings_give_their_answers() -> None:
    assert [row["task"] for row in rows_of(PAIRS, "pairs")] == ["x|0", "x|1", "x|2", "x|3"]
    sets = {row["task"]: row["label"] for row in rows_of(SETS, "multilabel")}
    assert sets == {"i": "cat|dog", "j": ""}
    ratings = {row["task"]: row["label"] for row in rows_of(RATINGS, "rating")}
    assert ratings["i"] > 3.0 > ratings["j"]


@pytest.mark.parametrize(("kind", "label"), [("box", "1 2 3"), ("mask", "4x2 7+9"), ("pairs", "c"), ("rating", "good")])
def test_a_label_of_another_kind_is_refused_by_its_row(kind: Any, label: str) -> None:
    columns = {"task": ["x|1|2", "x|1|2"], "worker": ["a", "b"], "label": [ALL[kind]["label"][0], label]}
    with pytest.raises(Problem, match="Row 1"):
        aggregate(columns, kind=kind)


def test_other_kinds_given_as_classes_are_told_and_classes_are_not() -> None:
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in range(60)]
    texts = table([(t, w, " ".join(rng.choice(words, 6))) for t in range(30) for w in "abc"])
    result = aggregate(texts)
    assert any("transcripts" in note and "kind='text'" in note for note in result.codes.notes)
    assert looks_like([f"{v:.2f}" for v in rng.normal(size=200)], ["t"]) == "rating"
    assert looks_like(BOXES["label"][:6], ["t"]) == "box"
    assert looks_like(MASKS["label"], ["t"]) == "mask"
    assert looks_like(["a", "b", "s"], ["q|x|y"]) == "pairs"
    for classes in (
        ["cat", "dog"] * 50,
        [str(n % 10) for n in range(100)],
        ["traffic light on", "no entry sign here"] * 40,
    ):
        assert looks_like(classes, ["t"]) is None


def test_real_transcripts_boxes_and_pairs_are_known_for_what_they_are(data_dir: Path) -> None:
    for name, kind in (
        ("crowdspeech_dev_clean", "text"),
        ("crowdwsa_J1", "text"),
        ("bubil1_box", "box"),
        ("bubil6_mask", "mask"),
        ("musicsim_pairs", "pairs"),
        ("dog", None),
        ("labelme", None),
        ("adult", None),
        ("cf", None),
    ):
        read = read_table(data_dir / name / "labels.csv")
        assert looks_like(read["label"].to_pylist(), read["task"].to_pylist()) == kind, name


def test_real_boxes_and_transcripts_are_merged_better_than_single_people_do(data_dir: Path) -> None:
    def iou(one: str, other: str) -> float:
        corners = ([float(part) for part in label.split()] for label in (one, other))
        first, second = (Box(x0, y0, x1 - x0 + 1.0, y1 - y0 + 1.0) for x0, y0, x1, y1 in corners)
        return BoxType().similarity(first, second)

    folder = data_dir / "bubil6_box"
    truth = {row["task"]: row["label"] for row in read_table(folder / "truth.csv").to_pylist()}
    labels = read_table(folder / "labels.csv")
    merged = {row["task"]: row["label"] for row in aggregate(labels, kind="box").answers.to_pylist()}
    ours = np.mean([iou(merged[task], truth[task]) for task in truth if task in merged])
    single = np.mean([iou(row["label"], truth[row["task"]]) for row in labels.to_pylist()])
    assert ours > single + 0.02

    folder = data_dir / "crowdspeech_dev_clean"
    chosen = sorted(row["task"] for row in read_table(folder / "truth.csv").to_pylist())[:60]
    spoken = {row["task"]: row["label"] for row in read_table(folder / "truth.csv").to_pylist()}
    rows = [row for row in read_table(folder / "labels.csv").to_pylist() if row["task"] in set(chosen)]

    def words(text: Any) -> list[str]:
        return [key for word in tokenise(str(text or "")) if (key := key_of(word))]

    found = {
        row["task"]: row["label"] for row in aggregate(pa.Table.from_pylist(rows), kind="text").answers.to_pylist()
    }
    wrong = sum(word_errors(words(found[str(task)]), words(spoken[task])) for task in chosen)
    alone = np.mean([word_errors(words(row["label"]), words(spoken[row["task"]])) for row in rows]) * len(chosen)
    assert wrong < 0.6 * alone
