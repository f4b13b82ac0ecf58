"""LabelMe: a JSON file beside each picture (Wada's program of that name)."""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from cupola.formats import masks
from cupola.formats.form import (
    File,
    Form,
    Out,
    Picture,
    Target,
    dumps,
    in_words,
    nothing,
    picture_name,
    split_of,
    stem_name,
)
from cupola.formats.model import (
    VISIBLE,
    Box,
    Classes,
    Ellipse,
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
    ellipse_ring,
    simple_polygon,
)
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, head, number, text_of, whole, with_ending


class LabelMe(Form):
    name = "labelme"
    by_picture = True
    title = "LabelMe"
    about = in_words("A JSON file of shapes beside each picture", "每张图片旁附一个形状 JSON 文件")
    holds = frozenset({
        "box", "polygon", "polyline", "point", "ellipse", "mask", "classes", "several-classes", "attributes", "groups",
    })  # fmt: skip

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = next((name for name in with_ending(files, "json") if _is_one(files, name)), None)
        return None if found is None else (0.95, f"{found} holds the shapes of one picture")

    def read(self, files: Files, report: Report) -> Reading:
        names = [name for name in with_ending(files, "json") if _is_one(files, name)]
        if not names:
            raise nothing(self, "no JSON file holds shapes and an imagePath")
        classes = Classes()
        return Reading(classes, _items(files, names, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _is_one(files: Files, name: str) -> bool:
    start = head(files, name)
    return b'"shapes"' in start and (b'"shape_type"' in start or b'"imagePath"' in start or b'"imageData"' in start)


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    for name in names:
        try:
            told = json.loads(text_of(whole(files, name), name, report))
        except (ValueError, RecursionError) as error:
            report.drop("entry-malformed", f"{name}: {error}")
            continue
        if isinstance(told, dict):
            yield _item(told, name, pictures, classes, report)


def _item(told: dict[str, Any], name: str, pictures: Pictures, classes: Classes, report: Report) -> Item:
    path = str(told.get("imagePath") or "")
    folder = PurePosixPath(name).parent.as_posix()
    stem = PurePosixPath(name).stem
    picture = (pictures.find(path, f"{folder}/") if path else "") or pictures.find(stem, f"{folder}/", stem=True)
    try:
        size: tuple[int | None, int | None] = (int(told["imageWidth"]), int(told["imageHeight"]))
    except (KeyError, TypeError, ValueError):
        size = (pictures.size(picture) if picture else None) or (None, None)
    things = []
    for n, shape in enumerate(told.get("shapes") or ()):
        place = f"{name}: shape {n + 1}"
        try:
            found = _shape(shape, size)
            label = str(shape["label"])
        except (ValueError, KeyError, TypeError, IndexError, OSError, binascii.Error) as error:
            report.drop("shape-malformed", f"{place}: {error}")
            continue
        if found is None:
            report.drop("shape-unknown", f"{place}: {shape.get('shape_type')}")
            continue
        attributes = {**(shape.get("attributes") or {})} if isinstance(shape.get("attributes"), dict) else {}
        attributes.update({key: value for key, value in (shape.get("flags") or {}).items() if value is True})
        if shape.get("description"):
            attributes["description"] = str(shape["description"])
        group = shape.get("group_id")
        classes.named(label)
        things.append(Thing(label, found, attributes, group="" if group is None else str(group), place=place))
    flags = told.get("flags")
    chosen = tuple(str(key) for key, value in flags.items() if value is True) if isinstance(flags, dict) else ()
    shown = picture or (f"{folder}/{path}" if folder != "." else path) or f"{stem}.jpg"
    return Item(
        shown,
        picture,
        width_px=size[0],
        height_px=size[1],
        sayings=(Saying(classes=chosen, things=tuple(things)),),
        split=split_of(name),
        place=name,
    )


def _shape(shape: dict[str, Any], size: tuple[int | None, int | None]) -> Shape | None:
    """None for a type that is not known; raises for numbers that are none."""
    ring: Ring = tuple((number(x), number(y)) for x, y in shape["points"])
    match shape.get("shape_type") or "polygon":
        case "polygon":
            if len(ring) < 3:
                raise ValueError(f"an outline of {len(ring)} corners")
            return simple_polygon(ring)
        case "rectangle":
            (ax, ay), (bx, by) = ring[0], ring[-1] if len(ring) == 2 else ring[2]
            if ax == bx or ay == by:
                raise ValueError("a rectangle without area")
            return Box(min(ax, bx), min(ay, by), abs(bx - ax), abs(by - ay))
        case "circle":
            (cx, cy), (x, y) = ring
            radius = math.hypot(x - cx, y - cy)
            return Ellipse(cx, cy, radius, radius)
        case "line" | "linestrip":
            return Polyline(ring)
        case "point" | "points":
            return Points(ring, (VISIBLE,) * len(ring))
        case "mask":
            return _mask(shape, ring, size)
    return None


def _mask(shape: dict[str, Any], ring: Ring, size: tuple[int | None, int | None]) -> Mask:
    """A PNG of the rectangle that its two points span, both ends included."""
    with Image.open(io.BytesIO(base64.b64decode(shape["mask"]))) as picture:
        inner = np.asarray(picture.convert("L")) > 0
    x, y = round(ring[0][0]), round(ring[0][1])
    width, height = size[0] or x + inner.shape[1], size[1] or y + inner.shape[0]
    if x < 0 or y < 0 or x + inner.shape[1] > width or y + inner.shape[0] > height:
        raise ValueError("a mask that reaches out of the picture")
    raster = np.zeros((height, width), dtype=np.bool_)
    raster[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return masks.from_raster(raster)


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target

    def add(self, item: Item) -> Iterator[Out]:
        name = picture_name(item)
        folder = f"{item.split}/" if item.split else ""
        shapes = [self._shape(thing) for saying in item.sayings for thing in saying.things]
        document = {
            "version": "5.5.0",
            "flags": {cls: True for saying in item.sayings for cls in saying.classes},
            "shapes": shapes,
            "imagePath": PurePosixPath(name).name,
            "imageData": None,
            "imageHeight": item.height_px,
            "imageWidth": item.width_px,
        }
        yield File(f"{folder}{stem_name(item)}.json", [dumps(document)])
        if item.picture:
            yield Picture(f"{folder}{name}", item)

    def _shape(self, thing: Thing) -> dict[str, Any]:
        shape = thing.shape
        self._target.classes.named(thing.cls)
        more: dict[str, Any] = {}
        kind: str
        ring: Ring
        match shape:
            case Box():
                kind, ring = "rectangle", ((shape.x, shape.y), (shape.x + shape.w, shape.y + shape.h))
            case Polygon():
                kind, ring = "polygon", shape.parts[0][0]
            case Polyline():
                kind, ring = ("line" if len(shape.points) == 2 else "linestrip"), shape.points
            case Points():
                kind, ring = "point", shape.points
            case Ellipse() if abs(shape.rx - shape.ry) < 1e-6:
                kind, ring = "circle", ((shape.cx, shape.cy), (shape.cx + shape.rx, shape.cy))
            case Ellipse():
                self._target.report.drop("shape-as-polygon", thing.place or thing.cls)
                kind, ring = "polygon", ellipse_ring(shape)
            case Mask():
                x0, y0, x1, y1 = (int(edge) for edge in masks.bounds(shape))
                out = io.BytesIO()
                Image.fromarray(masks.to_raster(shape)[y0:y1, x0:x1]).save(out, "PNG")
                more["mask"] = base64.b64encode(out.getvalue()).decode()
                kind, ring = "mask", ((x0, y0), (x1 - 1, y1 - 1))
            case _:
                raise AssertionError(shape)
        told = {name: value for name, value in thing.attributes.items() if name != "description"}
        return {
            "label": thing.cls,
            "points": [[round(x, 4), round(y, 4)] for x, y in ring],
            "group_id": int(thing.group) if thing.group.isdecimal() else None,
            "shape_type": kind,
            "flags": {},
            "description": str(thing.attributes.get("description", "")),
            **({"attributes": told} if told else {}),
            **more,
        }

    def end(self) -> Iterator[Out]:
        yield from ()


labelme = LabelMe()
