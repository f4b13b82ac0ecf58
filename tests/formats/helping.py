"""Files in memory, and items as annotators leave them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import IO, Any

from PIL import Image

from cupola.formats.convert import Counts, written
from cupola.formats.form import File, Form
from cupola.formats.model import Class, Classes, Item, Reading, Saying, Thing
from cupola.formats.report import Report
from cupola.formats.tree import Pictures


class Memory:
    """A folder that is a dictionary."""

    def __init__(self, files: Mapping[str, bytes], title: str = "set") -> None:
        self.files, self.title = dict(files), title

    @property
    def names(self) -> list[str]:
        return sorted(self.files)

    def open(self, name: str) -> IO[bytes]:
        return io.BytesIO(self.files[name])

    def size(self, name: str) -> int:
        return len(self.files[name])


def png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (width, height)).save(out, "PNG")
    return out.getvalue()


def write(
    form: Form, items: Sequence[Item], classes: Sequence[Class], pictures: Mapping[str, bytes]
) -> tuple[Memory, Report]:
    """The files that a format makes of items."""
    report = Report()
    source = Memory(pictures)
    out: dict[str, bytes] = {}
    reading = Reading(Classes(classes), iter(items))
    for one in written(reading, form, report, Counts(), title="set", pictures=Pictures(source)):
        assert one.name not in out, one.name
        out[one.name] = b"".join(one.parts) if isinstance(one, File) else pictures[one.item.picture]
    return Memory(out), report


def read(form: Form, files: Memory) -> tuple[list[Item], Classes, Report]:
    report = Report()
    reading = form.read(files, report)
    return list(reading.items), reading.classes, report


def read_files(form: Form, **files: Any) -> tuple[list[Item], Report]:
    """What is read of texts. Names: with `__` for a slash and `_dot_` for a dot."""
    named = {
        name.replace("__", "/").replace("_dot_", "."): text if isinstance(text, bytes) else text.encode()
        for name, text in files.items()
    }
    items, _, report = read(form, Memory(named))
    return items, report


def things(items: Sequence[Item]) -> list[Thing]:
    return [thing for item in items for saying in item.sayings for thing in saying.things]


def reasons(report: Report) -> dict[str, int]:
    return {one.reason: one.count for one in report.dropped}


def one_item(*found: Thing, width: int = 60, height: int = 40, name: str = "a.png", **more: Any) -> Item:
    return Item(name, name, width_px=width, height_px=height, sayings=(Saying(things=found, **more),))
