"""V7 Darwin's JSON 2.0: a file a picture, each annotation with its shape, attributes and who drew it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from cupola.formats.form import Form, in_words, nothing, split_of
from cupola.formats.model import (
    ABSENT,
    OCCLUDED,
    VISIBLE,
    Box,
    Classes,
    Ellipse,
    Item,
    Points,
    Polygon,
    Polyline,
    Reading,
    Saying,
    Shape,
    Thing,
)
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, head, number, text_of, whole, with_ending


class Darwin(Form):
    name = "darwin"
    by_picture = True
    title = "V7 Darwin"
    about = in_words("V7's JSON 2.0, a file a picture", "V7 JSON 2.0，每张图片一个文件")
    writes = False

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = next((name for name in with_ending(files, "json") if _is_one(files, name)), None)
        return None if found is None else (0.95, f"{found} is of Darwin's schema")

    def read(self, files: Files, report: Report) -> Reading:
        names = [name for name in with_ending(files, "json") if _is_one(files, name)]
        if not names:
            raise nothing(self, "no JSON file has an item with slots and annotations")
        classes = Classes()
        return Reading(classes, _items(files, names, classes, report))


def _is_one(files: Files, name: str) -> bool:
    start = head(files, name)
    return b'"annotations"' in start and (b'"slots"' in start or b"darwin" in start[:2000])


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
    item = told.get("item") or told.get("image") or {}
    slot = (item.get("slots") or [item])[0]
    shown = str(item.get("name") or item.get("filename") or PurePosixPath(name).stem)
    folder = str(item.get("path") or "").strip("/")
    picture = pictures.find(f"{folder}/{shown}" if folder else shown, "images/")
    files = slot.get("source_files") or [{}]
    url = str(files[0].get("url") or item.get("url") or "") if isinstance(files[0], dict) else ""
    by_person: dict[str, tuple[list[Thing], list[str]]] = {}
    for n, row in enumerate(told.get("annotations") or ()):
        where = f"{name}: annotation {n + 1}"
        cls = str(row.get("name") or "")
        if not cls:
            report.drop("class-unknown", where)
            continue
        classes.named(cls)
        who = str(((row.get("annotators") or [{}])[0]).get("email") or "")
        things, chosen = by_person.setdefault(who, ([], []))
        if "tag" in row:
            chosen.append(cls)
            continue
        try:
            shape = _shape(row, classes, cls)
        except (ValueError, KeyError, TypeError) as error:
            report.drop("shape-malformed", f"{where}: {error}")
            continue
        if shape is None:
            report.drop("shape-unknown", where)
            continue
        attributes: dict[str, Any] = {str(one): True for one in row.get("attributes") or ()}
        if isinstance(row.get("text"), dict):
            attributes["text"] = str(row["text"].get("text", ""))
        inference = row.get("inference")
        score = inference.get("confidence") if isinstance(inference, dict) else None
        things.append(
            Thing(
                cls,
                shape,
                attributes,
                str(row.get("id") or ""),
                "person" if score is None else "model",
                score,
                place=where,
            )
        )
    return Item(
        f"{folder}/{shown}" if folder else shown,
        picture,
        url if url.startswith("http") else "",
        None,
        slot.get("width"),
        slot.get("height"),
        tuple(Saying(who, classes=tuple(tags), things=tuple(things)) for who, (things, tags) in by_person.items())
        or (Saying(),),
        split_of(name),
        place=name,
    )


def _at(one: dict[str, Any]) -> tuple[float, float]:
    return number(one["x"]), number(one["y"])


def _shape(row: dict[str, Any], classes: Classes, cls: str) -> Shape | None:
    if told := row.get("polygon"):
        paths = told.get("paths") or [told["path"], *(row.get("polygon", {}).get("additional_paths") or ())]
        rings = [tuple(map(_at, ring)) for ring in paths]
        if any(len(ring) < 3 for ring in rings):
            raise ValueError("an outline of fewer than three corners")
        return Polygon(tuple((ring,) for ring in rings))
    if told := row.get("bounding_box"):
        w, h = number(told["w"]), number(told["h"])
        if w <= 0 or h <= 0:
            raise ValueError("a box without area")
        return Box(number(told["x"]), number(told["y"]), w, h)
    if told := row.get("ellipse"):
        (cx, cy), radius = _at(told["center"]), told["radius"]
        return Ellipse(cx, cy, number(radius["x"]), number(radius["y"]), number(told.get("angle", 0)))
    if told := row.get("line"):
        return Polyline(tuple(map(_at, told["path"])))
    if told := row.get("keypoint"):
        return Points((_at(told),), (VISIBLE,))
    if told := row.get("skeleton"):
        known = classes.named(cls)
        by_name = {str(one["name"]): one for one in told["nodes"]}
        known.points = (*known.points, *(name for name in by_name if name not in known.points))
        rows = [by_name.get(name) for name in known.points]
        return Points(
            tuple((0.0, 0.0) if one is None else _at(one) for one in rows),
            tuple(ABSENT if one is None else OCCLUDED if one.get("occluded") else VISIBLE for one in rows),
        )
    return None


darwin = Darwin()
