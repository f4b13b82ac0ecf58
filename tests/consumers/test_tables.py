"""JSON Lines, Parquet and Croissant as the programs read them that they are for."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cupola.kernel import ids
from cupola.labels import ChoiceLabel
from cupola.releases.croissant import FileEntry, croissant
from cupola.releases.exporters.coco import coco
from cupola.releases.exporters.jsonl import jsonl
from cupola.releases.exporters.parquet import parquet
from cupola.releases.exporters.yolo import yolo
from tests.consumers import programs, releases

WORLDS = {"choices": releases.choices, "boxes": releases.everything}


@pytest.mark.parametrize("name", WORLDS)
def test_pandas_reads_both_tables_alike(name: str, tmp_path: Path) -> None:
    world = WORLDS[name]()
    said = programs.read("pandas", world.lay("jsonl", tmp_path), world.lay("parquet", tmp_path))
    assert set(said["columns"][0]) <= set(said["columns"][1])
    lines, table = ([{k: v for k, v in row.items() if k != "confidence"} for row in rows] for rows in said["rows"])
    assert lines == table
    assert [row["ref"] for row in table] == [row.ref for row in world.rows]
    wanted = [releases.CLASSES[n % 6] for n in range(10)] + ["car"]
    assert said["classes"] == (wanted if name == "choices" else [None] * len(world.rows))


@pytest.mark.parametrize("name", WORLDS)
def test_duckdb_reads_both_tables_alike(name: str, tmp_path: Path) -> None:
    world = WORLDS[name]()
    lines, table = programs.read("duckdb", world.lay("jsonl", tmp_path), world.lay("parquet", tmp_path))
    assert [row[:4] for row in lines["rows"]] == [row[:4] for row in table["rows"]]
    assert sorted(row[0] for row in table["rows"]) == sorted(row.ref for row in world.rows)
    assert all(row[-1] == 2 for row in lines["rows"] + table["rows"])
    assert lines["types"]["label"].startswith("STRUCT")
    assert table["types"]["class_code"] == "INTEGER"


def test_references_that_look_like_numbers_and_days_stay_texts_in_parquet(tmp_path: Path) -> None:
    refs = ["007", "1.0", "2021-03-04", "true", "1e5"]
    items = [(ref, "text/plain", None, ChoiceLabel(["car"])) for ref in refs]
    world = releases.world(releases.CHOICE, items)
    lines, table = world.lay("jsonl", tmp_path), world.lay("parquet", tmp_path)
    assert [row["ref"] for row in programs.read("pandas", lines, table)["rows"][1]] == refs
    assert sorted(row[0] for row in programs.read("duckdb", lines, table)[1]["rows"]) == sorted(refs)
    told = programs.read("mlcroissant", described([table], tmp_path))
    assert [row["ref"] for row in told["records"]["items-parquet"]] == refs


@pytest.mark.parametrize("name", WORLDS)
def test_mlcroissant_gives_the_records_of_every_table_and_finds_nothing_wrong(name: str, tmp_path: Path) -> None:
    world = WORLDS[name]()
    files = [world.lay(form, tmp_path) for form in ("jsonl", "parquet", "coco")]
    extension, data = world.write("yolo")
    archive = tmp_path / f"yolo.{extension}"
    archive.write_bytes(data)
    said = programs.read("mlcroissant", described([*files, archive], tmp_path))
    assert said["issues"] == []
    assert set(said["records"]) == {"items-jsonl", "items-parquet"}
    for records, rows in said["records"].items():
        assert len(rows) == len(world.rows), records
        for row, released in zip(rows, world.rows, strict=True):
            assert row["ref"] == released.ref
            assert row["url"] == str(released.url)
            assert row["width_px"] == str(released.width_px)
            assert row["sha256"] == (released.asset.hex() if released.asset else "None")
            assert float(row["confidence"]) == pytest.approx(released.confidence, abs=1e-6)
    chosen = [row["class"] for row in said["records"]["items-parquet"]]
    assert chosen == ([*(releases.CLASSES[n % 6] for n in range(10)), "car"] if name == "choices" else ["None"] * 9)


def described(files: list[Path], folder: Path) -> Path:
    """The release's description beside its files."""
    records = {".json": coco.records, ".jsonl": jsonl.records, ".parquet": parquet.records, ".zip": yolo.records}
    entries = [
        FileEntry(
            file.name,
            hashlib.sha256(file.read_bytes()).hexdigest(),
            file.stat().st_size,
            "application/zip",
            records[file.suffix],
        )
        for file in files
    ]
    told: dict[str, Any] = croissant(
        release=ids.uuid7(), name="first «второй»", licence="CC0-1.0", created_at=datetime(2026, 1, 2, tzinfo=UTC),
        items=6, files=entries, url="https://example.org/", statement="At least 99 % are right.",
    )  # fmt: skip
    path = folder / "croissant.json"
    path.write_text(json.dumps(told))
    return path
