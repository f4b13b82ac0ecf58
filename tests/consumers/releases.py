"""Releases as people have them, written by each exporter and laid out on disk as their programs want them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import math
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from cupola.catalog import media
from cupola.catalog.media.base import Content
from cupola.kernel import ids
from cupola.labels import Box, ChoiceLabel, Label, Object, ObjectsLabel, Ontology, encode
from cupola.labels.ontology import ClassSpec
from cupola.labels.shapes.point import Point
from cupola.platform import hooks
from cupola.releases.exporters.base import About
from tests.exporters.test_exporters import Released

CLASSES = ["car", 'tree "tall"', "人/行人", "a & b <c>", "Con", "#1: one"]
BOXES = Ontology("objects", [ClassSpec(name) for name in CLASSES])
CHOICE = Ontology("choice", [ClassSpec(name) for name in CLASSES])
PLAIN = Ontology("objects", [ClassSpec(name) for name in ("car", 'tree "tall"', "人/行人")])
TURN_SIDEWAYS = 6  # as EXIF counts

Told = dict[str, list[tuple[str, float, float, float, float]]]  # picture -> (class, x0, y0, x1, y1 in px)


def picture(kind: str, width: int, height: int, number: int, turn: int = 1) -> bytes:
    """A picture of one colour, of this size as it is shown."""
    out = io.BytesIO()
    size = (height, width) if turn >= 5 else (width, height)
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.new("RGB", size, (number, 2 * number, 3 * number)).save(out, kind, **({"exif": exif} if turn != 1 else {}))
    return out.getvalue()


@dataclass(frozen=True)
class World:
    """A release's rows and the pictures behind them."""

    ontology: Ontology
    rows: list[Released]
    pictures: dict[bytes, bytes]

    def write(self, form: str) -> tuple[str, bytes]:
        """(extension, bytes) of an export."""

        async def batches() -> AsyncIterator[Sequence[Released]]:
            for at in range(0, len(self.rows), 2):
                yield self.rows[at : at + 2]

        async def opened(asset: bytes) -> AsyncIterator[bytes]:
            yield self.pictures[asset]

        async def run() -> tuple[str, bytes]:
            made_at = datetime(2026, 1, 2, tzinfo=UTC)
            about = About(ids.uuid7(), "first, «второй»", "CC-BY-4.0", self.ontology, made_at, opened)
            made = hooks.load(hooks.EXPORTERS, form)(batches(), about)
            return made.extension, b"".join([part async for part in made.chunks])

        return asyncio.run(run())

    def lay(self, form: str, folder: Path) -> Path:
        """Write an export into a folder, unpacked where it is an archive: the file, or the folder it lies in now."""
        extension, data = self.write(form)
        if extension != "zip":
            path = folder / f"{form}.{extension}"
            path.write_bytes(data)
            return path
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(folder / form)
        return folder / form

    def lay_pictures(self, folder: Path, names: dict[str, str]) -> None:
        """The pictures as their owner has them, those behind addresses fetched. names: reference -> path in folder."""
        for row in (row for row in self.rows if row.ref in names):
            path = folder / names[row.ref]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.pictures[row.asset] if row.asset is not None else picture("JPEG", 20, 20, 9))


def world(ontology: Ontology, items: Sequence[tuple[str, str, bytes | None, Label]]) -> World:
    """Items are (reference, media type, picture or None, label); sizes are measured as an import measures them."""
    rows, pictures = [], {}
    for number, (ref, media_type, data, label) in enumerate(items):
        more: dict[str, Any] = {"width_px": None, "height_px": None}
        metadata: dict[str, Any] = {}
        if data is not None:
            known = media.probe(Content("", len(data), data), ref)
            assert known.media_type == media_type
            asset = hashlib.sha256(data).digest()
            pictures[asset] = data
            more = {"asset": asset, "width_px": known.width_px, "height_px": known.height_px}
            metadata = {"exif_orientation": known.orientation} if known.orientation != 1 else {}
        elif media_type == "text/plain":
            more["body"] = "words"
        else:
            more["url"] = f"https://example.com/{number}.jpg"
        rows.append(Released(number, ref, encode(label).decode(), media_type=media_type, metadata=metadata, **more))
    return World(ontology, rows, pictures)


