"""SageMaker Ground Truth's manifests: a JSON object a line, answers beside metadata that names their classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from cupola.formats import masks
from cupola.formats.form import File, Form, Out, Picture, Spool, Target, in_words, nothing, picture_name
from cupola.formats.model import Box, Class, Classes, Item, Reading, Saying, Thing
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, head, lines_of, number, with_ending

ANSWER = "labels"
BACKGROUND = "BACKGROUND"


class GroundTruth(Form):
    name = "groundtruth"
    title = "SageMaker Ground Truth"
    about = in_words("A manifest of a JSON object a line", "每行一个 JSON 对象的清单")
    holds = frozenset({"box", "classes", "several-classes", "score"})
    is_text = True

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = _manifests(files)
        return (0.95, f"{found[0]} has lines with source-ref or source and -metadata") if found else None

    def read(self, files: Files, report: Report) -> Reading:
        found = _manifests(files)
        if not found:
            raise nothing(self, "no file has lines with source-ref and -metadata")
        classes = Classes()
        return Reading(classes, _items(files, found, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _manifests(files: Files) -> list[str]:
    return [
        name
        for name in with_ending(files, "manifest", "jsonl", "json", "ndjson")
        if (line := head(files, name).split(b"\n", 1)[0]).lstrip()[:1] == b"{"
        and (b'"source-ref"' in line or b'"source"' in line)
        and b"-metadata" in line
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
            except (ValueError, RecursionError) as error:
                report.drop("entry-malformed", f"{place}: {error}")
                continue
            if isinstance(told, dict):
                yield _item(told, place, files, pictures, classes, report)


def _item(told: dict[str, Any], place: str, files: Files, pictures: Pictures, classes: Classes, report: Report) -> Item:
    source = str(told.get("source-ref") or "")
    path = source.split("://", 1)[-1].partition("/")[2] if "://" in source else source
    picture = pictures.find(path) if path else ""
    size = pictures.size(picture) if picture else None
    sayings = []
    for key, meta in told.items():
        if not key.endswith("-metadata") or not isinstance(meta, dict):
            continue
        answer = key.removesuffix("-metadata")
        value = told.get(answer, told.get(f"{answer}-ref"))
        try:
            saying, found = _saying(value, meta, place, files, pictures, classes, report)
        except (ValueError, KeyError, TypeError) as error:
            report.drop("shape-malformed", f"{place}: {error}")
            continue
        size = size or found
        if saying is not None:
            sayings.append(saying)
    body = str(told["source"]) if "source" in told and not source else None
    return Item(
        picture or PurePosixPath(path).name or place,
        picture,
        source if source.startswith(("http://", "https://")) else "",
        body,
        size[0] if size else None,
        size[1] if size else None,
        tuple(sayings),
        place=place,
    )


def _saying(
    value: Any,
    meta: dict[str, Any],
    place: str,
    files: Files,
    pictures: Pictures,
    classes: Classes,
    report: Report,
) -> tuple[Saying | None, tuple[int, int] | None]:
    source: Any = "model" if meta.get("human-annotated") == "no" else "person"
    names = {str(key): str(one) for key, one in (meta.get("class-map") or {}).items()}
    for one in names.values():
        classes.named(one)
    if isinstance(value, dict) and "annotations" in value:
        sizes = value.get("image_size") or [{}]
        size = (int(sizes[0]["width"]), int(sizes[0]["height"])) if "width" in sizes[0] else None
        scores = [one.get("confidence") for one in meta.get("objects") or ()]
        things = []
        for n, box in enumerate(value["annotations"]):
            cls = names.get(str(box.get("class_id")), str(box.get("class_id")))
            x, y, w, h = (number(box[part]) for part in ("left", "top", "width", "height"))
            if w <= 0 or h <= 0:
                report.drop("shape-empty", place)
                continue
            score = scores[n] if n < len(scores) and source == "model" else None
            things.append(Thing(classes.named(cls).name, Box(x, y, w, h), source=source, score=score, place=place))
        return Saying(source=source, things=tuple(things)), size
    if "internal-color-map" in meta and isinstance(value, str):
        return _segments(value, meta, place, source, files, pictures, classes, report)
    if names and isinstance(value, list):
        return Saying(source=source, classes=tuple(names.get(str(one), str(one)) for one in value)), None
    if "class-name" in meta:
        cls = str(meta["class-name"])
        classes.named(cls)
        return Saying(source=source, classes=(cls,)), None
    report.drop("tag-unknown", f"{place}: an answer of a sort that is not known")
    return None, None


def _segments(
    value: str,
    meta: dict[str, Any],
    place: str,
    source: Any,
    files: Files,
    pictures: Pictures,
    classes: Classes,
    report: Report,
) -> tuple[Saying | None, tuple[int, int] | None]:
    """A PNG whose colours are classes: as numbers of a palette, or as colours that the metadata names."""
    path = pictures.find(value.split("://", 1)[-1].partition("/")[2] if "://" in value else value)
    if not path:
        report.drop("picture-missing", f"{place} ({value})")
        return None, None
    with files.open(path) as stream, Image.open(stream) as picture:
        colours = np.asarray(picture.convert("RGB"), dtype=np.int64)
    plane = colours[..., 0] << 16 | colours[..., 1] << 8 | colours[..., 2]
    things = []
    for one in meta["internal-color-map"].values():
        name = str(one.get("class-name"))
        raster = plane == int(str(one.get("hex-color", "#000000")).lstrip("#"), 16)
        if name != BACKGROUND and raster.any():
            things.append(Thing(classes.named(name).name, masks.from_raster(raster), source=source, place=place))
    return Saying(source=source, things=tuple(things)), (plane.shape[1], plane.shape[0])


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._lines = Spool()
        self._numbers: dict[str, int] = {}

    def _number(self, name: str) -> int:
        if not self._numbers:
            for one in self._target.classes:
                self._numbers.setdefault(one.name, len(self._numbers))
        self._target.classes.add(Class(name))
        return self._numbers.setdefault(name, len(self._numbers))

    def add(self, item: Item) -> Iterator[Out]:
        name = f"images/{picture_name(item)}"
        line: dict[str, Any] = {"source": item.body} if item.body is not None else {"source-ref": item.url or name}
        for saying in item.sayings:
            human = "no" if saying.source == "model" else "yes"
            if saying.classes:
                numbers = [self._number(one) for one in saying.classes]
                line["classes"] = numbers
                line["classes-metadata"] = {
                    "class-map": {str(n): one for n, one in zip(numbers, saying.classes, strict=True)},
                    "human-annotated": human, "type": "groundtruth/image-classification-multilabel",
                }  # fmt: skip
            if saying.things or not saying.classes:
                line[ANSWER], line[f"{ANSWER}-metadata"] = self._boxes(saying, item, human)
        self._lines.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        if item.picture:
            yield Picture(name, item)

    def _boxes(self, saying: Saying, item: Item, human: str) -> tuple[dict[str, Any], dict[str, Any]]:
        rows = []
        for thing in saying.things:
            assert isinstance(thing.shape, Box)
            box = thing.shape
            rows.append(
                {"class_id": self._number(thing.cls), "left": box.x, "top": box.y, "width": box.w, "height": box.h}
            )
        answer = {
            "image_size": [{"width": item.width_px or 0, "height": item.height_px or 0, "depth": 3}],
            "annotations": rows,
        }
        used = {str(self._number(one.cls)): one.cls for one in saying.things}
        scores = [{"confidence": 1.0 if one.score is None else one.score} for one in saying.things]
        return answer, {
            "objects": scores, "class-map": used, "human-annotated": human, "type": "groundtruth/object-detection",
        }  # fmt: skip

    def end(self) -> Iterator[Out]:
        yield File("output.manifest", self._lines.parts())


groundtruth = GroundTruth()
