"""Supervisely: ds/ann/<picture>.json beside ds/img/, a meta.json of classes; bitmaps are zlib over PNG in base64."""

from __future__ import annotations

import base64
import binascii
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from cupola.formats import masks
from cupola.formats.form import Form, in_words, nothing, split_of
from cupola.formats.model import (
    VISIBLE,
    Box,
    Class,
    Classes,
    Item,
    Mask,
    Points,
    Polygon,
    Polyline,
    Reading,
    Ring,
    Saying,
    Shape,
    Thing,
)
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, head, number, text_of, whole, with_ending

MOST_BITMAP_BYTES = 64 * 1024 * 1024


class Supervisely(Form):
    name = "supervisely"
    by_picture = True
    title = "Supervisely"
    about = in_words("Supervisely's project folders", "Supervisely 项目文件夹")
    writes = False

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = next((name for name in with_ending(files, "json") if _is_one(files, name)), None)
        return None if found is None else (0.95, f"{found} has objects with classTitle")

    def read(self, files: Files, report: Report) -> Reading:
        names = [name for name in with_ending(files, "json") if _is_one(files, name)]
        if not names:
            raise nothing(self, "no JSON file has objects with a classTitle")
        classes = Classes()
        for name in with_ending(files, "json"):
            if PurePosixPath(name).name == "meta.json":
                _meta(files, name, classes, report)
        return Reading(classes, _items(files, names, classes, report))


def _is_one(files: Files, name: str) -> bool:
    start = head(files, name)
    return b'"objects"' in start and b'"size"' in start and (b'"classTitle"' in start or b'"tags"' in start)


def _meta(files: Files, name: str, classes: Classes, report: Report) -> None:
    try:
        told = json.loads(text_of(whole(files, name), name, report))
        for one in told.get("classes") or ():
            classes.add(Class(str(one["title"]), colour=str(one.get("color") or "")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        report.drop("entry-malformed", f"{name}: {error}")


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    for name in names:
        try:
            told = json.loads(text_of(whole(files, name), name, report))
        except (ValueError, RecursionError) as error:
            report.drop("entry-malformed", f"{name}: {error}")
            continue
        shown = PurePosixPath(name).name.removesuffix(".json")
        above = PurePosixPath(name).parent.parent.as_posix()
        picture = pictures.find(shown, f"{above}/img/" if above != "." else "img/")
        size = told.get("size") or {}
        by_person: dict[str, list[Thing]] = {}
        for n, row in enumerate(told.get("objects") or ()):
            thing = _thing(row, f"{name}: object {n + 1}", size, classes, report)
            if thing is not None:
                by_person.setdefault(str(row.get("labelerLogin") or ""), []).append(thing)
        tags = tuple(str(one.get("name")) for one in told.get("tags") or () if isinstance(one, dict))
        sayings = [Saying(who, things=tuple(things)) for who, things in by_person.items()] or [Saying()]
        sayings[0] = Saying(sayings[0].annotator, classes=tags, things=sayings[0].things)
        for cls in tags:
            classes.named(cls)
        yield Item(
            f"{above}/{shown}" if above != "." else shown,
            picture,
            width_px=size.get("width"),
            height_px=size.get("height"),
            sayings=tuple(sayings),
            split=split_of(name),
            place=name,
        )


def _thing(row: dict[str, Any], place: str, size: dict[str, Any], classes: Classes, report: Report) -> Thing | None:
    cls = str(row.get("classTitle") or "")
    if not cls:
        report.drop("class-unknown", place)
        return None
    try:
        shape = _shape(row, size)
    except (ValueError, KeyError, TypeError, OSError, zlib.error, binascii.Error) as error:
        report.drop("shape-malformed", f"{place}: {error}")
        return None
    if shape is None:
        report.drop("shape-unknown", f"{place}: {row.get('geometryType')}")
        return None
    classes.named(cls)
    attributes = {
        str(tag.get("name")): tag["value"] if tag.get("value") is not None else True for tag in row.get("tags") or ()
    }
    return Thing(cls, shape, attributes, str(row.get("id") or ""), place=place)


def _shape(row: dict[str, Any], size: dict[str, Any]) -> Shape | None:
    kind = row.get("geometryType")
    if kind == "bitmap":
        return _bitmap(row["bitmap"], int(size["height"]), int(size["width"]))
    told = row.get("points") or {}
    outer: Ring = tuple((number(x), number(y)) for x, y in told.get("exterior") or ())
    if kind == "rectangle":
        (ax, ay), (bx, by) = outer
        if ax == bx or ay == by:
            raise ValueError("a rectangle without area")
        return Box(min(ax, bx), min(ay, by), abs(bx - ax), abs(by - ay))
    if kind == "polygon":
        if len(outer) < 3:
            raise ValueError(f"an outline of {len(outer)} corners")
        holes = tuple(tuple((number(x), number(y)) for x, y in ring) for ring in told.get("interior") or ())
        return Polygon(((outer, *(ring for ring in holes if len(ring) >= 3)),))
    if kind == "line":
        return Polyline(outer)
    if kind == "point":
        return Points(outer[:1], (VISIBLE,))
    return None


def _bitmap(told: dict[str, Any], height: int, width: int) -> Mask:
    unfold = zlib.decompressobj()
    data = unfold.decompress(base64.b64decode(told["data"]), MOST_BITMAP_BYTES)
    with Image.open(io.BytesIO(data)) as picture:
        inner = np.asarray(picture.convert("RGBA"))[..., 3] > 0
    x, y = (int(part) for part in told["origin"])
    if (
        x < 0
        or y < 0
        or x + inner.shape[1] > width
        or y + inner.shape[0] > height
        or height * width > masks.MOST_PIXELS
    ):
        raise ValueError("a bitmap that reaches out of the picture")
    raster = np.zeros((height, width), dtype=np.bool_)
    raster[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    if not raster.any():
        raise ValueError("an empty bitmap")
    return masks.from_raster(raster)


supervisely = Supervisely()
