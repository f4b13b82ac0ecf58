"""Open Images' CSV: a row for each box, in shares of the picture, and another file for classes of whole pictures."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import PurePosixPath

from cupola.formats.fitting import clipped_box
from cupola.formats.form import File, Form, Out, Picture, Spool, Target, in_words, nothing, picture_name, split_of
from cupola.formats.model import Box, Classes, Item, Reading, Saying, Thing
from cupola.formats.report import Report
from cupola.formats.spill import Spill
from cupola.formats.tree import Files, Pictures, ending, head, lines_of, number, with_ending

FLAGS = {
    "IsOccluded": "occluded", "IsTruncated": "truncated", "IsGroupOf": "iscrowd", "IsDepiction": "depiction",
    "IsInside": "inside",
}  # fmt: skip
HEAD = ("ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", *FLAGS)


class OpenImages(Form):
    name = "openimages"
    by_picture = True
    title = "Open Images"
    about = in_words("A CSV file of boxes and one of classes", "框与类别各一个 CSV 文件")
    holds = frozenset({"box", "classes", "several-classes", "attributes"})
    needs_size = True

    def sniff(self, files: Files) -> tuple[float, str] | None:
        found = _tables(files)
        return (0.95, f"{found[0]} begins with ImageID and LabelName") if found else None

    def read(self, files: Files, report: Report) -> Reading:
        found = _tables(files)
        if not found:
            raise nothing(self, "no CSV file begins with ImageID and LabelName")
        classes = Classes()
        return Reading(classes, _items(files, found, classes, report))

    def writer(self, target: Target) -> _Writer:
        return _Writer(target)


def _tables(files: Files) -> list[str]:
    return [name for name in with_ending(files, "csv") if {b"ImageID", b"LabelName"} <= _columns(files, name)]


def _columns(files: Files, name: str) -> set[bytes]:
    return set(head(files, name, 4096).split(b"\n", 1)[0].strip().split(b","))


def _names(files: Files, report: Report) -> dict[str, str]:
    """Identifier of a class -> its name."""
    out: dict[str, str] = {}
    for name in with_ending(files, "csv"):
        if "class" in PurePosixPath(name).name and name not in _tables(files):
            for row in csv.reader(line for _, line in lines_of(files, name, report)):
                if len(row) == 2 and row[0] != "LabelName":
                    out[row[0]] = row[1]
    return out


def _items(files: Files, tables: list[str], classes: Classes, report: Report) -> Iterator[Item]:
    names = _names(files, report)
    for title in names.values():
        classes.named(title)
    pictures = Pictures(files)
    with Spill() as rows:
        for table in tables:
            lines = lines_of(files, table, report)
            columns = next(csv.reader([next(lines)[1]]))
            for line, text in lines:
                if text.strip():
                    cells = dict(zip(columns, next(csv.reader([text])), strict=False))
                    rows.add(cells.get("ImageID", ""), [cells, f"{table}:{line}", split_of(table)])
        for image in rows.keys:
            picture = pictures.find(image, "images/", stem="." not in image)
            size = pictures.size(picture) if picture else None
            things: list[Thing] = []
            whole: list[str] = []
            split = place = ""
            for cells, where, told in rows.of(image):
                split, place = split or told, place or where
                _take(cells, where, names, size, things, whole, report)
            for cls in (*whole, *(one.cls for one in things)):
                classes.named(cls)
            yield Item(
                PurePosixPath(picture).name or image,
                picture,
                width_px=size[0] if size else None,
                height_px=size[1] if size else None,
                sayings=(Saying(classes=tuple(dict.fromkeys(whole)), things=tuple(things)),),
                split=split,
                place=place,
            )


def _take(
    cells: dict[str, str],
    where: str,
    names: dict[str, str],
    size: tuple[int, int] | None,
    things: list[Thing],
    whole: list[str],
    report: Report,
) -> None:
    label = cells.get("LabelName", "")
    cls = names.get(label, label)
    if not cls:
        report.drop("class-unknown", where)
        return
    if not cells.get("XMin"):
        if cells.get("Confidence", "1") not in ("0", "0.0"):  # it was looked for and not found
            whole.append(cls)
        return
    if size is None:
        report.drop("no-size", where)
        return
    try:
        x0, x1, y0, y1 = (number(cells[name]) for name in ("XMin", "XMax", "YMin", "YMax"))
    except (KeyError, ValueError) as error:
        report.drop("shape-malformed", f"{where}: {error}")
        return
    if x1 <= x0 or y1 <= y0:
        report.drop("shape-empty", where)
        return
    width, height = size
    told = {name: True for column, name in FLAGS.items() if cells.get(column) == "1"}
    things.append(Thing(cls, Box(x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height), told, place=where))


class _Writer:
    def __init__(self, target: Target) -> None:
        self._target = target
        self._boxes: dict[str, Spool] = {}
        self._classes: dict[str, Spool] = {}

    def add(self, item: Item) -> Iterator[Out]:
        split = item.split or "train"
        name = picture_name(item)
        image = name[: -len(ending(name)) - 1]
        for saying in item.sayings:
            for cls in saying.classes:
                self._target.classes.named(cls)
                _row(self._classes, split, ["ImageID", "Source", "LabelName", "Confidence"],
                     [image, "verification", cls, "1"])  # fmt: skip
            for thing in saying.things:
                self._thing(thing, image, split, item)
        if item.picture:
            yield Picture(f"images/{split}/{name}", item)

    def _thing(self, thing: Thing, image: str, split: str, item: Item) -> None:
        width, height = float(item.width_px or 1), float(item.height_px or 1)
        self._target.classes.named(thing.cls)
        assert isinstance(thing.shape, Box)
        box = clipped_box(thing.shape, width, height)
        if box is None:
            self._target.report.drop("outside", thing.place or item.name)
            return
        told = dict(thing.attributes)
        flags = [str(int(bool(told.pop(name, False)))) for name in FLAGS.values()]
        self._target.report.drop("attributes", thing.place or item.name, len(told))
        shares = (box.x / width, (box.x + box.w) / width, box.y / height, (box.y + box.h) / height)
        _row(self._boxes, split, list(HEAD), [image, "xclick", thing.cls, "1", *(f"{n:.8f}" for n in shares), *flags])

    def end(self) -> Iterator[Out]:
        for split, rows in self._boxes.items():
            yield File(f"{split}-annotations-bbox.csv", rows.parts())
        for split, rows in self._classes.items():
            yield File(f"{split}-annotations-human-imagelabels.csv", rows.parts())
        names = Spool()
        for name in self._target.classes.names:
            names.write(_line([name, name]))
        yield File("class-descriptions.csv", names.parts())


def _row(spools: dict[str, Spool], split: str, columns: list[str], cells: list[str]) -> None:
    if split not in spools:
        spools[split] = Spool()
        spools[split].write(_line(columns))
    spools[split].write(_line(cells))


def _line(cells: list[str]) -> bytes:
    quoted = (f'"{cell.replace(chr(34), chr(34) * 2)}"' if set(cell) & set(',"\n\r') else cell for cell in cells)
    return (",".join(quoted) + "\n").encode()


openimages = OpenImages()
