"""All that lies in a folder of annotations: what its files say, and the pictures beside of which they say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from cupola.formats.form import Form, split_of
from cupola.formats.model import Item, Reading
from cupola.formats.report import Report
from cupola.formats.tree import Files, Pictures


def read(form: Form, files: Files, report: Report) -> Reading:
    """As `form.read`. A picture that lies among those that were named, and was not itself, is an item of which nothing
    is said where each picture has its own annotation, and is counted where a list says which pictures there are."""
    reading = form.read(files, report)
    return Reading(reading.classes, _items(form, files, reading.items, report))


def _items(form: Form, files: Files, items: Iterator[Item], report: Report) -> Iterator[Item]:
    named: set[str] = set()
    folders: set[PurePosixPath] = set()
    by_path = False
    for item in items:
        yield item
        if item.picture:
            named.add(item.picture)
            folders.add(PurePosixPath(item.picture).parent)
            by_path = item.name == item.picture
    pictures = Pictures(files)
    for path in pictures.paths:
        pure = PurePosixPath(path)
        if path in named or pure.parent not in folders:
            continue
        if not form.by_picture:
            report.drop("picture-unnamed", path)
            continue
        size = pictures.size(path)
        yield Item(
            path if by_path else pure.name,
            path,
            width_px=size[0] if size else None,
            height_px=size[1] if size else None,
            split=split_of(path),
            place=path,
        )
