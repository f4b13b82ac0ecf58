"""COCO, YOLO and Pascal VOC as the programs read them that they are for: each object once, where it was drawn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cupola.labels import Box, Object, ObjectsLabel, Ontology, Polygon
from cupola.labels.ontology import ClassSpec
from cupola.labels.shapes.polygon import PolygonType
from tests.consumers import programs, releases

# The endings that trainers look for, of those that are not installed with the rest: copied from version 8.4 of the most
# used trainer of YOLO (its `IMG_FORMATS`; it is under the AGPL and large) and from torchvision's folders
# (`IMG_EXTENSIONS`). Where one is installed after all, the copy is held against its own list.
TRAINER_ENDINGS = {
    "ultralytics": {
        *("avif", "bmp", "dng", "heic", "heif", "jp2", "jpeg", "jpg", "mpo", "png", "tif", "tiff", "webp"),
    },
    "torchvision": {"bmp", "jpeg", "jpg", "pgm", "png", "ppm", "tif", "tiff", "webp"},
}


def named(path: Path) -> dict[str, str]:
    """Reference -> file name, as a COCO file says."""
    return {image["ref"]: image["file_name"] for image in json.loads(path.read_text())["images"]}


def listed(folder: Path) -> dict[str, Path]:
    """Reference -> file, as the list beside the pictures says."""
    rows = [json.loads(line) for line in (folder / "files.jsonl").read_text().splitlines()]
    return {row["ref"]: folder / row["file"] for row in rows}


def agree(said: Mapping[str, list[Any]], names: Mapping[str, str], wanted: releases.Told, within_px: float) -> None:
    """Every box of every picture, once. names: reference -> what the reader calls the picture."""
    assert set(said) == {names[ref] for ref in wanted}
    for ref, boxes in wanted.items():
        found = sorted((cls, *place) for cls, *place in said[names[ref]])
        assert [cls for cls, *_ in found] == [cls for cls, *_ in sorted(boxes)], ref
        for (_, *place), (_, *there) in zip(found, sorted(boxes), strict=True):
            assert place == pytest.approx(there, abs=within_px), ref


def stems(names: Mapping[str, str]) -> dict[str, str]:
    return {ref: name.rpartition(".")[0] for ref, name in names.items()}


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return releases.everything().lay("coco", tmp_path)


def with_points(wanted: releases.Told) -> releases.Told:
    """A point stands in COCO as the pixel around it."""
    return {**wanted, "point.png": [("car", 4.5, 5.5, 5.5, 6.5), *wanted["point.png"]]}


ALL = releases.told([*releases.UPRIGHT, *releases.ODD])
READABLE = {ref: boxes for ref, boxes in ALL.items() if ref not in ("moving.gif", "elsewhere")}


def test_pycocotools_reads_every_object_once_and_finds_each_of_them(coco: Path) -> None:
    said = programs.read("pycocotools", coco)
    agree(said["boxes"], named(coco), with_points(ALL), 1e-6)
    assert said["precision"] == pytest.approx(1.0)
    assert said["masks_px"] == [pytest.approx(200, abs=20)]  # the turned box of 20 x 10


def test_faster_coco_eval_finds_each_of_them_too(coco: Path) -> None:
    said = programs.read("faster_coco_eval", coco)
    assert said["annotations"] == sum(map(len, with_points(ALL).values()))
    assert said["precision"] == pytest.approx(1.0)


def coco_folder(world: releases.World, path: Path, folder: Path, task: str) -> Path:
    """A COCO file and its pictures, laid as datumaro looks for them."""
    (folder / "annotations").mkdir(parents=True)
    shutil.copy(path, folder / "annotations" / f"{task}_train.json")
    world.lay_pictures(folder / "images" / "train", named(path))
    return folder


def test_datumaro_reads_boxes_and_takes_no_outline_for_another_object(coco: Path, tmp_path: Path) -> None:
    folder = coco_folder(releases.everything(), coco, tmp_path / "d", "instances")
    said = programs.read("datumaro", "coco_instances", folder)
    agree(said["boxes"], stems(named(coco)), with_points(ALL), 0.02)
    assert said["classes"] == releases.CLASSES
    assert said["other"] == {"polygon": 1}  # of the one turned box, and in its group
    assert said["groups"] == sum(map(len, with_points(ALL).values()))


def test_datumaro_reads_points_as_keypoints(tmp_path: Path) -> None:
    world = releases.world(releases.BOXES, [releases.POINTS])
    path = world.lay("coco", tmp_path)
    folder = coco_folder(world, path, tmp_path / "d", "person_keypoints")
    said = programs.read("datumaro", "coco_person_keypoints", folder)
    assert said["other"] == {"points": 2}


def test_supervision_reads_coco(coco: Path, tmp_path: Path) -> None:
    releases.everything().lay_pictures(tmp_path / "pictures", named(coco))
    said = programs.read("supervision", "coco", coco, tmp_path / "pictures")
    agree(said["boxes"], named(coco), with_points(ALL), 1e-4)
    assert said["classes"] == releases.CLASSES


def test_readers_of_coco_find_choices_on_whole_pictures(tmp_path: Path) -> None:
    world = releases.choices()
    path = world.lay("coco", tmp_path)
    names = named(path)
    assert "note" not in names
    assert [one["ref"] for one in json.loads(path.read_text())["left_out"]] == ["note"]
    chosen = {ref: releases.CLASSES[n % 6] for n, ref in enumerate(names)}
    boxes = programs.read("pycocotools", path)["boxes"]
    assert {name: [one[0] for one in found] for name, found in boxes.items()} == {
        names[ref]: [cls] for ref, cls in chosen.items()
    }
    said = programs.read("datumaro", "coco_labels", coco_folder(world, path, tmp_path / "d", "labels"))
    assert said["labels"] == {stems(names)[ref]: [cls] for ref, cls in chosen.items()}
    world.lay_pictures(tmp_path / "pictures", names)
    read = programs.read("supervision", "coco", path, tmp_path / "pictures")
    assert {name: [one[0] for one in found] for name, found in read["boxes"].items()} == {
        names[ref]: [cls] for ref, cls in chosen.items()
    }


@pytest.mark.parametrize("form", ["yolo", "voc"])
def test_archives_of_boxes_are_read_alike(form: str, tmp_path: Path) -> None:
    folder = releases.everything().lay(form, tmp_path)
    names = {ref: file.name for ref, file in listed(folder).items()}
    assert set(names) == set(READABLE)
    within_px = 0.01 if form == "yolo" else 0.5  # Pascal VOC counts whole pixels
    seen = programs.read("supervision", form, folder)
    agree(seen["boxes"], names, READABLE, within_px)
    assert seen["sizes"][names["Grüße 数据.jpg"]] == [60, 90]
    said = programs.read("datumaro", {"yolo": "yolo", "voc": "voc_detection"}[form], folder)
    agree(said["boxes"], stems(names), READABLE, within_px + 0.02)
    assert [name for name in said["classes"] if name != "background"] == releases.CLASSES


LAKE = Polygon(((10, 5), (40, 5), (40, 25), (25, 12), (10, 25)))
OUTLINED = Ontology("objects", [ClassSpec("lake", geometry="polygon"), ClassSpec("boat")])


def outlines() -> releases.World:
    def item(ref: str, *drawn: Object) -> tuple[str, str, bytes, ObjectsLabel]:
        return ref, "image/png", releases.picture("PNG", 60, 40, 1), ObjectsLabel(list(drawn))

    boat = Object("2", "boat", Box(50, 30, 8, 4))
    return releases.world(OUTLINED, [item("a.png", Object("1", "lake", LAKE), boat), item("b.png", boat)])


def test_an_outline_is_filled_by_pycocotools_as_we_measure_it(tmp_path: Path) -> None:
    said = programs.read("pycocotools", outlines().lay("coco", tmp_path))
    assert said["masks_px"] == [pytest.approx(PolygonType().area(LAKE), rel=0.1)]


def test_where_a_class_is_drawn_as_an_outline_supervision_reads_every_line_as_one(tmp_path: Path) -> None:
    folder = outlines().lay("yolo", tmp_path)
    names = {ref: file.name for ref, file in listed(folder).items()}
    wanted = {"a.png": [("lake", 10.0, 5.0, 40.0, 25.0), ("boat", 50.0, 30.0, 58.0, 34.0)],
              "b.png": [("boat", 50.0, 30.0, 58.0, 34.0)]}  # fmt: skip
    agree(programs.read("supervision", "yolo", folder)["boxes"], names, wanted, 1.0)
    assert not (folder / "left_out.jsonl").exists()


def test_archives_tell_what_they_could_not_hold(tmp_path: Path) -> None:
    for form in ("yolo", "voc"):
        folder = releases.everything().lay(form, tmp_path)
        told = [json.loads(line) for line in (folder / "left_out.jsonl").read_text().splitlines()]
        assert sorted(row["ref"] for row in told) == ["elsewhere", "moving.gif", "point.png", "turned.png"], form
        turned = [json.loads(line) for line in (folder / "files.jsonl").read_text().splitlines()]
        assert [row["ref"] for row in turned if row.get("exif_orientation")] == ["Grüße 数据.jpg"], form


def test_names_that_the_list_of_classes_of_pascal_voc_takes_are_written_as_its_readers_share_them(
    tmp_path: Path,
) -> None:
    plain = releases.world(releases.PLAIN, releases.UPRIGHT[:1])
    assert (plain.lay("voc", tmp_path) / "labelmap.txt").exists()
    said = programs.read("datumaro", "voc_detection", tmp_path / "voc")
    assert [name for name in said["classes"] if name != "background"] == [spec.name for spec in releases.PLAIN.classes]


def test_folders_of_classes_are_read_as_their_classes(tmp_path: Path) -> None:
    world = releases.choices()
    folder = world.lay("yolo", tmp_path)
    classes = json.loads((folder / "classes.json").read_text())
    files = listed(folder)
    assert len(files) == 10
    wanted = {ref: classes[releases.CLASSES[n % 6]] for n, ref in enumerate(files)}
    said = programs.read("supervision", "folders", folder)
    assert {name: found[0][0] for name, found in said["boxes"].items()} == {
        str(files[ref].relative_to(folder / "train")): cls for ref, cls in wanted.items()
    }
    read = programs.read("datumaro", "imagenet", folder / "train")
    assert sorted(label for found in read["labels"].values() for label in found) == sorted(wanted.values())


@pytest.mark.parametrize("form", ["yolo", "voc"])
def test_every_picture_in_an_archive_has_an_ending_that_trainers_take(form: str, tmp_path: Path) -> None:
    kinds = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF")
    items = [
        (f"{n}", f"image/{kind.lower()}", releases.picture(kind, 20, 10, n), ObjectsLabel([]))
        for n, kind in enumerate(kinds)
    ]
    folder = releases.world(releases.BOXES, items).lay(form, tmp_path)
    files = listed(folder)
    assert set(files) == {"0", "1", "2", "4"}
    for endings in TRAINER_ENDINGS.values():
        assert {file.suffix.removeprefix(".") for file in files.values()} <= endings


def test_every_ending_in_an_archive_is_in_the_lists_of_the_programs_that_are_installed(tmp_path: Path) -> None:
    said = {name: set(endings) for name, endings in programs.read("endings").items()}
    assert {"datumaro", "supervision, yolo", "supervision, voc"} <= set(said)
    for name in set(said) & set(TRAINER_ENDINGS):
        assert TRAINER_ENDINGS[name] == said[name], f"{name} has changed its list"
    laid = releases.everything().lay("yolo", tmp_path)
    used = {file.suffix.removeprefix(".") for file in listed(laid).values()}
    assert len(used) > 1
    assert {name: used - endings for name, endings in said.items() if used - endings} == {}
