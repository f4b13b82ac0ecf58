from __future__ import annotations

import asyncio
import hashlib
import io
import json
import math
import re
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem
from cupola.labels import (
    Box,
    ChoiceLabel,
    Label,
    Object,
    ObjectsLabel,
    Ontology,
    Point,
    Polygon,
    Polyline,
    Skeleton,
    decode_label,
    decode_ontology,
    encode,
    files_of,
)
from cupola.labels.ontology import ClassSpec, SkeletonPoint, SkeletonSpec
from cupola.labels.shapes.mask import mask_of
from cupola.labels.shapes.polygon import PolygonPart
from cupola.labels.shapes.skeleton import Keypoint
from cupola.releases import formats
from cupola.releases.croissant import FileEntry, croissant
from cupola.releases.exporters import archive as archive_module
from cupola.releases.exporters.archive import ZipStream
from cupola.releases.exporters.base import About
from cupola.releases.exporters.naming import folders

CHOICE = decode_ontology({"kind": "choice", "classes": [{"name": n} for n in ("cat", "dog", "a/b", "A/B")]})
SEVERAL = decode_ontology({"kind": "choice", "multiple": True, "classes": [{"name": "wet"}, {"name": "dark"}]})
TEXT = decode_ontology({"kind": "text"})
FORM = decode_ontology({"kind": "form", "attributes": [{"name": "seen", "type": "bool"}]})
BOXES = decode_ontology({"kind": "objects", "classes": [{"name": "car"}, {"name": 'tree: "tall"'}]})


@dataclass
class Released:
    position: int
    ref: str
    label: str
    asset: bytes | None = None
    url: str | None = None
    body: str | None = None
    media_type: str = "image/png"
    width_px: int | None = 100
    height_px: int | None = 50
    confidence: float = 0.987654321
    how: str = "crowd"
    task: UUID = field(default_factory=ids.uuid7)
    settlement: UUID = field(default_factory=ids.uuid7)
    judgements: list[UUID] = field(default_factory=lambda: [ids.uuid7(), ids.uuid7()])
    metadata: dict[str, Any] = field(default_factory=dict)
    parts: str | None = None
    units: dict[str, float] | None = None


def picture(position: int) -> bytes:
    return f"picture {position}".encode() * 100


def released(position: int, ref: str, label: Label, **more: Any) -> Released:
    asset = hashlib.sha256(picture(position)).digest()
    return Released(position, ref, encode(label).decode(), **{"asset": asset, **more})


def export(form: str, ontology: Ontology, rows: Sequence[Released], batch: int = 2) -> tuple[str, str, bytes]:
    """(extension, media type, bytes) of an export. A file that an answer names has its own name as its content."""
    pictures = {row.asset: picture(row.position) for row in rows}
    for row in rows:
        for _, file in files_of(decode_label(row.label)):
            pictures[bytes.fromhex(file.sha256)] = file.name.encode()

    async def batches() -> AsyncIterator[Sequence[Released]]:
        for at in range(0, len(rows), batch):
            yield rows[at : at + batch]

    async def opened(asset: bytes) -> AsyncIterator[bytes]:
        yield pictures[asset][:50]
        yield pictures[asset][50:]

    async def run() -> tuple[str, str, bytes]:
        about = About(ids.uuid7(), "first", "CC-BY-4.0", ontology, datetime(2026, 1, 2, tzinfo=UTC), opened)
        made = formats.able(form, ontology)(batches(), about)
        return made.extension, made.media_type, b"".join([part async for part in made.chunks])

    return asyncio.run(run())


