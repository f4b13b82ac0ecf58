"""Scalabel's JSON, which BDD100K is in: frames with labels of box2d, poly2d (lines with curves) and attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cupola.formats import masks
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
    split_of,
)
from cupola.formats.jsonstream import members
from cupola.formats.model import Box, Classes, Item, Mask, Polygon, Polyline, Reading, Ring, Saying, Shape, Thing
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, head, number, with_ending

CURVE_STEPS = 8


class Scalabel(Form):
    name = "scalabel"
    title = "BDD100K / Scalabel"
    about = in_words("Scalabel's JSON, as BDD100K is published", "Scalabel JSON，即 BDD100K 的发布格式")
    holds = frozenset({"box", "polygon", "parts", "polyline", "mask", "attributes", "score", "tracks"})

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = _documents(files)
        return (0.95, f"{found[0]} is a list of frames with box2d or poly2d") if found else None

    def read(self, files: Files, report: Report) -> Reading:
        found = _documents(files)
        if not found:
            raise nothing(self, "no JSON file has frames with labels of box2d or poly2d")
        classes = Classes()
        return Reading(classes, _items(files, found, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _documents(files: Files) -> list[str]:
    return [
        name
        for name in with_ending(files, "json")
        if b'"labels"' in (start := head(files, name))
        and b'"items"' not in start  # Datumaro's own
        and any(word in start for word in (b'"box2d"', b'"poly2d"', b'"videoName"', b'"rle"'))
    ]


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    for name in names:
        size: tuple[int | None, int | None] = (None, None)
        for key, value, line in members(files, name, report):
            if key == "config" and isinstance(value, dict):
                told = value.get("imageSize") or {}
                size = (told.get("width"), told.get("height"))
                for one in value.get("categories") or ():
                    classes.named(str(one.get("name")))
            elif key in ("", "frames") and isinstance(value, dict):
                yield _item(value, f"{name}:{line}", split_of(name), size, pictures, classes, report)


def _item(
    one: dict[str, Any],
    place: str,
    split: str,
    size: tuple[int | None, int | None],
    pictures: Pictures,
    classes: Classes,
    report: Report,
) -> Item:
    shown = str(one.get("name", place))
    picture = pictures.find(shown, f"images/{split}/", "images/")
    told = one.get("size") or {}
    width, height = told.get("width", size[0]), told.get("height", size[1])
    if not (width and height):
        width, height = (pictures.size(picture) if picture else None) or (None, None)
    things: list[Thing] = []
    for n, row in enumerate(one.get("labels") or ()):
        where = f"{place}: label {n + 1}"
        cls = str(row.get("category") or "")
        if not cls:
            report.drop("class-unknown", where)
            continue
        try:
            shapes = list(_shapes(row))
        except (ValueError, KeyError, TypeError) as error:
            report.drop("shape-malformed", f"{where}: {error}")
            continue
        if not shapes:
            report.drop("shape-unknown", where)
        classes.named(cls)
        attributes = {key: value for key, value in (row.get("attributes") or {}).items() if value is not None}
        if row.get("crowd") is True:
            attributes["iscrowd"] = True
        score = row.get("score")
        things += [
            Thing(cls, shape, attributes, str(row.get("id", "")), score=score if isinstance(score, float) else None,
                  track=str(row.get("id", "")) if one.get("videoName") else "", place=where)
            for shape in shapes
        ]  # fmt: skip
    more = {key: value for key, value in (one.get("attributes") or {}).items() if isinstance(value, str | int | float)}
    if one.get("videoName"):
        more |= {"video": str(one["videoName"]), "frame": one.get("frameIndex", 0)}
    return Item(
        shown,
        picture,
        str(one.get("url") or ""),
        None,
        width,
        height,
        (Saying(things=tuple(things)),),
        split,
        more,
        place,
    )


def _shapes(row: dict[str, Any]) -> Iterator[Shape]:
    if row.get("box2d"):
        x0, y0, x1, y1 = (number(row["box2d"][name]) for name in ("x1", "y1", "x2", "y2"))
        if x1 <= x0 or y1 <= y0:
            raise ValueError("a box without area")
        yield Box(x0, y0, x1 - x0, y1 - y0)
    if row.get("rle"):
        height, width = row["rle"]["size"]
        mask = Mask(int(height), int(width), masks.counts_from_text(str(row["rle"]["counts"])))
        masks.to_raster(mask)
        yield mask
    closed = []
    for one in row.get("poly2d") or ():
        ring = _line([(number(x), number(y)) for x, y, *_ in one["vertices"]], str(one.get("types") or ""))
        if one.get("closed"):
            if len(ring) < 3:
                raise ValueError(f"an outline of {len(ring)} corners")
            closed.append(ring)
        else:
            yield Polyline(ring)
    if closed:
        yield Polygon(tuple((ring,) for ring in closed))


def _line(points: list[tuple[float, float]], types: str) -> Ring:
    """L: a place that the line passes; C: a place that a cubic curve leans to, two between those it passes."""
    if "C" not in types or len(types) != len(points):
        return tuple(points)
    out = [points[0]]
    n = 1
    while n < len(points):
        if types[n] == "C" and n + 1 < len(points):
            a, b, c, d = out[-1], points[n], points[n + 1], points[(n + 2) % len(points)]
            for step in range(1, CURVE_STEPS + 1):
                t = step / CURVE_STEPS
                s = 1 - t
                out.append(
                    (
                        s**3 * a[0] + 3 * s * s * t * b[0] + 3 * s * t * t * c[0] + t**3 * d[0],
                        s**3 * a[1] + 3 * s * s * t * b[1] + 3 * s * t * t * c[1] + t**3 * d[1],
                    )
                )
            n += 3
        else:
            out.append(points[n])
            n += 1
    return tuple(out)


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._splits: dict[str, Spool] = {}

    def add(self, item: Item) -> Iterator[Out]:
        split = item.split or "train"
        name = picture_name(item)
        labels: list[dict[str, Any]] = []
        for saying in item.sayings:
            for thing in saying.things:
                self._target.classes.named(thing.cls)
                told = {key: value for key, value in thing.attributes.items() if key != "iscrowd"}
                row: dict[str, Any] = {"id": thing.track or thing.id or str(len(labels)), "category": thing.cls}
                if told:
                    row["attributes"] = told
                if thing.attributes.get("iscrowd") is True:
                    row["crowd"] = True
                if thing.score is not None:
                    row["score"] = thing.score
                labels.append(row | _value(thing.shape))
        frame: dict[str, Any] = {"name": name, "labels": labels}
        if item.width_px and item.height_px:
            frame["size"] = {"width": item.width_px, "height": item.height_px}
        if item.url:
            frame["url"] = item.url
        if item.metadata.get("video") is not None:
            frame |= {"videoName": item.metadata["video"], "frameIndex": item.metadata.get("frame", 0)}
        self._splits.setdefault(split, Spool()).member(frame)
        if item.picture:
            yield Picture(f"images/{split}/{name}", item)

    def end(self) -> Iterator[Out]:
        categories = [{"name": name} for name in self._target.classes.names]
        for split, frames in (self._splits or {"train": Spool()}).items():
            yield File(f"labels/{split}.json", self._document(frames, categories))

    def _document(self, frames: Spool, categories: list[dict[str, str]]) -> Iterator[bytes]:
        yield b'{"frames":['
        yield from frames.parts()
        yield b'],"config":' + dumps({"categories": categories}) + b"}\n"


def _value(shape: Shape) -> dict[str, Any]:
    match shape:
        case Box():
            return {"box2d": {"x1": shape.x, "y1": shape.y, "x2": shape.x + shape.w, "y2": shape.y + shape.h}}
        case Polygon():
            return {"poly2d": [_poly(part[0], closed=True) for part in shape.parts]}
        case Polyline():
            return {"poly2d": [_poly(shape.points, closed=False)]}
        case Mask():
            return {"rle": {"size": [shape.height, shape.width], "counts": masks.counts_to_text(shape.counts)}}
    raise AssertionError(shape)


def _poly(ring: Ring, *, closed: bool) -> dict[str, Any]:
    return {"vertices": [list(at) for at in ring], "types": "L" * len(ring), "closed": closed}


scalabel = Scalabel()
