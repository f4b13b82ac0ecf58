"""Pascal VOC: an XML file of boxes for each picture (Everingham et al., 2010). Pixels count from 1 there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from xml.sax.saxutils import escape

from cupola.formats.fitting import bounds, clipped_box
from cupola.formats.form import File, Flat, Form, Out, Picture, Spool, Target, in_words, nothing, picture_name
from cupola.formats.model import Box, Classes, Item, Polygon, Reading, Saying, Thing
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures, ending, head, number, with_ending
from cupola.formats.xmlstream import Element, elements
from cupola.kernel.errors import Problem

_unfit = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_root = re.compile(rb"<annotation[\s>]")
_FLAGS = ("truncated", "difficult", "occluded")


class Voc(Form):
    name = "voc"
    by_picture = True
    title = "Pascal VOC"
    about = in_words("Pictures, and an XML file of boxes for each", "图片，每张附一个框的 XML 文件")
    holds = frozenset({"box", "attributes"})
    needs_size = True

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = next(iter(_documents(files)), None)
        return None if found is None else (0.9, f"{found} is the annotation of one picture")

    def read(self, files: Files, report: Report) -> Reading:
        names = list(_documents(files))
        if not names:
            raise nothing(self, "no XML file begins with <annotation>")
        classes = Classes()
        return Reading(classes, _items(files, names, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _documents(files: Files) -> Iterator[str]:
    return (name for name in with_ending(files, "xml") if _root.search(head(files, name, 4096)))


def _items(files: Files, names: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    pictures = Pictures(files)
    splits = _splits(files)
    for name in names:
        try:
            found = list(elements(files, name, report, "annotation"))
        except Problem as problem:
            # one file of thousands: the others can be read
            report.drop("entry-malformed", problem.detail)
            continue
        for one in found:
            yield _item(one, name, pictures, splits, classes, report)


def _splits(files: Files) -> dict[str, str]:
    out: dict[str, str] = {}
    for name in files.names:
        pure = PurePosixPath(name)
        if pure.suffix == ".txt" and pure.parent.name == "Main" and pure.stem in ("train", "val", "test"):
            with files.open(name) as stream:
                for line in stream.read(64 * 1024 * 1024).decode("utf-8", "replace").splitlines():
                    if words := line.split():
                        out[words[0]] = pure.stem
    return out


def _item(
    one: Element, name: str, pictures: Pictures, splits: dict[str, str], classes: Classes, report: Report
) -> Item:
    stem = PurePosixPath(name).stem
    told = one.said("filename") or one.said("path")
    above = PurePosixPath(name).parent.parent.as_posix()
    folders = [f"{above}/JPEGImages/" if above != "." else "JPEGImages/", f"{PurePosixPath(name).parent.as_posix()}/"]
    picture = pictures.find(told, *folders) if told else ""
    picture = picture or pictures.find(stem, *folders, stem=True)
    known = pictures.size(picture) if picture else None
    try:
        width, height = int(float(one.said("size", "width"))), int(float(one.said("size", "height")))
    except ValueError:
        width = height = 0
    if known is not None and (width, height) != known:
        if width and height:
            report.drop("size-differs", f"{name}: {width} x {height}, the picture has {known[0]} x {known[1]}")
        if not width or not height:
            width, height = known
    things = []
    for part in one.all("object"):
        place = f"{name}:{part.line}"
        thing = _thing(part, place, report)
        if thing is not None:
            classes.named(thing.cls)
            things.append(thing)
    shown = told.replace("\\", "/").rsplit("/", 1)[-1] if told else stem
    return Item(
        shown or stem,
        picture,
        width_px=width or None,
        height_px=height or None,
        sayings=(Saying(things=tuple(things)),),
        split=splits.get(stem, ""),
        place=name,
    )


def _outlined(one: Element, cls: str, place: str, report: Report) -> Thing | None:
    """An object of the XML that LabelMe wrote before it wrote JSON: corners, counted from 0."""
    outline = one.first("polygon")
    if outline is None:
        report.drop("shape-unknown", place)
        return None
    try:
        ring = tuple((number(at.said("x")), number(at.said("y"))) for at in outline.all("pt"))
    except ValueError as error:
        report.drop("shape-malformed", f"{place}: {error}")
        return None
    if len(ring) < 3:
        report.drop("shape-malformed", f"{place}: {len(ring)} corners")
        return None
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    if max(xs) <= min(xs) or max(ys) <= min(ys):
        report.drop("shape-empty", f"{place}: {cls}")
        return None
    if one.said("type") == "bounding_box":
        return Thing(cls, Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)), place=place)
    return Thing(cls, Polygon(((ring,),)), place=place)


def _thing(one: Element, place: str, report: Report) -> Thing | None:
    cls = one.said("name")
    box = one.first("bndbox")
    if not cls:
        report.drop("class-unknown", place)
        return None
    if one.said("deleted") == "1":
        report.drop("annotation-cancelled", place)
        return None
    if box is None:
        return _outlined(one, cls, place, report)
    try:
        # from 1, both ends included: the pixels 1 to 1 are one pixel wide
        x0, y0 = number(box.said("xmin")) - 1, number(box.said("ymin")) - 1
        x1, y1 = number(box.said("xmax")), number(box.said("ymax"))
    except ValueError as error:
        report.drop("shape-malformed", f"{place}: {error}")
        return None
    if x1 <= x0 or y1 <= y0:
        report.drop("shape-empty", f"{place}: {cls}")
        return None
    attributes: dict[str, object] = {name: True for name in _FLAGS if one.said(name) == "1"}
    if (pose := one.said("pose")) and pose != "Unspecified":
        attributes["pose"] = pose
    told = one.first("attributes")
    for pair in told.all("attribute") if told is not None else ():
        attributes[pair.said("name")] = _value(pair.said("value"))
    report.drop("tag-unknown", f"{place}: part", len(one.all("part")))
    return Thing(cls, Box(max(0.0, x0), max(0.0, y0), x1 - max(0.0, x0), y1 - max(0.0, y0)), attributes, place=place)


def _value(text: str) -> object:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(found, dict) or found is None else found


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._flat = Flat()
        self._lists: dict[str, Spool] = {}

    def add(self, item: Item) -> Iterator[Out]:
        file = picture_name(item)
        stem = self._flat.name(file[: -len(ending(file)) - 1])
        split = item.split or "trainval"
        self._lists.setdefault(split, Spool()).write(f"{stem}\n".encode())
        yield File(f"Annotations/{stem}.xml", [self._xml(item, f"{stem}.{ending(file)}").encode()])
        if item.picture:
            yield Picture(f"JPEGImages/{stem}.{ending(file)}", item)

    def _xml(self, item: Item, file: str) -> str:
        width, height = item.width_px or 0, item.height_px or 0
        objects = []
        for saying in item.sayings:
            for thing in saying.things:
                x0, y0, x1, y1 = bounds(thing.shape)
                box = clipped_box(Box(x0, y0, x1 - x0, y1 - y0), width, height)
                if box is None:
                    self._target.report.drop("outside", thing.place or item.name)
                    continue
                left, top = max(1, round(box.x) + 1), max(1, round(box.y) + 1)
                right, bottom = min(width, round(box.x + box.w)), min(height, round(box.y + box.h))
                told = dict(thing.attributes)
                flags = "".join(f"<{name}>{int(bool(told.pop(name, False)))}</{name}>" for name in _FLAGS)
                pose = escape(_text(str(told.pop("pose", "Unspecified"))))
                objects.append(
                    f"<object><name>{escape(_text(thing.cls))}</name><pose>{pose}</pose>{flags}<bndbox><xmin>{left}</xmin>"
                    f"<ymin>{top}</ymin><xmax>{max(left, right)}</xmax><ymax>{max(top, bottom)}</ymax></bndbox>"
                    f"{_attributes(told)}</object>\n"
                )
        return (
            f"<annotation><folder>JPEGImages</folder><filename>{escape(_text(file))}</filename>"
            f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size><segmented>0</segmented>\n"
            f"{''.join(objects)}</annotation>\n"
        )

    def end(self) -> Iterator[Out]:
        for split, names in self._lists.items():
            yield File(f"ImageSets/Main/{split}.txt", names.parts())
        classes = [_text(name) for name in self._target.classes.names]
        if any(":" in name or name.startswith("#") or name != name.strip() or "\n" in name for name in classes):
            told = {"label_map": {str(n): name for n, name in enumerate(classes)}}
            yield File("dataset_meta.json", [json.dumps(told, ensure_ascii=False).encode()])
        else:
            lines = "".join(f"{name}:::\n" for name in classes)
            yield File("labelmap.txt", [f"# label:color_rgb:parts:actions\n{lines}".encode()])


def _attributes(told: dict[str, object]) -> str:
    pairs = "".join(
        f"<attribute><name>{escape(_text(name))}</name>"
        f"<value>{escape(_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))}</value>"
        "</attribute>"
        for name, value in told.items()
    )
    return f"<attributes>{pairs}</attributes>" if pairs else ""


def _text(text: str) -> str:
    return _unfit.sub("\ufffd", text)


voc = Voc()
