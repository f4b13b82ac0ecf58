"""Exports in the formats of other tools, as datumaro reads them: each object once, where it was drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.consumers import programs, releases


def names(folder: Path) -> dict[str, str]:
    """Reference -> what the picture is called there, without folders of the format and ending."""
    rows = [json.loads(line) for line in (folder / "files.jsonl").read_text().splitlines()]
    return {row["ref"]: row["file"].removeprefix("images/").rpartition(".")[0] for row in rows}


@pytest.mark.parametrize(
    ("form", "reader", "subset"),
    [("cvat", "cvat", ""), ("datumaro", "datumaro", "default/"), ("openimages", "open_images", "train/")],
)
def test_datumaro_reads_every_box_of_it_once(form: str, reader: str, subset: str, tmp_path: Path) -> None:
    folder = releases.world(releases.BOXES, releases.UPRIGHT).lay(form, tmp_path)
    said = programs.read("datumaro", reader, folder)
    assert sorted(said["classes"]) == sorted(releases.CLASSES)
    called = {ref: name.removeprefix(subset) for ref, name in names(folder).items()}
    for ref, boxes in releases.told(releases.UPRIGHT).items():
        found = sorted(map(tuple, said["boxes"].get(called[ref], [])))
        assert [cls for cls, *_ in found] == [cls for cls, *_ in sorted(boxes)], ref
        for (_, *place), (_, *there) in zip(found, sorted(boxes), strict=True):
            assert place == pytest.approx(there, abs=0.02), ref
    assert json.loads((folder / "dropped.json").read_text()) == []


def test_datumaro_reads_every_segment_of_panoptic_coco(tmp_path: Path) -> None:
    folder = releases.world(releases.BOXES, releases.UPRIGHT).lay("coco-panoptic", tmp_path)
    said = programs.read("datumaro", "coco_panoptic", folder)
    assert said["other"] == {"mask": sum(map(len, releases.told(releases.UPRIGHT).values()))}
    assert said["classes"] == releases.CLASSES
    assert {row["reason"] for row in json.loads((folder / "dropped.json").read_text())} == {
        "shape-as-mask",
        "overlap-hidden",  # one box lies within another
    }
