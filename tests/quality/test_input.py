"""What comes in: every table type alike, and a clear refusal naming rows for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cupola.kernel.errors import Problem
from cupola.quality import aggregate
from cupola.quality.inference.base import Crowd
from cupola.quality.readers import read_table, write_table

COLUMNS: dict[str, list[Any]] = {
    "task": ["b", "a", "a", "b", "c"],
    "worker": ["x", "y", "x", "y", "x"],
    "label": ["cat", "dog", "dog", "cat", "cat"],
}


def test_lists_arrow_and_other_tools_column_names_give_the_same_crowd() -> None:
    first, codes = Crowd.from_frame(COLUMNS)
    second, _ = Crowd.from_frame(pa.table(COLUMNS))
    third, _ = Crowd.from_frame(
        {"item_id": COLUMNS["task"], "performer": COLUMNS["worker"], "output": COLUMNS["label"]}
    )
    assert codes.tasks == ("a", "b", "c")
    assert codes.labels == ("cat", "dog")
    for other in (second, third):
        assert (first.task == other.task).all()
        assert (first.worker == other.worker).all()
        assert (first.label == other.label).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_give_the_same_crowd(library: str) -> None:
    frames = pytest.importorskip(library)
    first, _ = Crowd.from_frame(COLUMNS)
    other, codes = Crowd.from_frame(frames.DataFrame(COLUMNS))
    assert codes.tasks == ("a", "b", "c")
    assert (first.label == other.label).all()


def test_sorted_codes_of_the_right_type_are_taken_without_a_copy() -> None:
    task = np.array([0, 0, 1], np.int32)
    worker = np.array([0, 1, 0], np.int32)
    label = np.array([1, 0, 1], np.int16)
    crowd = Crowd.from_codes(task, worker, label)
    assert crowd.task is task
    assert crowd.label is label


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"task": ["b", None, "a", "b", "c"]}, "cell-empty", "task, row 1"),
        ({"label": ["cat", 3, "dog", "cat", "cat"]}, "column-mixed-types", "label, row 1"),
        ({"label": [0.5, float("nan"), 1.0, 1.0, 1.0]}, "cell-empty", "label, row 1"),
        ({"worker": ["x", "x", "x", "y", "x"]}, "judgement-twice", "row 2"),
    ],
)
def test_a_bad_cell_is_refused_by_its_row(change: dict[str, list[Any]], code: str, place: str) -> None:
    with pytest.raises(Problem) as refusal:
        Crowd.from_frame({**COLUMNS, **change})
    assert refusal.value.code == code
    assert refusal.value.place == place


def test_an_unknown_column_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(Problem, match="found task, who, label"):
        Crowd.from_frame({"task": [1], "who": [1], "label": [1]})


def test_a_label_outside_the_ontology_is_refused_by_its_row() -> None:
    with pytest.raises(Problem) as refusal:
        Crowd.from_frame(COLUMNS, classes=["cat", "cow"])
    assert refusal.value.code == "label-unknown"
    assert refusal.value.place == "label, row 1"


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(Problem) as refusal:
        Crowd.from_frame({"task": [], "worker": [], "label": []})
    assert refusal.value.code == "table-empty"


@pytest.mark.parametrize(("how", "rows", "kept"), [("keep", 3, None), ("first", 2, "cat"), ("last", 2, "dog")])
def test_duplicates_are_kept_or_dropped_when_asked(how: Any, rows: int, kept: str | None) -> None:
    frame = {"task": ["a", "a", "b"], "worker": ["x", "x", "x"], "label": ["cat", "dog", "dog"]}
    crowd, codes = Crowd.from_frame(frame, duplicates=how)
    assert len(crowd) == rows
    if kept:
        assert codes.labels[crowd.label[0]] == kept


def test_gold_of_unjudged_tasks_is_left_out_and_of_another_type_refused() -> None:
    crowd, codes = Crowd.from_frame(COLUMNS, gold={"a": "cow", "nobody": "cat"})
    assert codes.labels == ("cat", "cow", "dog")
    assert crowd.gold is not None
    assert crowd.gold.tolist() == [1, -1, -1]
    with pytest.raises(Problem) as refusal:
        Crowd.from_frame(COLUMNS, gold={"a": 1})
    assert refusal.value.code == "gold-type"


def test_codes_out_of_range_are_refused() -> None:
    with pytest.raises(Problem, match="Row 1: label code outside"):
        Crowd.from_codes([0, 1], [0, 0], [0, 5], n_classes=2)
    with pytest.raises(Problem, match="not whole numbers"):
        Crowd.from_codes([0, 1], [0, 0], [0.0, 1.0])


def test_files_are_read_by_suffix_and_refused_clearly(tmp_path: Path) -> None:
    for name in ("a.csv", "a.tsv", "a.parquet"):
        write_table(pa.table(COLUMNS), tmp_path / name)
        assert read_table(tmp_path / name).to_pydict() == COLUMNS
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "odd.xls").write_text("x")
    for name, code in (("none.csv", "file-absent"), ("empty.csv", "table-empty"), ("odd.xls", "file-type")):
        with pytest.raises(Problem) as refusal:
            read_table(tmp_path / name)
        assert refusal.value.code == code


def test_a_label_studio_export_becomes_rows(tmp_path: Path) -> None:
    def annotation(person: Any, *choices: str, cancelled: bool = False) -> dict[str, Any]:
        result = [{"type": "choices", "value": {"choices": list(choices)}}]
        return {"completed_by": person, "was_cancelled": cancelled, "result": result}

    export = [
        {"id": 7, "annotations": [annotation(1, "cat"), annotation({"id": 2}, "dog", "cat")]},
        {"id": 8, "annotations": [annotation(1, "dog", cancelled=True), annotation(2, "dog")]},
    ]
    (tmp_path / "export.json").write_text(json.dumps(export))
    rows = read_table(tmp_path / "export.json").to_pylist()
    assert rows == [
        {"task": "7", "worker": "1", "label": "cat"},
        {"task": "7", "worker": "2", "label": "cat|dog"},
        {"task": "8", "worker": "2", "label": "dog"},
    ]


def test_aggregate_gives_one_row_a_task_with_a_confidence_that_is_a_probability() -> None:
    table = aggregate(COLUMNS).to_arrow().to_pydict()
    assert table["task"] == ["a", "b", "c"]
    assert table["label"] == ["dog", "cat", "cat"]
    assert table["judgements"] == [2, 2, 1]
    assert all(0.5 < value < 1.0 for value in table["confidence"])


def test_what_stands_in_a_file_is_what_comes_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(
        "task,worker,label\n007,2024-05-01,true\n008,2024-05-01,1.50\n007,2024-05-02,true\n", "utf-8"
    )
    assert read_table(tmp_path / "odd.csv").to_pydict() == {
        "task": ["007", "008", "007"],
        "worker": ["2024-05-01", "2024-05-01", "2024-05-02"],
        "label": ["true", "1.50", "true"],
    }
    (tmp_path / "plain.csv").write_text("task,worker,label\n7,1,10\n8,2,9\n", "utf-8")
    assert read_table(tmp_path / "plain.csv")["label"].to_pylist() == [10, 9]


def test_bytes_that_are_no_utf8_are_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("task,worker,label\nt1,w1,caf\u00e9\n".encode("latin-1"))
    with pytest.raises(Problem, match="UTF-8"):
        read_table(tmp_path / "latin.csv")


def test_text_that_is_all_numbers_is_ordered_by_size_and_other_text_is_not() -> None:
    columns = {"task": ["a", "b", "c"], "worker": ["w"] * 3, "label": ["10.5", "2.5", "-1"]}
    assert Crowd.from_frame(columns)[1].labels == ("-1", "2.5", "10.5")
    assert Crowd.from_frame({**columns, "label": ["10", "2", "1x"]})[1].labels == ("10", "1x", "2")


def test_gold_of_tasks_that_nobody_judged_is_refused_when_it_is_all_there_is() -> None:
    columns = {"task": ["007", "008"], "worker": ["v", "w"], "label": ["a", "b"]}
    with pytest.raises(Problem, match="first task judged is '007'"):
        Crowd.from_frame(columns, gold={7: "a"})
    crowd, _ = Crowd.from_frame(columns, gold={"007": "a", "nobody": "b"})
    assert crowd.gold is not None
    assert crowd.gold.tolist() == [0, -1]


def test_one_person_alone_is_not_believed_as_if_somebody_had_agreed() -> None:
    columns = {"task": list(range(40)), "worker": ["only"] * 40, "label": ["a", "b"] * 20}
    alone = aggregate(columns)
    assert alone.confidence.max() <= 0.8
    assert "second vote" in alone.why
    two = {"task": [*range(40), *range(40)], "worker": ["v"] * 40 + ["w"] * 40, "label": ["a", "b"] * 40}
    assert aggregate(two).confidence.min() > 0.8


def test_names_that_look_alike_are_one_name_and_it_is_said() -> None:
    apart, composed = "cafe\u0301", "caf\u00e9"
    columns = {"task": ["a", "a ", "b"], "worker": ["v", "w", "v"], "label": [apart, composed, " dog"]}
    crowd, codes = Crowd.from_frame(columns)
    assert codes.tasks == ("a", "b")
    assert codes.labels == (composed, "dog")
    assert len(crowd) == 3
    assert len(codes.notes) == 2
    assert "task column" in codes.notes[0]
    assert "2 cells of the label column" in codes.notes[1]


def test_labels_that_are_hardly_labels_are_told() -> None:
    columns = {"task": ["a", "b", "c"], "worker": ["v"] * 3, "label": ["nan", "Cat", "cat"]}
    _, codes = Crowd.from_frame(columns)
    assert len(codes.labels) == 3
    assert any("'nan'" in note for note in codes.notes)
    assert any("'Cat' and 'cat'" in note for note in codes.notes)


def test_blank_gold_is_no_class_and_is_counted() -> None:
    crowd, codes = Crowd.from_frame(COLUMNS, gold={"task": ["a", "b", "c"], "label": ["dog", " ", None]})
    assert codes.labels == ("cat", "dog")
    assert crowd.gold is not None
    assert crowd.gold.tolist() == [1, -1, -1]
    assert any("2 gold rows" in note for note in codes.notes)


@pytest.mark.parametrize(
    ("gold", "code"),
    [
        ({"task": ["a", "b"], "label": ["dog", "CAT"]}, "gold-spelled"),
        ({"task": ["a", "a"], "label": ["dog", "cat"]}, "gold-twice"),
    ],
)
def test_gold_that_does_not_say_what_it_means_is_asked_about(gold: dict[str, list[str]], code: str) -> None:
    with pytest.raises(Problem) as refusal:
        Crowd.from_frame(COLUMNS, gold=gold)
    assert refusal.value.code == code
    padded, _ = Crowd.from_frame(COLUMNS, gold={"task": ["a", "a"], "label": ["dog ", "dog"]})
    assert padded.gold is not None
    assert padded.gold[0] == 1


def test_a_table_in_utf16_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    text = "task,worker,label\nt1,w1,caf\u00e9\n"
    (tmp_path / "wide.csv").write_bytes(text.encode("utf-16"))
    assert read_table(tmp_path / "wide.csv")["label"].to_pylist() == ["caf\u00e9"]
    (tmp_path / "torn.csv").write_bytes(text.encode("utf-16-le"))
    with pytest.raises(Problem, match="UTF-8"):
        read_table(tmp_path / "torn.csv")
