"""Label Studio's JSON: a list of tasks, each with several annotations and predictions.

Places are per cent of the picture; a box turns about its top left corner, clockwise, in degrees; a brush is run lengths
of RGBA. Values with one id are of one region: a class here, a choice or a text there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cupola.formats import masks
from cupola.formats.form import File, Form, Out, Picture, Spool, Target, in_words, nothing, picture_name
from cupola.formats.jsonstream import members
from cupola.formats.labelstudio_config import config_of
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
    Saying,
    Shape,
    Span,
    Thing,
    simple_polygon,
)
from cupola.formats.report import Report
from cupola.formats.tree import PICTURES, Files, Pictures, ending, head, number, with_ending

_prefix = re.compile(r"^[0-9a-f]{8}-")  # before the name of each file that was uploaded there
_results = re.compile(rb'"(?:annotations|completions|predictions)"\s*:\s*\[')
# type of a value: (member that names classes, or none)
REGIONS = {
    "rectanglelabels": "rectanglelabels", "rectangle": "", "polygonlabels": "polygonlabels", "polygon": "",
    "keypointlabels": "keypointlabels", "keypoint": "", "ellipselabels": "ellipselabels", "ellipse": "",
    "brushlabels": "brushlabels", "brush": "", "vectorlabels": "vectorlabels", "vector": "",
}  # fmt: skip


class LabelStudio(Form):
    name = "labelstudio"
    title = "Label Studio"
    about = in_words(
        "Label Studio's JSON, with every annotator and prediction", "Label Studio JSON，包含每位标注员与预测"
    )
    holds = frozenset({
        "box", "rotated", "polygon", "point", "ellipse", "mask", "classes", "several-classes", "attributes",
        "annotators", "annotator-names", "predictions", "source", "score", "text", "answers", "spans",
    })  # fmt: skip
    is_text = True

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = _documents(files)
        return (0.95, f"{found[0]} is a list of tasks with annotations") if found else None

    def read(self, files: Files, report: Report) -> Reading:
        found = _documents(files)
        if not found:
            raise nothing(self, "no JSON file is a list of tasks with data and annotations")
        classes = Classes()
        return Reading(classes, _items(files, found, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _documents(files: Files) -> list[str]:
    return [
        name
        for name in with_ending(files, "json")
        if (start := head(files, name)).lstrip()[:1] == b"[" and b'"data"' in start and _results.search(start)
    ]


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    choosing: list[str] = []  # the control whose choices are classes of the whole item: the first that is met
    for name in names:
        for _, task, line in members(files, name, report):
            place = f"{name}:{line}"
            if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
                report.drop("entry-malformed", place)
                continue
            yield _item(task, place, pictures, choosing, classes, report)


def _item(
    task: dict[str, Any], place: str, pictures: Pictures, choosing: list[str], classes: Classes, report: Report
) -> Item:
    label, url, body = _content(task["data"])
    picture = (pictures.find(label) or pictures.find(_prefix.sub("", label.rsplit("/", 1)[-1]))) if label else ""
    known = pictures.size(picture) if picture else None
    sayings = []
    size = known
    for one in task.get("annotations") or task.get("completions") or ():
        if not isinstance(one, dict):
            report.drop("entry-malformed", place)
            continue
        if one.get("was_cancelled") is True:
            report.drop("annotation-cancelled", place)
            continue
        reader = _Result(one.get("result"), place, choosing, classes, report)
        size = size or reader.size
        found = reader.saying("person")
        sayings.append(replace(found, annotator=_who(one.get("completed_by")), is_gold=one.get("ground_truth") is True))
    for one in task.get("predictions") or ():
        if isinstance(one, dict):
            reader = _Result(one.get("result"), place, choosing, classes, report)
            size = size or reader.size
            found = reader.saying("model")
            told = one.get("score")
            version = str(one.get("model_version") or "model")
            sayings.append(
                replace(
                    found,
                    annotator=version,
                    model_version=version,
                    score=float(told) if isinstance(told, int | float) and not isinstance(told, bool) else None,
                )
            )
    shown = _prefix.sub("", label.rsplit("/", 1)[-1]) if label and not picture else picture
    return Item(
        shown or str(task.get("id", place)),
        picture,
        url,
        body,
        size[0] if size else None,
        size[1] if size else None,
        tuple(sayings),
        metadata={
            key: value
            for key, value in task["data"].items()
            if isinstance(value, str | int | float) and value not in (url, body) and key != "image"
        },
        place=place,
    )


def _content(data: Mapping[str, Any]) -> tuple[str, str, str | None]:
    """(path of the picture as it is named, its address, the text) of a task: by names of members, then by what they
    look like."""
    texts = [(key, value) for key, value in data.items() if isinstance(value, str)]
    for key, value in sorted(texts, key=lambda row: row[0] not in ("image", "img", "ocr", "picture", "photo")):
        parts = urlsplit(value)
        path = unquote(parse_qs(parts.query).get("d", [""])[0] or parts.path)
        if ending(path) in PICTURES or key in ("image", "img"):
            return path, value if parts.scheme in ("http", "https") else "", None
    for _, value in sorted(texts, key=lambda row: row[0] not in ("text", "content", "document")):
        return "", "", value
    return "", "", None


def _who(told: Any) -> str:
    if isinstance(told, dict):
        return str(told.get("email") or told.get("username") or told.get("id") or "")
    return "" if told is None else str(told)


class _Result:
    """The values of one annotation, put together by their ids."""

    def __init__(self, result: Any, place: str, choosing: list[str], classes: Classes, report: Report) -> None:
        self._place, self._choosing, self._classes, self._report = place, choosing, classes, report
        self.size: tuple[int, int] | None = None
        self._regions: dict[str, dict[str, Any]] = {}
        self._spans: list[Span] = []
        self._whole: list[str] = []
        self._answers: dict[str, Any] = {}
        self._text: str | None = None
        rows = [one for one in result if isinstance(one, dict)] if isinstance(result, list) else []
        drawn = {str(one.get("id")) for one in rows if one.get("type") in REGIONS}
        for one in rows:
            try:
                self._take(one, str(one.get("id")) in drawn)
            except (ValueError, KeyError, TypeError) as error:
                report.drop("shape-malformed", f"{place} (region {one.get('id')}): {error}")

    def _take(self, one: dict[str, Any], is_drawn: bool) -> None:
        kind, value = str(one.get("type", "")), one.get("value")
        if kind == "relation":
            self._report.drop("relation", self._place)
            return
        if not isinstance(value, dict):
            raise ValueError("it has no value")
        region = self._regions.setdefault(str(one.get("id")), {"attributes": {}}) if is_drawn else None
        if kind in REGIONS:
            assert region is not None
            width, height = int(number(one["original_width"])), int(number(one["original_height"]))
            if width <= 0 or height <= 0:
                raise ValueError(f"a picture of {width} x {height}")
            self.size = self.size or (width, height)
            region["shape"] = _shape(kind, value, width, height)
            if value.get(REGIONS[kind] or "labels"):
                region["classes"] = value[REGIONS[kind] or "labels"]
            region["source"] = {"prediction": "model", "prediction-changed": "corrected"}.get(
                str(one.get("origin")), ""
            )
            told = one.get("score", value.get("score"))
            if isinstance(told, int | float):
                region["score"] = float(told)
            return
        name = str(one.get("from_name") or kind)
        if kind == "labels" and region is not None:
            region["classes"] = value["labels"]
        elif kind in ("labels", "hypertextlabels") and "start" in value and isinstance(value["start"], int):
            for cls in value.get("labels") or value.get("hypertextlabels") or ():
                self._classes.named(str(cls))
                self._spans.append(Span(int(value["start"]), int(value["end"]), str(cls)))
        elif kind in ("choices", "taxonomy"):
            chosen = value.get("choices") or value.get("taxonomy") or []
            chosen = [" / ".join(map(str, c)) if isinstance(c, list) else str(c) for c in chosen]
            self._said(name, chosen if len(chosen) != 1 else chosen[0], region, is_choice=kind == "choices")
        elif kind == "textarea":
            told = value.get("text", "")
            words = "\n".join(map(str, told)) if isinstance(told, list) else str(told)
            if region is None and self._text is None:
                self._text = words
            else:
                self._said(name, words, region)
        elif kind in ("rating", "number", "datetime", "ranker", "pairwise"):
            key = {"pairwise": "selected"}.get(kind, kind)
            self._said(name, value.get(key), region)
        else:
            self._report.drop("shape-unknown", f"{self._place}: {kind or 'a value without a type'}")

    def _said(self, name: str, value: Any, region: dict[str, Any] | None, *, is_choice: bool = False) -> None:
        if region is not None:
            region["attributes"][name] = value
            return
        if is_choice and not self._choosing:
            self._choosing.append(name)
        if is_choice and name == self._choosing[0]:
            for cls in value if isinstance(value, list) else [value]:
                self._classes.named(cls)
                self._whole.append(cls)
        else:
            self._answers[name] = value

    def saying(self, source: Any) -> Saying:
        things = []
        for key, region in self._regions.items():
            if "shape" not in region:
                continue
            classes = region.get("classes") or []
            if not classes:
                self._report.drop("class-unknown", f"{self._place} (region {key})")
                continue
            self._report.drop("classes-beyond-first", f"{self._place} (region {key})", len(classes) - 1)
            cls = self._classes.named(str(classes[0]))
            things.append(
                Thing(
                    cls.name,
                    region["shape"],
                    region["attributes"],
                    key,
                    region["source"] or source,
                    region.get("score"),
                    place=f"{self._place} (region {key})",
                )
            )
        return Saying(
            source=source,
            classes=tuple(self._whole),
            things=tuple(things),
            spans=tuple(self._spans),
            text=self._text,
            answers=self._answers,
        )


def _shape(kind: str, value: dict[str, Any], width: int, height: int) -> Shape:
    """Per cent to px. Raises ValueError, KeyError or TypeError."""

    def across(name: str) -> float:
        return number(value[name]) * width / 100

    def down(name: str) -> float:
        return number(value[name]) * height / 100

    turn = math.radians(number(value.get("rotation") or 0))
    match kind.removesuffix("labels"):
        case "rectangle":
            x, y, w, h = across("x"), down("y"), across("width"), down("height")
            if w <= 0 or h <= 0:
                raise ValueError("a box without area")
            if not turn:
                return Box(x, y, w, h)
            cx = x + w / 2 * math.cos(turn) - h / 2 * math.sin(turn)
            cy = y + w / 2 * math.sin(turn) + h / 2 * math.cos(turn)
            return Box(cx - w / 2, cy - h / 2, w, h, turn)
        case "polygon":
            ring = tuple((number(x) * width / 100, number(y) * height / 100) for x, y in value["points"])
            if len(ring) < 3:
                raise ValueError(f"an outline of {len(ring)} corners")
            return simple_polygon(ring)
        case "keypoint":
            return Points(((across("x"), down("y")),), (VISIBLE,))
        case "ellipse":
            rx, ry = across("radiusX"), down("radiusY")
            if rx <= 0 or ry <= 0:
                raise ValueError("an ellipse without area")
            return Ellipse(across("x"), down("y"), rx, ry, turn)
        case "brush":
            if value.get("format") != "rle":
                raise ValueError(f"a brush of the format {value.get('format')!r}")
            return masks.from_brush(value["rle"], height, width)
        case _:
            ring = tuple((number(at["x"]) * width / 100, number(at["y"]) * height / 100) for at in value["vertices"])
            return simple_polygon(ring) if value.get("closed") else Polyline(ring)


# ---------------------------------------------------------------- writing
class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._tasks = Spool()
        self._count = 0
        self._used: set[str] = set()
        self._attributes: dict[str, set[str]] = {}

    def add(self, item: Item) -> Iterator[Out]:
        self._count += 1
        annotations, predictions = [], []
        for n, saying in enumerate(item.sayings, 1):
            result = self._result(saying, item)
            if saying.source == "model":
                predictions.append({
                    "model_version": saying.model_version or saying.annotator or "model", "result": result,
                    **({"score": saying.score} if saying.score is not None else {}),
                })  # fmt: skip
            else:
                annotations.append({
                    "id": 1000 * self._count + n, "result": result, "was_cancelled": False,
                    "ground_truth": saying.is_gold,
                    **({"completed_by": {"email": saying.annotator}} if saying.annotator else {}),
                })  # fmt: skip
        data: dict[str, Any] = {key: value for key, value in item.metadata.items() if key not in ("image", "text")}
        if item.body is not None:
            data["text"] = item.body
        else:
            data["image"] = item.url or f"images/{picture_name(item)}"
        if item.split:
            data["split"] = item.split
        task = {"id": self._count, "data": data, "annotations": annotations, "predictions": predictions}
        self._tasks.member(task)
        if item.picture:
            yield Picture(f"images/{picture_name(item)}", item)

    def _result(self, saying: Saying, item: Item) -> list[dict[str, Any]]:
        subject = "text" if item.body is not None else "image"
        out: list[dict[str, Any]] = []
        if saying.classes:
            self._used.add("choices")
            out.append(
                {"id": "class", "from_name": "class", "to_name": subject, "type": "choices",
                 "value": {"choices": list(saying.classes)}}
            )  # fmt: skip
            for cls in saying.classes:
                self._target.classes.named(cls)
        if saying.text is not None:
            self._used.add("textarea")
            out.append(
                {"id": "words", "from_name": "words", "to_name": subject, "type": "textarea",
                 "value": {"text": [saying.text]}}
            )  # fmt: skip
        for name, value in saying.answers.items():
            out.append(self._answer(f"answer-{name}", name, value, subject, {}))
        for n, span in enumerate(saying.spans):
            self._used.add("labels")
            self._target.classes.named(span.cls)
            out.append(
                {"id": f"span{n}", "from_name": "span", "to_name": subject, "type": "labels",
                 "value": {"start": span.start, "end": span.end, "text": (item.body or "")[span.start : span.end],
                           "labels": [span.cls]}}
            )  # fmt: skip
        for n, thing in enumerate(saying.things):
            if not (item.width_px and item.height_px):
                self._target.report.drop("no-size", thing.place or item.name)
                continue
            out += self._region(thing, f"r{n}", subject, item.width_px, item.height_px)
        return out

    def _region(self, thing: Thing, key: str, subject: str, width: int, height: int) -> list[dict[str, Any]]:
        kind, value = _value(thing.shape, width, height)
        self._used.add(kind)
        self._target.classes.named(thing.cls)
        size = {"original_width": width, "original_height": height, "image_rotation": 0}
        origin = {"model": "prediction", "corrected": "prediction-changed"}.get(thing.source, "manual")
        one: dict[str, Any] = {
            "id": key, "from_name": kind.removesuffix("labels"), "to_name": subject, "type": kind, "origin": origin,
            **size,
            "value": {**value, kind: [thing.cls]},
        }  # fmt: skip
        if thing.score is not None:
            one["score"] = thing.score
        return [
            one,
            *(
                self._answer(key, name, told, subject, {**size, "value": value})
                for name, told in thing.attributes.items()
            ),
        ]

    def _answer(self, key: str, name: str, value: Any, subject: str, beside: dict[str, Any]) -> dict[str, Any]:
        told = beside.get("value", {})
        shared = {**beside, "id": key, "from_name": name, "to_name": subject}
        if isinstance(value, int | float) and not isinstance(value, bool):
            self._attributes.setdefault(f"number {name}", set())
            return {**shared, "type": "number", "value": {**told, "number": value}}
        values = [str(one) for one in value] if isinstance(value, list) else [_word(value)]
        known = self._attributes.setdefault(f"choices {name}", set())
        if len(known) < 200:
            known.update(values)
        return {**shared, "type": "choices", "value": {**told, "choices": values}}

    def end(self) -> Iterator[Out]:
        yield File("tasks.json", self._document())
        yield File("label_config.xml", [config_of(self._used, self._attributes, self._target.classes.names).encode()])

    def _document(self) -> Iterator[bytes]:
        yield b"["
        yield from self._tasks.parts()
        yield b"]\n"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(shape: Shape, width: int, height: int) -> tuple[str, dict[str, Any]]:
    match shape:
        case Box():
            cos, sin = math.cos(shape.rotation_rad), math.sin(shape.rotation_rad)
            cx, cy = shape.x + shape.w / 2, shape.y + shape.h / 2
            x = cx - shape.w / 2 * cos + shape.h / 2 * sin
            y = cy - shape.w / 2 * sin - shape.h / 2 * cos
            return "rectanglelabels", {
                "x": 100 * x / width, "y": 100 * y / height, "width": 100 * shape.w / width,
                "height": 100 * shape.h / height, "rotation": math.degrees(shape.rotation_rad) % 360,
            }  # fmt: skip
        case Polygon():
            points = [[100 * x / width, 100 * y / height] for x, y in shape.parts[0][0]]
            return "polygonlabels", {"points": points, "closed": True}
        case Points():
            (x, y) = shape.points[0]
            return "keypointlabels", {"x": 100 * x / width, "y": 100 * y / height, "width": 0.5}
        case Ellipse():
            return "ellipselabels", {
                "x": 100 * shape.cx / width, "y": 100 * shape.cy / height, "radiusX": 100 * shape.rx / width,
                "radiusY": 100 * shape.ry / height, "rotation": math.degrees(shape.rotation_rad) % 360,
            }  # fmt: skip
        case Mask():
            return "brushlabels", {"format": "rle", "rle": masks.to_brush(shape)}
    raise AssertionError(shape)


labelstudio = LabelStudio()
