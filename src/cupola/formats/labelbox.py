"""Labelbox' NDJSON export: a data row a line, with labels by project and by labeller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cupola.formats.form import Form, in_words, nothing
from cupola.formats.model import (
    VISIBLE,
    Box,
    Classes,
    Item,
    Points,
    Polyline,
    Reading,
    Saying,
    Shape,
    Thing,
    simple_polygon,
)
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, head, lines_of, number, with_ending


class Labelbox(Form):
    name = "labelbox"
    title = "Labelbox"
    about = in_words("Labelbox' NDJSON export", "Labelbox 的 NDJSON 导出")
    writes = False
    is_text = True

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = _documents(files)
        return (0.95, f"{found[0]} has data rows and projects") if found else None

    def read(self, files: Files, report: Report) -> Reading:
        found = _documents(files)
        if not found:
            raise nothing(self, "no file has lines with data_row and projects")
        classes = Classes()
        return Reading(classes, _items(files, found, classes, report))


def _documents(files: Files) -> list[str]:
    return [
        name
        for name in with_ending(files, "ndjson", "jsonl", "json")
        if b'"data_row"' in (start := head(files, name)) and (b'"projects"' in start or b'"media_attributes"' in start)
    ]


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    for name in names:
        for line, text in lines_of(files, name, report):
            if not text.strip():
                continue
            place = f"{name}:{line}"
            try:
                told = json.loads(text)
                row = told["data_row"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                report.drop("entry-malformed", f"{place}: {error}")
                continue
            yield _item(told, row, place, pictures, classes, report)


def _item(
    told: dict[str, Any], row: dict[str, Any], place: str, pictures: Pictures, classes: Classes, report: Report
) -> Item:
    shown = str(row.get("external_id") or row.get("global_key") or row.get("id") or place)
    address = str(row.get("row_data") or "")
    picture = pictures.find(shown) or (pictures.find(address.rsplit("/", 1)[-1].split("?")[0]) if address else "")
    media = told.get("media_attributes") or {}
    sayings = []
    for project in (told.get("projects") or {}).values():
        for label in project.get("labels") or ():
            who = str((label.get("label_details") or {}).get("created_by") or "")
            sayings.append(_saying(label.get("annotations") or {}, who, place, classes, report))
    is_address = address.startswith(("http://", "https://"))
    return Item(
        shown,
        picture,
        address if is_address else "",
        address if address and not is_address and not picture and "text" in str(media.get("mime_type", "")) else None,
        media.get("width"),
        media.get("height"),
        tuple(sayings),
        place=place,
    )


def _saying(told: dict[str, Any], who: str, place: str, classes: Classes, report: Report) -> Saying:
    things = []
    for n, one in enumerate(told.get("objects") or ()):
        where = f"{place}: object {n + 1}"
        try:
            shape = _shape(one)
        except (ValueError, KeyError, TypeError) as error:
            report.drop("shape-malformed", f"{where}: {error}")
            continue
        if shape is None:
            report.drop("shape-unknown", f"{where}: {one.get('annotation_kind')}")
            continue
        cls = str(one.get("name") or "")
        classes.named(cls)
        attributes = dict(_answers(one.get("classifications") or ()))
        things.append(Thing(cls, shape, attributes, str(one.get("feature_id") or ""), place=where))
    whole: list[str] = []
    answers: dict[str, Any] = {}
    text = None
    for name, value in _answers(told.get("classifications") or ()):
        if isinstance(value, list) or (not whole and not answers and not name.startswith("text ")):
            whole += value if isinstance(value, list) else [value]
        else:
            answers[name] = value
    for cls in whole:
        classes.named(cls)
    return Saying(who, classes=tuple(whole), things=tuple(things), answers=answers, text=text)


def _answers(found: Any) -> Iterator[tuple[str, Any]]:
    for one in found:
        name = str(one.get("name") or "")
        if isinstance(one.get("radio_answer"), dict):
            yield name, str(one["radio_answer"].get("name"))
        elif isinstance(one.get("checklist_answers"), list):
            yield name, [str(each.get("name")) for each in one["checklist_answers"]]
        elif isinstance(one.get("text_answer"), dict):
            yield f"text {name}", str(one["text_answer"].get("content"))


def _shape(one: dict[str, Any]) -> Shape | None:
    if box := one.get("bounding_box"):
        w, h = number(box["width"]), number(box["height"])
        if w <= 0 or h <= 0:
            raise ValueError("a box without area")
        return Box(number(box["left"]), number(box["top"]), w, h)
    if ring := one.get("polygon"):
        if len(ring) < 3:
            raise ValueError(f"an outline of {len(ring)} corners")
        return simple_polygon(tuple((number(at["x"]), number(at["y"])) for at in ring))
    if line := one.get("line"):
        return Polyline(tuple((number(at["x"]), number(at["y"])) for at in line))
    if at := one.get("point"):
        return Points(((number(at["x"]), number(at["y"])),), (VISIBLE,))
    return None


labelbox = Labelbox()
