from __future__ import annotations

import asyncio
import hashlib
import io
import json
import math
import shutil
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cupola.kernel import ids
from cupola.kernel.errors import Kind, Problem
from cupola.labels import Box, ChoiceLabel, Label, Object, ObjectsLabel, Ontology, decode_ontology, encode
from cupola.labels.ontology import ClassSpec
from cupola.platform import hooks
from cupola.releases.croissant import FileEntry, croissant
from cupola.releases.exporters import archive as archive_module
from cupola.releases.exporters.archive import ZipStream
from cupola.releases.exporters.base import About

CHOICE = decode_ontology({"kind": "choice", "classes": [{"name": n} for n in ("cat", "dog", "a/b", "A/B")]})
SEVERAL = decode_ontology({"kind": "choice", "multiple": True, "classes": [{"name": "wet"}, {"name": "dark"}]})
TEXT = decode_ontology({"kind": "text"})
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


def picture(position: int) -> bytes:
    return f"picture {position}".encode() * 100


def released(position: int, ref: str, label: Label, **more: Any) -> Released:
    asset = hashlib.sha256(picture(position)).digest()
    return Released(position, ref, encode(label).decode(), **{"asset": asset, **more})


def export(form: str, ontology: Ontology, rows: Sequence[Released], batch: int = 2) -> tuple[str, str, bytes]:
    """(extension, media type, bytes) of an export."""
    pictures = {row.asset: picture(row.position) for row in rows}

    async def batches() -> AsyncIterator[Sequence[Released]]:
        for at in range(0, len(rows), batch):
            yield rows[at : at + batch]

    async def opened(asset: bytes) -> AsyncIterator[bytes]:
        yield pictures[asset][:50]
        yield pictures[asset][50:]

    async def run() -> tuple[str, str, bytes]:
        about = About(ids.uuid7(), "first", "CC-BY-4.0", ontology, datetime(2026, 1, 2, tzinfo=UTC), opened)
        made = hooks.load(hooks.EXPORTERS, form)(batches(), about)
        return made.extension, made.media_type, b"".join([part async for part in made.chunks])

    return asyncio.run(run())


def unpack(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


def test_all_formats_are_registered_as_a_strangers_would_be() -> None:
    assert {"coco", "jsonl", "parquet", "yolo"} <= set(hooks.names(hooks.EXPORTERS))


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
    assert (third["image_id"], third["segmentation"]) == (3, [[0, 0, 5, 0, 5, 5, 0, 5]])
    assert found["licenses"][0]["name"] == "CC-BY-4.0"


def test_coco_gives_choices_to_whole_images() -> None:
    one = json.loads(export("coco", CHOICE, [released(0, "x", ChoiceLabel(["dog"]))])[2])
    assert [(a["image_id"], a["category_id"]) for a in one["annotations"]] == [(1, 2)]
    both = json.loads(export("coco", SEVERAL, [released(0, "x", ChoiceLabel(["wet", "dark"]))])[2])
    assert [a["category_id"] for a in both["annotations"]] == [1, 2]
    assert json.loads(export("coco", CHOICE, [])[2])["images"] == []


@pytest.mark.parametrize(("form", "ontology"), [("coco", TEXT), ("yolo", TEXT), ("yolo", SEVERAL)])
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
    assert {name.split("/")[1] for name in pictures} == {"cat", "a_b-2", "A_B-3"}
    assert all(".." not in name.split("/") and len(name.split("/")) == 3 for name in pictures)
    assert json.loads(files["classes.json"])["a/b"] == "a_b-2"


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
    async for part in hooks.load(hooks.EXPORTERS, form)(batches(n), about).chunks:
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
        FileEntry("rows.jsonl", "ab" * 32, 10, "application/jsonl"),
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
