"""COCO's panoptic form: a PNG whose colours number the segments, and a JSON file that says what each is.

Kirillov et al. (2019). Each pixel belongs to one segment, so what is drawn later hides what is drawn before it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from cupola.formats import masks
from cupola.formats.fitting import as_mask
from cupola.formats.form import File, Form, Out, Picture, Spool, Target, dumps, in_words, picture_name
from cupola.formats.model import Class, Item, Mask, Reading, Thing
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures
from cupola.kernel.errors import invalid


def segments_of(
    one: dict[str, Any], by_number: dict[int, Class], where: tuple[Files, str, Pictures], place: str, report: Report
) -> list[Thing]:
    """The segments of one panoptic annotation as masks."""
    files, document, pictures = where
    named = str(one.get("file_name", ""))
    beside = PurePosixPath(document).with_suffix("").as_posix()
    path = pictures.find(named, f"{beside}/", f"{PurePosixPath(document).parent.as_posix()}/")
    if not path.lower().endswith(".png"):
        report.drop("picture-missing", f"{place} ({named})")
        return []
    try:
        with files.open(path) as stream, Image.open(stream) as picture:
            colours = np.asarray(picture.convert("RGB"), dtype=np.int64)
    except (OSError, ValueError, SyntaxError) as error:
        report.drop("picture-unreadable", f"{path}: {error}")
        return []
    numbers = colours[..., 0] + 256 * colours[..., 1] + 65536 * colours[..., 2]
    out = []
    for segment in one["segments_info"]:
        category = by_number.get(segment.get("category_id", -1)) if isinstance(segment, dict) else None
        if category is None:
            report.drop("class-unknown", place)
            continue
        raster = numbers == segment.get("id")
        if not raster.any():
            report.drop("shape-empty", f"{place} (segment {segment.get('id')})")
            continue
        told = {"iscrowd": True} if segment.get("iscrowd") == 1 else {}
        out.append(Thing(category.name, masks.from_raster(raster), told, str(segment["id"]), place=place))
    return out


class CocoPanoptic(Form):
    name = "coco-panoptic"
    title = "COCO panoptic"
    about = in_words(
        "Every pixel belongs to one segment: PNG files and a JSON file",
        "每个像素属于一个分段：PNG 文件与一个 JSON 文件",
    )
    holds = frozenset({"mask"})
    needs_size = True

    def sniff(self, files: Files) -> tuple[float, str] | None:
        return None  # the reader of COCO knows it by its segments

    def read(self, files: Files, report: Report) -> Reading:
        raise invalid("format-write-only", "COCO panoptic is read as COCO.", remedy="Use --from coco.")

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._splits: dict[str, tuple[Spool, Spool]] = {}
        self._images = 0
        self._numbers: dict[str, int] = {}

    def add(self, item: Item) -> Iterator[Out]:
        split = item.split or "train"
        images, annotations = self._splits.setdefault(split, (Spool(), Spool()))
        self._images += 1
        name = picture_name(item)
        png = f"{name.rsplit('.', 1)[0]}.png"
        width, height = item.width_px or 0, item.height_px or 0
        images.member({"id": self._images, "file_name": name, "width": width, "height": height})
        plane = np.zeros((height, width), dtype=np.int64)
        kept: list[tuple[int, Thing, int]] = []
        for saying in item.sayings:
            for n, thing in enumerate(saying.things, len(kept) + 1):
                shape = thing.shape if isinstance(thing.shape, Mask) else as_mask(thing.shape, height, width)
                if shape is None or (shape.height, shape.width) != (height, width):
                    self._target.report.drop("size-differs", thing.place or item.name)
                    continue
                raster = masks.to_raster(shape)
                plane[raster] = n
                kept.append((n, thing, int(raster.sum())))
        segments = []
        for n, thing, drawn in kept:
            seen = plane == n
            left = int(seen.sum())
            if left < drawn:
                self._target.report.drop("overlap-hidden", thing.place or item.name, drawn - left)
            if not left:
                continue
            rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
            segments.append({
                "id": n, "category_id": self._number(thing.cls), "area": left,
                "iscrowd": 1 if thing.attributes.get("iscrowd") is True else 0,
                "bbox": [
                    int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1),
                ],
            })  # fmt: skip
        annotations.member({"image_id": self._images, "file_name": png, "segments_info": segments})
        colours = np.stack([plane % 256, plane // 256 % 256, plane // 65536], axis=-1).astype(np.uint8)
        out = io.BytesIO()
        Image.fromarray(colours).save(out, "PNG")
        yield File(f"annotations/panoptic_{split}/{png}", [out.getvalue()])
        if item.picture:
            yield Picture(f"images/{split}/{name}", item)

    def _number(self, name: str) -> int:
        found = self._numbers.get(name)
        if found is None:
            told = self._target.classes.named(name).number
            used = set(self._numbers.values())
            found = told if told and told not in used else next(n for n in range(1, len(used) + 2) if n not in used)
            self._numbers[name] = found
        return found

    def end(self) -> Iterator[Out]:
        for one in self._target.classes:
            self._number(one.name)
        categories = [
            {
                "id": self._numbers[one.name],
                "name": one.name,
                "supercategory": one.parent,
                "isthing": int(not one.is_stuff),
            }
            for one in self._target.classes
        ]
        for split, spools in self._splits.items():
            yield File(f"annotations/panoptic_{split}.json", self._document(*spools, categories))

    def _document(self, images: Spool, annotations: Spool, categories: list[dict[str, Any]]) -> Iterator[bytes]:
        yield b'{"info":' + dumps({"description": self._target.title}) + b',"images":['
        yield from images.parts()
        yield b'],"annotations":['
        yield from annotations.parts()
        yield b'],"categories":' + dumps(categories) + b"}\n"


coco_panoptic = CocoPanoptic()