def unpack(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


# ---------------------------------------------------------------- items made of parts
PARTS = [
    {"ordinal": 0, "role": "front", "sensor": "cam", "timestamp_ns": 7, "media_type": "image/png", "asset": "ab" * 32,
     "facts": {"width_px": 8, "height_px": 4}, "meta": {"pose": [1]}},
    {"ordinal": 1, "role": "note", "sensor": "", "timestamp_ns": None, "media_type": "text/plain", "body": "rain",
     "facts": {"characters": 4}, "meta": {}},
]  # fmt: skip


def scene(position: int, ref: str, label: Label) -> Released:
    return released(position, ref, label, asset=None, media_type="multipart/mixed", parts=json.dumps(PARTS))


def test_jsonl_and_parquet_hold_what_an_item_is_made_of() -> None:
    rows = [scene(0, "scene", ChoiceLabel(["cat"])), released(1, "one", ChoiceLabel(["dog"]))]
    told = [json.loads(line)["parts"] for line in export("jsonl", CHOICE, rows)[2].splitlines()]
    nothing = {"sha256": None, "url": None, "text": None, "width_px": None, "height_px": None}
    first, second = told[0]
    assert first == {**nothing, "role": "front", "sensor": "cam", "timestamp_ns": 7, "media_type": "image/png",
                     "sha256": "ab" * 32, "width_px": 8, "height_px": 4, "meta": {"pose": [1]}}  # fmt: skip
    assert second == {**nothing, "role": "note", "sensor": "", "timestamp_ns": None, "media_type": "text/plain",
                      "text": "rain", "meta": {}}  # fmt: skip
    assert told[1] == []
    column = pq.read_table(io.BytesIO(export("parquet", CHOICE, rows)[2]))["parts"].to_pylist()
    assert (json.loads(column[0]), column[1]) == ([first, second], None)


def test_formats_of_one_picture_an_item_say_that_they_leave_out_what_is_made_of_parts() -> None:
    rows = [scene(0, "scene", ObjectsLabel([])), released(1, "one.png", ObjectsLabel([]))]
    why = "it is made of 2 parts; this format has one picture for each item"
    document = json.loads(export("coco", BOXES, rows)[2])
    assert [image["ref"] for image in document["images"]] == ["one.png"]
    assert document["left_out"] == [{"ref": "scene", "why": why}]
    for form in ("yolo", "voc"):
        left_out = unpack(export(form, BOXES, rows)[2])["left_out.jsonl"]
        assert [json.loads(line) for line in left_out.splitlines()] == [{"ref": "scene", "why": why}]


# ---------------------------------------------------------------- JSONL and Parquet
def test_jsonl_holds_every_kind_down_to_the_judgements() -> None:
    rows = [
        released(0, "é/1", ChoiceLabel(["cat"]), metadata={"camera": 7}),
        released(1, "2", ChoiceLabel(["dog"]), asset=None, url="https://example.com/2.png"),
        released(2, "3", ChoiceLabel(["dog"]), asset=None, body="words\n汉字", width_px=None, height_px=None),
    ]
    extension, _, data = export("jsonl", CHOICE, rows)
    assert extension == "jsonl"
    lines = [json.loads(line) for line in data.splitlines()]
    assert [line["ref"] for line in lines] == ["é/1", "2", "3"]
    assert lines[0]["label"] == {"kind": "choice", "values": ["cat"]}
    assert lines[0]["judgements"] == [str(judgement) for judgement in rows[0].judgements]
    assert lines[0]["sha256"] == hashlib.sha256(picture(0)).hexdigest()
    assert lines[0]["metadata"] == {"camera": 7}
    assert lines[0]["confidence"] == 0.987654
    assert (lines[1]["url"], lines[2]["text"]) == ("https://example.com/2.png", "words\n汉字")


def test_parquet_reads_back_with_its_classes_and_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cupola.releases.exporters.parquet.GROUP_ROWS", 3)
    rows = [released(n, str(n), ChoiceLabel([("cat", "dog")[n % 2]]), metadata={"n": n}) for n in range(10)]
    _, _, data = export("parquet", CHOICE, rows)
    (tmp_path / "x.parquet").write_bytes(data)
    file = pq.ParquetFile(tmp_path / "x.parquet")
    assert file.num_row_groups == 4
    table = file.read()
    assert table.column("class").to_pylist() == ["cat", "dog"] * 5
    assert table.column("class_code").to_pylist() == [0, 1] * 5
    assert table.column("judgements").to_pylist()[3] == [str(judgement) for judgement in rows[3].judgements]
    assert table.schema.metadata[b"cupola.licence"] == b"CC-BY-4.0"
    assert pq.read_table(io.BytesIO(export("parquet", TEXT, [])[2])).num_rows == 0
    boxes = export("parquet", BOXES, [released(0, "a", ObjectsLabel([]))])[2]
    assert pq.read_table(io.BytesIO(boxes)).column("class").to_pylist() == [None]


# ---------------------------------------------------------------- COCO
def test_coco_numbers_its_categories_and_keeps_every_box() -> None:
    turned = Box(10, 10, 20, 10, math.pi / 2)
    rows = [
        released(0, "a.png", ObjectsLabel([Object("1", "car", Box(1, 2, 3, 4), {"parked": True}, "corrected"),
                                           Object("2", 'tree: "tall"', turned)])),
        released(1, "none.png", ObjectsLabel([])),
        released(2, "b.png", ObjectsLabel([Object("1", "car", Box(0, 0, 5, 5))])),
    ]  # fmt: skip
    extension, _, data = export("coco", BOXES, rows)
    assert extension == "json"
    found = json.loads(data)
    assert [(c["id"], c["name"]) for c in found["categories"]] == [(1, "car"), (2, 'tree: "tall"')]
    assert [(i["id"], i["file_name"], i["width"], i["height"]) for i in found["images"]] == [
        (1, "a.png", 100, 50),
        (2, "none.png", 100, 50),
        (3, "b.png", 100, 50),
    ]
    first, second, third = found["annotations"]
    assert first["bbox"] == [1, 2, 3, 4]
    assert [a["iscrowd"] for a in found["annotations"]] == [0, 0, 0]
    assert (first["area"], first["category_id"], first["image_id"], first["source"]) == (12, 1, 1, "corrected")
    assert first["attributes"] == {"parked": True}
    assert second["bbox"] == pytest.approx([15, 5, 10, 20])
    assert second["rotation_rad"] == pytest.approx(math.pi / 2)
    assert [a["id"] for a in found["annotations"]] == [1, 2, 3]
    assert third["image_id"] == 3
    assert "segmentation" not in first
    assert len(second["segmentation"][0]) == 8
    assert found["licenses"][0]["name"] == "CC-BY-4.0"


def test_coco_says_how_sure_each_object_is_where_that_is_known() -> None:
    label = ObjectsLabel([Object("1", "car", Box(1, 2, 3, 4)), Object("2", "car", Point(9, 9))])
    both = json.loads(export("coco", BOXES, [released(0, "a.png", label, units={"1": 0.5, "2": 0.25})])[2])
    assert [one["confidence"] for one in both["annotations"]] == [0.5, 0.25]
    assert not any("score" in one for one in both["annotations"])
    plain = json.loads(export("coco", BOXES, [released(0, "a.png", label)])[2])
    assert not any("confidence" in one for one in plain["annotations"])


def test_coco_gives_choices_to_whole_images() -> None:
    one = json.loads(export("coco", CHOICE, [released(0, "x", ChoiceLabel(["dog"]))])[2])
    assert [(a["image_id"], a["category_id"]) for a in one["annotations"]] == [(1, 2)]
    assert one["annotations"][0]["bbox"] == [0, 0, 100, 50]
    both = json.loads(export("coco", SEVERAL, [released(0, "x", ChoiceLabel(["wet", "dark"]))])[2])
    assert [a["category_id"] for a in both["annotations"]] == [1, 2]
    assert json.loads(export("coco", CHOICE, [])[2])["images"] == []


@pytest.mark.parametrize(
    ("form", "ontology"),
    [("coco", TEXT), ("coco", FORM), ("yolo", TEXT), ("yolo", FORM), ("yolo", SEVERAL), ("voc", FORM)],
)
def test_a_kind_that_a_format_cannot_hold_is_refused_at_once(form: str, ontology: Ontology) -> None:
    with pytest.raises(Problem) as caught:
        export(form, ontology, [])
    assert caught.value.kind is Kind.UNSUPPORTED
    assert "jsonl" in caught.value.remedy


# ---------------------------------------------------------------- YOLO
def test_yolo_boxes_are_relative_and_lie_beside_their_pictures() -> None:
    rows = [
        released(0, "deep/a.png", ObjectsLabel([Object("1", "car", Box(10, 5, 20, 10)),
                                                Object("2", 'tree: "tall"', Box(-0.4, 0, 50, 50))])),
        released(1, "none.png", ObjectsLabel([])),
        released(2, "far.png", ObjectsLabel([]), asset=None, url="https://example.com/far.png"),
    ]  # fmt: skip
    files = unpack(export("yolo", BOXES, rows)[2])
    labels = {name: data.decode() for name, data in files.items() if name.startswith("labels/")}
    [deep] = [name for name in labels if "deep_a" in name]
    assert labels[deep] == "0 0.200000 0.200000 0.200000 0.200000\n1 0.248000 0.500000 0.496000 1.000000\n"
    image = deep.replace("labels/", "images/").replace(".txt", ".png")
    assert files[image] == picture(0)
    assert [text for name, text in labels.items() if "none" in name] == [""]
    assert json.loads(files["left_out.jsonl"])["ref"] == "far.png"
    assert yaml.safe_load(files["data.yaml"]) == {
        "train": "images/train",
        "val": "images/train",
        "names": {0: "car", 1: 'tree: "tall"'},
    }
    assert files["LICENCE.txt"] == b"CC-BY-4.0"


OUTLINES = decode_ontology({"kind": "objects", "classes": [{"name": "lake", "geometry": "polygon"}, {"name": "boat"}]})
LAKE = Polygon(((10, 5), (30, 5), (30, 15), (20, 10), (10, 15)))


def outlined() -> list[Released]:
    return [
        released(0, "a.png", ObjectsLabel([Object("1", "lake", LAKE), Object("2", "boat", Box(50, 20, 10, 10)),
                                           Object("3", "boat", Point(3, 4))])),
        released(1, "b.png", ObjectsLabel([Object("1", "boat", Box(10, 10, 20, 10))])),
    ]  # fmt: skip


def test_an_outline_is_a_segmentation_in_coco() -> None:
    annotations = json.loads(export("coco", OUTLINES, outlined())[2])["annotations"]
    lake, boat, spot, _ = annotations
    assert lake["segmentation"] == [[10, 5, 30, 5, 30, 15, 20, 10, 10, 15]]
    assert (lake["bbox"], lake["area"], lake["iscrowd"]) == ([10, 5, 20, 10], 150, 0)
    assert "segmentation" not in boat
    assert spot["keypoints"] == [3, 4, 2]


def uncounted(segmentation: dict[str, Any]) -> Any:
    """The pixels (height, width) of run lengths down the columns."""
    height, width = segmentation["size"]
    runs = segmentation["counts"]
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T


def test_coco_holds_holes_and_masks_as_runs_parts_as_polygons_and_skeletons_as_keypoints() -> None:
    ring = Polygon(((10, 5), (30, 5), (30, 35), (10, 35)), (((15, 10), (20, 10), (20, 20), (15, 20)),))
    two = Polygon(((1, 1), (5, 1), (5, 5)), (), (PolygonPart(((8, 1), (9, 1), (9, 9))),))
    bits = np.zeros((40, 60), dtype=np.bool_)
    bits[0:7, 50:60] = True
    bits[39, 59] = bits[0, 0] = True
    places = (Keypoint("foot", 9, 30), Keypoint("top", 8, 3, "occluded"), Keypoint("hand", state="absent"))
    body = SkeletonSpec([SkeletonPoint(name, 0.5, 0.5) for name in ("top", "hand", "foot")], [("top", "foot")])
    ontology = Ontology("objects", [ClassSpec("thing"), ClassSpec("person", geometry="skeleton", skeleton=body)])
    mask = mask_of(bits)
    assert mask is not None
    drawn = [Object("1", "thing", ring), Object("2", "thing", two), Object("3", "thing", mask),
             Object("4", "person", Skeleton(places)), Object("5", "thing", Polyline(((1, 1), (9, 9))))]  # fmt: skip
    row = replace(released(0, "a.png", ObjectsLabel(drawn)), width_px=60, height_px=40)
    told = json.loads(export("coco", ontology, [row])[2])
    first, parts, painted, person = told["annotations"]
    there = uncounted(first["segmentation"])
    assert there.shape == (40, 60)
    assert (there.sum(), first["area"]) == (20 * 30 - 50, 20 * 30 - 50)
    assert not there[12, 17]
    assert there[6, 11]
    assert parts["segmentation"] == [[1, 1, 5, 1, 5, 5], [8, 1, 9, 1, 9, 9]]
    assert (uncounted(painted["segmentation"]) == bits).all()
    assert person["keypoints"] == [8, 3, 1, 0, 0, 0, 9, 30, 2]
    assert person["num_keypoints"] == 2
    assert told["categories"][1]["keypoints"] == ["top", "hand", "foot"]
    assert told["categories"][1]["skeleton"] == [[1, 3]]
    assert "1 of 5 objects" in told["left_out"][0]["why"]
    unsized = json.loads(export("coco", ontology, [replace(row, width_px=None, height_px=None)])[2])
    assert unsized["annotations"][0]["segmentation"] == [[10, 5, 30, 5, 30, 35, 10, 35]]
    assert "without holes" in unsized["left_out"][1]["why"]


def test_where_outlines_are_drawn_all_yolo_lines_are_outlines() -> None:
    files = unpack(export("yolo", OUTLINES, outlined())[2])
    a, b = sorted(name for name in files if name.startswith("labels/"))
    assert files[a].decode().splitlines() == [
        "0 0.100000 0.100000 0.300000 0.100000 0.300000 0.300000 0.200000 0.200000 0.100000 0.300000",
        "1 0.500000 0.400000 0.600000 0.400000 0.600000 0.600000 0.500000 0.600000",
    ]
    # the trainer goes by the whole set: a picture with boxes alone is written as the others are
    assert [float(number) for number in files[b].split()] == [1, 0.1, 0.2, 0.3, 0.2, 0.3, 0.4, 0.1, 0.4]
    assert "1 of 3 objects" in json.loads(files["left_out.jsonl"])["why"]


def test_an_outline_is_its_upright_box_in_voc() -> None:
    files = unpack(export("voc", OUTLINES, outlined())[2])
    a, _ = (files[name].decode() for name in sorted(files) if name.startswith("Annotations/"))
    assert a.count("<object>") == 2
    assert "<xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>15</ymax>" in a


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_a_class_of_any_name_survives_the_trainers_configuration(names: list[str]) -> None:
    ontology = Ontology("objects", [ClassSpec(name) for name in names])
    data = unpack(export("yolo", ontology, [])[2])["data.yaml"]
    assert yaml.safe_load(data)["names"] == dict(enumerate(names))


def test_yolo_choices_lie_in_a_folder_for_each_class() -> None:
    refs = ["x.png", "x.jpg", "../../x.png", "", "汉字.png", "a" * 300]
    rows = [released(n, ref, ChoiceLabel([("cat", "a/b", "A/B")[n % 3]])) for n, ref in enumerate(refs)]
    files = unpack(export("yolo", CHOICE, rows)[2])
    pictures = {name: data for name, data in files.items() if name.startswith("train/")}
    assert sorted(pictures.values()) == sorted(picture(n) for n in range(6))
    assert {name.split("/")[1] for name in pictures} == {"cat", "a_b", "A_B-3"}
    assert all(".." not in name.split("/") and len(name.split("/")) == 3 for name in pictures)
    assert json.loads(files["classes.json"])["a/b"] == "a_b"


# ---------------------------------------------------------------- the archive
def write_zip(entries: dict[str, bytes]) -> bytes:
    async def parts(data: bytes) -> AsyncIterator[bytes]:
        for at in range(0, len(data), 1000):
            yield data[at : at + 1000]

    async def run() -> bytes:
        stream, out = ZipStream(), io.BytesIO()
        for number, (name, data) in enumerate(entries.items()):
            if number % 2:
                out.write(stream.small(name, data))
            else:
                async for part in stream.entry(name, parts(data)):
                    out.write(part)
        for part in stream.end():
            out.write(part)
        stream.close()
        return out.getvalue()

    return asyncio.run(run())


def test_an_archive_is_read_by_other_programs(tmp_path: Path) -> None:
    entries = {"a.txt": b"hello", "ordner/é汉.bin": bytes(range(256)) * 100, "empty": b"", "b": b"x"}
    data = write_zip(entries)
    assert unpack(data) == entries
    (tmp_path / "x.zip").write_bytes(data)
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tq", str(tmp_path / "x.zip")], check=True, stdout=subprocess.DEVNULL)


def test_an_archive_of_more_than_65535_entries_is_whole() -> None:
    names = {f"{n}": b"" for n in range(65_600)}
    with zipfile.ZipFile(io.BytesIO(write_zip(names))) as found:
        assert len(found.namelist()) == 65_600


def test_zip64_fields_are_written_where_numbers_need_them(monkeypatch: pytest.MonkeyPatch) -> None:
    # The threshold is lowered, so that the wide fields are there without writing 4 GiB.
    monkeypatch.setattr(archive_module, "_MOST_32", 1_000)
    entries = {f"{n}": bytes([n]) * size for n, size in enumerate([10, 5_000, 20, 999, 1_001, 30])}
    data = write_zip(entries)
    # zipfile looks for 0xFFFFFFFF as the mark of a wide field; the lowered threshold is what was written as the mark.
    marked = data.replace((1_000).to_bytes(4, "little"), (0xFFFFFFFF).to_bytes(4, "little"))
    assert unpack(marked) == entries


# ---------------------------------------------------------------- memory, Croissant
_MEMORY = """
import asyncio, resource, sys
sys.path.insert(0, "tests/exporters")
from test_exporters import *
form, n = sys.argv[1], int(sys.argv[2])
ontology = BOXES if form in ("coco", "yolo") else CHOICE
boxes = ObjectsLabel([Object("1", "car", Box(1, 2, 3, 4))])
label = encode(boxes if ontology is BOXES else ChoiceLabel(["cat"])).decode()
one = ids.uuid7()
async def batches(n):
    for at in range(0, n, 2000):
        rows = range(at, min(n, at + 2000))
        same = {"task": one, "settlement": one, "judgements": [one]}
        yield [Released(p, f"images/{p:06}.png", label, b"x" * 32, **same) for p in rows]
async def opened(asset):
    yield b"x" * 300
async def main(n):
    about = About(ids.uuid7(), "first", "", ontology, datetime(2026, 1, 2, tzinfo=UTC), opened)
    async for part in formats.named(form)(batches(n), about).chunks:
        pass
asyncio.run(main(12_000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
asyncio.run(main(n))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("form", ["jsonl", "coco", "yolo", "parquet"])
def test_the_memory_of_an_export_does_not_grow_with_its_rows(form: str) -> None:
    # 30,000 rows more may cost 15 MB, which is 50 MB for 100,000; the first 12,000 fill the buffers.
    argv = [sys.executable, "-c", _MEMORY, form, "42000"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert int(done.stdout) < 15_000, f"{done.stdout} kB more"


def test_croissant_names_every_file_with_its_hash() -> None:
    files = [
        FileEntry("rows.jsonl", "ab" * 32, 10, "application/jsonl", formats.named("jsonl").records),
        FileEntry("x.zip", "cd" * 32, 5, "application/zip"),
    ]
    told = croissant(release=ids.uuid7(), name="digits", licence="CC0-1.0", created_at=datetime(2026, 1, 2, tzinfo=UTC),
                     items=3, files=files, url="http://localhost", statement="At least 99 % are right.")  # fmt: skip
    assert told["license"] == "CC0-1.0"
    assert [(d["name"], d["sha256"]) for d in told["distribution"]] == [("rows.jsonl", "ab" * 32), ("x.zip", "cd" * 32)]
    [records] = told["recordSet"]
    assert {field["source"]["fileObject"]["@id"] for field in records["field"]} == {"rows.jsonl"}
    assert "99 %" in told["description"]
    json.dumps(told)


# ---------------------------------------------------------------- names of files
def test_folders_of_classes_keep_letters_of_every_script_and_avoid_what_systems_refuse() -> None:
    names = ["猫", "狗", "con", "Con.x", "cat", "CAT", "a/b", "\u00e9", "e\u0301", "trailing.", "", "x" * 300]
    found = folders(names)
    assert (found["猫"], found["狗"], found["cat"]) == ("猫", "狗", "cat")
    assert found["con"] == "con-2"
    assert found["trailing."] == "trailing"
    assert len({unicodedata.normalize("NFC", folder).casefold() for folder in found.values()}) == len(names)
    assert all(len(folder.encode()) < 140 and not set(folder) & set('/\\:*?"<>|') for folder in found.values())


@pytest.mark.parametrize("media_type", ["image/gif", "image/avif"])
def test_pictures_that_trainers_pass_over_are_left_out_and_told(media_type: str) -> None:
    rows = [
        released(0, "a", ObjectsLabel([]), media_type=media_type),
        released(1, "dir/b.jpeg", ObjectsLabel([]), media_type="image/jpeg"),
    ]
    files = unpack(export("yolo", BOXES, rows)[2])
    assert json.loads(files["left_out.jsonl"])["ref"] == "a"
    told = json.loads(files["files.jsonl"])
    assert told["ref"] == "dir/b.jpeg"
    assert files[told["file"]] == picture(1)
    assert len([name for name in files if name.startswith("images/")]) == 1


def test_coco_puts_a_pixel_around_a_point_and_leaves_out_what_is_no_picture() -> None:
    """A box without area stops trainers, and no evaluator ever finds it."""
    rows = [
        released(0, "a.png", ObjectsLabel([Object("1", "car", Point(100, 50)), Object("2", "car", Box(1, 2, 3, 4))])),
        released(1, "note", ObjectsLabel([]), asset=None, body="words", media_type="text/plain"),
        released(2, "far", ObjectsLabel([]), asset=None, url="https://e.org/x", media_type="application/octet-stream"),
    ]  # fmt: skip
    found = json.loads(export("coco", BOXES, rows)[2])
    assert [image["ref"] for image in found["images"]] == ["a.png", "far"]
    assert found["left_out"] == [{"ref": "note", "why": "it is no picture (text/plain)"}]
    point, box = found["annotations"]
    assert (point["bbox"], point["area"], point["keypoints"]) == ([99, 49, 1, 1], 1, [100, 50, 2])
    assert "keypoints" not in box
    assert [category["keypoints"] for category in found["categories"]] == [["point"], []]
    whole = json.loads(export("coco", CHOICE, [released(0, "x", ChoiceLabel(["dog"]), width_px=None)])[2])
    assert whole["annotations"][0]["bbox"] == [0, 0, 0, 0]


def test_coco_names_the_file_and_keeps_the_reference() -> None:
    refs = {"dir/b.jpeg": "dir/b.jpeg", "note-1": r"note-1-\w{10}\.jpg", "../x.jpg": r"[\w.-]*x-\w{10}\.jpg",
            "a.png": r"a-\w{10}\.jpg"}  # fmt: skip
    rows = [released(n, ref, ObjectsLabel([]), media_type="image/jpeg") for n, ref in enumerate(refs)]
    found = json.loads(export("coco", BOXES, rows)[2])["images"]
    assert [image["ref"] for image in found] == list(refs)
    for image in found:
        assert re.fullmatch(refs[image["ref"]], image["file_name"]), image


def test_voc_writes_what_xml_can_hold_and_keeps_attributes() -> None:
    ontology = Ontology("objects", [ClassSpec("a\x0b<&>"), ClassSpec("猫")])
    thing = Object("1", "a\x0b<&>", Box(1, 1, 5, 5), {"parked": True, "plate": "<A&B>\x01", "seen": ["left", "top"]})
    files = unpack(export("voc", ontology, [released(0, "a.png", ObjectsLabel([thing]))])[2])
    [text] = [data for name, data in files.items() if name.startswith("Annotations/")]
    found = ElementTree.fromstring(text)
    assert found.findtext("object/name") == "a\ufffd<&>"
    told = {one.findtext("name"): one.findtext("value") for one in found.iter("attribute")}
    assert told == {"parked": "true", "plate": "<A&B>\ufffd", "seen": '["left", "top"]'}
    assert files["labelmap.txt"].decode() == "# label:color_rgb:parts:actions\na\ufffd<&>:::\n猫:::\n"


def test_voc_counts_pixels_from_one_and_lies_beside_its_pictures() -> None:
    rows = [released(0, "a.png", ObjectsLabel([Object("1", 'tree: "tall"', Box(0, 0, 10, 5)),
                                               Object("2", "car", Box(90, 40, 10, 10))]))]  # fmt: skip
    files = unpack(export("voc", BOXES, rows)[2])
    [(name, text)] = [(name, data.decode()) for name, data in files.items() if name.startswith("Annotations/")]
    boxes = re.findall(r"<xmin>(\d+)</xmin><ymin>(\d+)</ymin><xmax>(\d+)</xmax><ymax>(\d+)</ymax>", text)
    assert boxes == [("1", "1", "10", "5"), ("91", "41", "100", "50")]
    stem = name.removeprefix("Annotations/").removesuffix(".xml")
    assert files[f"JPEGImages/{stem}.png"] == picture(0)
    assert json.loads(files["dataset_meta.json"])["label_map"] == {"0": "car", "1": 'tree: "tall"'}  # a colon divides
    with pytest.raises(Problem):
        export("voc", CHOICE, [])
