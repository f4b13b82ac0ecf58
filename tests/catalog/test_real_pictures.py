"""Real photographs with real boxes: in as pre-labels and gold, out as COCO and YOLO, nothing changed on the way."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cupola.kernel import ids
from cupola.labels import ItemFacts, decode_label, decode_ontology, validate
from cupola.platform import hooks
from cupola.platform.blobs import Blobs
from cupola.releases.exporters.base import About
from tests.catalog.conftest import House

DATA = Path(os.environ.get("CUPOLA_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
COCO128 = DATA / "images" / "coco128"
pytestmark = pytest.mark.skipif(not COCO128.is_dir(), reason="the real pictures are not here")


@dataclass
class Row:
    position: int
    task: UUID
    ref: str
    label: str
    asset: bytes
    media_type: str
    width_px: int
    height_px: int
    confidence: float = 1.0
    how: str = "gold"
    settlement: UUID = field(default_factory=ids.uuid7)
    judgements: Sequence[UUID] = ()
    url: str | None = None
    body: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    parts: str | None = None
    units: dict[str, float] | None = None


def classes() -> list[str]:
    """The names that the box files number 0 to 79, as their own configuration lists them."""
    text = (COCO128 / "object_detection" / "config.yaml").read_text()
    found = dict(re.findall(r"^\s*(\d+):\s*(.+?)\s*$", text, re.MULTILINE))
    return [found[str(n)].strip("'\"") for n in range(80)]


def box_files() -> dict[str, list[list[float]]]:
    folder = COCO128 / "object_detection" / "labels"
    return {
        path.stem: [[float(part) for part in line.split()] for line in path.read_text().splitlines() if line.strip()]
        for path in sorted(folder.rglob("*.txt"))
    }


def export(form: str, rows: list[Row], ontology: Any, blobs: Blobs, tenant: UUID) -> bytes:
    async def batches() -> AsyncIterator[Sequence[Row]]:
        yield rows

    async def run() -> bytes:
        def opened(asset: bytes) -> AsyncIterator[bytes]:
            return blobs.stream(tenant, asset.hex())

        about = About(ids.uuid7(), "coco128", "CC BY 4.0", ontology, datetime(2026, 1, 1, tzinfo=UTC), opened)
        return b"".join([part async for part in hooks.load(hooks.EXPORTERS, form)(batches(), about).chunks])

    return asyncio.run(run())


def test_photographs_and_boxes_go_in_and_come_out_unchanged(house: House, tmp_path: Path) -> None:
    images = {path.stem: path for path in (COCO128 / "images").rglob("*.jpg")}
    names = classes()
    boxes = {stem: rows for stem, rows in box_files().items() if stem in images}
    assert sum(map(len, boxes.values())) == 898
    assert len(images) == 128
    # First the pictures alone, to learn their sizes; then a manifest with labels in pixels in a second dataset.
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as archive:
        for stem, path in images.items():
            archive.write(path, f"{stem}.jpg")
    assert house.load(house.put(tmp_path / "plain.zip")).accepted == 128
    sizes = {item.ref: (item.width_px or 0, item.height_px or 0) for item in house.items()}
    truth = json.loads((COCO128 / "instances_val128.json").read_text())
    assert {i["file_name"]: (i["width"], i["height"]) for i in truth["images"]}.items() <= sizes.items()

    lines = []
    for stem in images:
        width, height = sizes[f"{stem}.jpg"]
        objects = [
            {
                "id": f"o{n}",
                "cls": names[int(cls)],
                "shape": {"type": "box", "x": (cx - w / 2) * width, "y": (cy - h / 2) * height,
                          "w": w * width, "h": h * height},
                "source": "model",
            }
            for n, (cls, cx, cy, w, h) in enumerate(boxes.get(stem, []))
        ]  # fmt: skip
        label = {"kind": "objects", "objects": objects}
        lines.append({"ref": f"{stem}.jpg", "path": f"{stem}.jpg", "pre_label": label, "gold_label": label})
    with zipfile.ZipFile(tmp_path / "plain.zip", "a") as archive:
        archive.writestr("manifest.jsonl", "\n".join(map(json.dumps, lines)))
    again = house.load(house.put(tmp_path / "plain.zip"))
    assert (again.accepted, again.refused) == (0, 128)  # the same references, now with labels: other content
    house.sql("UPDATE item SET ref = 'plain/' || ref RETURNING id")
    done = house.load(house.put(tmp_path / "plain.zip"))
    assert (done.accepted, done.refused, done.error) == (128, 0, None)

    ontology = decode_ontology({"kind": "objects", "classes": [{"name": name} for name in names]})
    rows = []
    kept = house.sql(
        "SELECT ref, gold_label, asset, width_px, height_px FROM item WHERE gold_label IS NOT NULL ORDER BY ref"
    )
    for ref, label, asset, width, height in kept:
        validate(decode_label(label), ontology, ItemFacts(width_px=width, height_px=height))
        rows.append(Row(len(rows), ids.uuid7(), ref, label, asset, "image/jpeg", width, height))
    blobs = Blobs.open(house.settings.data_dir / "blobs", secret=b"x" * 32)

    coco = json.loads(export("coco", rows, ontology, blobs, house.tenant))
    assert [c["name"] for c in coco["categories"]] == names
    assert len(coco["annotations"]) == sum(map(len, boxes.values()))
    pictures = {image["id"]: image for image in coco["images"]}
    for annotation in coco["annotations"]:
        picture = pictures[annotation["image_id"]]
        x, y, w, h = annotation["bbox"]
        relative = [annotation["category_id"] - 1, (x + w / 2) / picture["width"], (y + h / 2) / picture["height"],
                    w / picture["width"], h / picture["height"]]  # fmt: skip
        assert any(relative == pytest.approx(box, abs=1e-6) for box in boxes[Path(picture["file_name"]).stem])

    with zipfile.ZipFile(io.BytesIO(export("yolo", rows, ontology, blobs, house.tenant))) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist() if name.startswith("labels/")}
        assert len([name for name in archive.namelist() if name.startswith("images/")]) == 128
    for name, text in texts.items():
        stem = name.split("/")[-1].split("-")[0]
        assert [[float(part) for part in line.split()] for line in text.splitlines()] == [
            pytest.approx(box, abs=2e-6) for box in boxes.get(stem, [])
        ]
