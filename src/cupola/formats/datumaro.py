"""Datumaro's own JSON: annotations/<subset>.json beside images/<subset>/; labels are numbers of a list at its top."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from cupola.formats import masks
from cupola.formats.fitting import area, bounds
from cupola.formats.form import (
    File,
    Form,
    Out,
    Picture,
    Spool,
    Target,
    dumps,
    in_words,
    nothing,
    picture_name,
    stem_name,
)
from cupola.formats.jsonstream import members
from cupola.formats.model import (
    VISIBLE,
    Box,
    Class,
    Classes,
    Ellipse,
    Item,
    Mask,
    Points,
    Polygon,
    Polyline,
    Reading,
    Saying,
    Shape,
    Thing,
    flat,
    ring_from,
    simple_polygon,
)
from cupola.formats.report import Report
from cupola.formats.spill import Spill
from cupola.formats.tree import Files, Pictures, head, number, with_ending


class Datumaro(Form):
    name = "datumaro"
    title = "Datumaro"
    about = in_words("Datumaro's JSON, for its own programs", "Datumaro 的 JSON，供其自身程序使用")
    holds = frozenset({
        "box", "rotated", "polygon", "polyline", "point", "skeleton", "seen", "ellipse", "mask", "classes",
        "several-classes", "attributes", "groups",
    })  # fmt: skip

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = _documents(files)
        return (0.95, f"{found[0]} has categories and items as Datumaro writes them") if found else None

    def read(self, files: Files, report: Report) -> Reading:
        found = _documents(files)
        if not found:
            raise nothing(self, "no JSON file has categories and items")
        classes = Classes()
        return Reading(classes, _items(files, found, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _documents(files: Files) -> list[str]:
    return [
        name
        for name in with_ending(files, "json")
        if b'"categories"' in (start := head(files, name)) and b'"items"' in start and b'"label"' in start
    ]


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    for name in names:
        subset = PurePosixPath(name).stem
        labels: list[str] = []
        with Spill() as waiting:  # of a file whose items stand before its categories
            for key, value, line in members(files, name, report):
                if key == "categories" and isinstance(value, dict):
                    labels = _labels(value, classes)
                elif key == "items" and isinstance(value, dict):
                    if labels:
                        yield _item(value, f"{name}:{line}", subset, labels, classes, pictures, report)
                    else:
                        waiting.add("items", [value, line])
            for value, line in waiting.of("items"):
                yield _item(value, f"{name}:{line}", subset, labels, classes, pictures, report)


def _labels(categories: dict[str, Any], classes: Classes) -> list[str]:
    found = [str(one.get("name", "")) for one in (categories.get("label") or {}).get("labels", ())]
    for n, one in enumerate(found):
        classes.add(Class(one, n))
    for one in (categories.get("points") or {}).get("items", ()):
        if isinstance(one.get("label_id"), int) and one["label_id"] < len(found):
            known = classes.named(found[one["label_id"]])
            known.points = tuple(map(str, one.get("labels") or ()))
            known.edges = tuple((int(a) - 1, int(b) - 1) for a, b in one.get("joints") or ())
    return found


def _item(
    one: dict[str, Any],
    place: str,
    subset: str,
    labels: list[str],
    classes: Classes,
    pictures: Pictures,
    report: Report,
) -> Item:
    told = one.get("image") or {}
    path = str(told.get("path") or one.get("id", ""))
    picture = pictures.find(path, f"images/{subset}/", "images/") or pictures.find(
        str(one.get("id", "")), f"images/{subset}/", stem=True
    )
    size = told.get("size") or (None, None)
    height, width = (int(side) if isinstance(side, int | float) else None for side in size[:2])
    if (width is None or height is None) and picture:
        width, height = pictures.size(picture) or (None, None)
    things: list[Thing] = []
    whole: list[str] = []
    for n, row in enumerate(one.get("annotations") or ()):
        where = f"{place}: annotation {n + 1}"
        try:
            cls = labels[row["label_id"]] if isinstance(row.get("label_id"), int) else ""
        except IndexError:
            cls = ""
        if row.get("type") == "caption" or not cls:
            report.drop("class-unknown", where)
            continue
        if row.get("type") == "label":
            whole.append(cls)
            continue
        try:
            shape = _shape(row)
        except (ValueError, KeyError, TypeError) as error:
            report.drop("shape-malformed", f"{where}: {error}")
            continue
        if shape is None:
            report.drop("shape-unknown", f"{where}: {row.get('type')}")
            continue
        attributes = dict(row.get("attributes") or {})
        if isinstance(shape, Box) and shape.rotation_rad:
            attributes.pop("rotation", None)
        group = row.get("group") or 0
        things.append(Thing(cls, shape, attributes, group=str(group) if group else "", place=where))
    return Item(
        path if "." in PurePosixPath(path).name else str(one.get("id", "")),
        picture,
        width_px=width,
        height_px=height,
        sayings=(Saying(classes=tuple(whole), things=tuple(things)),),
        split="" if subset == "default" else subset,
        place=place,
    )


def _shape(row: dict[str, Any]) -> Shape | None:
    kind = row.get("type")
    if kind == "bbox":
        x, y, w, h = (number(part) for part in row["bbox"])
        if w <= 0 or h <= 0:
            raise ValueError("a box without area")
        turn = (row.get("attributes") or {}).get("rotation", 0)
        return Box(x, y, w, h, number(turn) * np.pi / 180 if isinstance(turn, int | float) else 0.0)
    if kind == "rotated_bbox":
        cx, cy, w, h, degrees = (number(part) for part in row["rotated_bbox"])
        return Box(cx - w / 2, cy - h / 2, w, h, degrees * np.pi / 180)
    if kind == "polygon":
        return simple_polygon(ring_from([number(part) for part in row["points"]]))
    if kind == "polyline":
        return Polyline(ring_from([number(part) for part in row["points"]]))
    if kind == "points":
        ring = ring_from([number(part) for part in row["points"]])
        seen = tuple(int(one) for one in row.get("visibility") or (VISIBLE,) * len(ring))
        return Points(ring, seen)
    if kind == "ellipse":
        x0, y0, x1, y1 = (number(part) for part in row["points"])
        return Ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2)
    if kind == "mask":
        told = row["rle"]
        height, width = told["size"]
        counts = told["counts"]
        runs = masks.counts_from_text(counts) if isinstance(counts, str) else tuple(int(one) for one in counts)
        mask = Mask(int(height), int(width), runs)
        masks.to_raster(mask)
        return mask
    return None


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._subsets: dict[str, Spool] = {}
        self._index: dict[str, int] = {}

    def _number(self, name: str) -> int:
        if not self._index:
            for one in self._target.classes:
                self._index.setdefault(one.name, len(self._index))
        self._target.classes.named(name)
        return self._index.setdefault(name, len(self._index))

    def add(self, item: Item) -> Iterator[Out]:
        subset = item.split or "default"
        rows: list[dict[str, Any]] = []
        for saying in item.sayings:
            rows += [
                {"id": 0, "type": "label", "attributes": {}, "group": 0, "label_id": self._number(one)}
                for one in saying.classes
            ]
            for thing in saying.things:
                group = int(thing.group) if thing.group.isdecimal() else 0
                common = {"id": len(rows), "attributes": dict(thing.attributes), "group": group, "z_order": 0,
                          "label_id": self._number(thing.cls)}  # fmt: skip
                rows.append(common | self._shape(thing))
        name = picture_name(item)
        told: dict[str, Any] = {"path": name}
        if item.width_px and item.height_px:
            told["size"] = [item.height_px, item.width_px]
        self._subsets.setdefault(subset, Spool()).member(
            {"id": stem_name(item), "annotations": rows, "attr": {}, "image": told}
        )
        if item.picture:
            yield Picture(f"images/{subset}/{name}", item)

    def _shape(self, thing: Thing) -> dict[str, Any]:
        shape = thing.shape
        match shape:
            case Box() if shape.rotation_rad:
                told = {**thing.attributes, "rotation": round(float(np.degrees(shape.rotation_rad)) % 360, 4)}
                return {"type": "bbox", "bbox": [shape.x, shape.y, shape.w, shape.h], "attributes": told}
            case Box():
                return {"type": "bbox", "bbox": [shape.x, shape.y, shape.w, shape.h]}
            case Polygon():
                return {"type": "polygon", "points": flat(shape.parts[0][0])}
            case Polyline():
                return {"type": "polyline", "points": flat(shape.points)}
            case Points():
                known = self._target.classes.named(thing.cls)
                if len(known.points) < len(shape.points):
                    known.points = tuple(str(n + 1) for n in range(len(shape.points)))
                return {"type": "points", "points": flat(shape.points), "visibility": list(shape.seen)}
            case Ellipse() if not shape.rotation_rad:
                return {
                    "type": "ellipse",
                    "points": [shape.cx - shape.rx, shape.cy - shape.ry, shape.cx + shape.rx, shape.cy + shape.ry],
                }
            case Ellipse():
                self._target.report.drop("rotation", thing.place or thing.cls)
                x0, y0, x1, y1 = bounds(shape)
                return {"type": "ellipse", "points": [x0, y0, x1, y1]}
            case Mask():
                told_mask = {"size": [shape.height, shape.width], "counts": masks.counts_to_text(shape.counts)}
                return {"type": "mask", "rle": told_mask, "area": area(shape)}
        raise AssertionError(shape)

    def end(self) -> Iterator[Out]:
        for subset, items in (self._subsets or {"default": Spool()}).items():
            yield File(f"annotations/{subset}.json", self._document(items))

    def _document(self, items: Spool) -> Iterator[bytes]:
        for one in self._target.classes:
            self._number(one.name)
        labels = [{"name": name, "parent": "", "attributes": []} for name in self._index]
        categories: dict[str, Any] = {"label": {"labels": labels, "label_groups": [], "attributes": []}}
        points = [
            {
                "label_id": self._index[one.name],
                "labels": list(one.points),
                "joints": [[a + 1, b + 1] for a, b in one.edges],
            }
            for one in self._target.classes
            if one.points
        ]
        if points:
            categories["points"] = {"items": points, "attributes": []}
        yield b'{"dm_format_version":"1.0","media_type":2,"infos":{},"categories":' + dumps(categories) + b',"items":['
        yield from items.parts()
        yield b"]}\n"


datumaro = Datumaro()