def one(cls: str, x: float, y: float, w: float, h: float, turn_rad: float = 0.0, name: str = "1") -> Object:
    return Object(name, cls, Box(x, y, w, h, turn_rad))


UPRIGHT = [
    ("street/a.png", "image/png", picture("PNG", 100, 50, 1),
     ObjectsLabel([one("car", 1, 2, 30, 4), one(CLASSES[1], 50, 20, 10, 10, name="2")])),
    ("Grüße 数据.jpg", "image/jpeg", picture("JPEG", 60, 90, 2, TURN_SIDEWAYS),
     ObjectsLabel([one(CLASSES[2], 0, 0, 60, 90), one(CLASSES[3], 12, 60, 8, 20, name="2")])),
    ("none.png", "image/png", picture("PNG", 40, 40, 3), ObjectsLabel([])),
    ("street/b", "image/webp", picture("WEBP", 64, 48, 4), ObjectsLabel([one("Con", 10, 10, 20, 10)])),
    ("c.bmp", "image/bmp", picture("BMP", 33, 44, 5), ObjectsLabel([one("#1: one", 3, 4, 5, 6)])),
]  # fmt: skip
# What one format or another cannot hold whole.
POINTS = ("points.png", "image/png", picture("PNG", 100, 50, 10),
          ObjectsLabel([Object("1", "car", Point(5, 6)), Object("2", "car", Point(100, 50))]))  # fmt: skip
ODD = [
    ("turned.png", "image/png", picture("PNG", 100, 50, 6), ObjectsLabel([one("car", 30, 20, 20, 10, math.pi / 4)])),
    ("point.png", "image/png", picture("PNG", 100, 50, 7),
     ObjectsLabel([Object("1", "car", Point(5, 6)), one("car", 7, 8, 9, 10, name="2")])),
    ("moving.gif", "image/gif", picture("GIF", 30, 20, 8), ObjectsLabel([one("car", 1, 1, 2, 2)])),
    ("elsewhere", "image/jpeg", None, ObjectsLabel([one("car", 1, 1, 2, 2)])),
]  # fmt: skip


def everything() -> World:
    return world(BOXES, [*UPRIGHT, *ODD])


def choices() -> World:
    found = [(ref, kind, data, ChoiceLabel([CLASSES[n % 6]])) for n, (ref, kind, data, _) in enumerate(UPRIGHT * 2)]
    items = [(f"{n}/{ref}", kind, data, label) for n, (ref, kind, data, label) in enumerate(found)]
    return world(CHOICE, [*items, ("note", "text/plain", None, ChoiceLabel(["car"]))])


def told(rows: Sequence[tuple[str, str, bytes | None, Label]]) -> Told:
    """What a reader of boxes should say of these: each box once, upright, in px."""
    out: Told = {}
    for ref, _, _, label in rows:
        assert isinstance(label, ObjectsLabel)
        found = [(thing.cls, thing.shape) for thing in label.objects]
        out[ref] = [
            (cls, *_around(shape))
            for cls, shape in found if isinstance(shape, Box)
        ]  # fmt: skip
    return out


def _around(box: Box) -> tuple[float, float, float, float]:
    cos, sin = abs(math.cos(box.rotation_rad)), abs(math.sin(box.rotation_rad))
    half_w, half_h = (box.w * cos + box.h * sin) / 2, (box.w * sin + box.h * cos) / 2
    x, y = box.x + box.w / 2, box.y + box.h / 2
    return x - half_w, y - half_h, x + half_w, y + half_h
