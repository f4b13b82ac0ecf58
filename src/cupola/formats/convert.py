"""From one format to another, at constant memory, with the report of what was lost on the way."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cupola.formats.fitting import Fitter
from cupola.formats.form import File, Form, Out, Picture, Target
from cupola.formats.model import Item, Reading
from cupola.formats.report import Report
from cupola.formats.tree import Files, Folder, Pictures
from cupola.kernel.errors import invalid

HASH_PARTS = 10_000


@dataclass(slots=True)
class Counts:
    """What went through."""

    items: int = 0
    objects: int = 0
    classes_of_items: int = 0
    pictures: int = 0
    files: int = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """How items are divided: shares of train, val and test, together 1. by_group: the part of a name up to its last
    slash stays together (one drive, one patient), else each item for itself."""

    train: float
    val: float
    test: float
    by_group: bool = False

    def of(self, name: str) -> str:
        """Where a name belongs: by its hash, so it stays there when others come."""
        key = name.rsplit("/", 1)[0] if self.by_group and "/" in name else name
        place = int.from_bytes(hashlib.sha256(key.encode("utf-8", "replace")).digest()[:8], "big") % HASH_PARTS
        share = place / HASH_PARTS
        return "train" if share < self.train else "val" if share < self.train + self.val else "test"


def shares_from(text: str, by_group: bool = False) -> Shares:
    """ "80/10/10" or "90/10". Raises Problem (INVALID)."""
    try:
        parts = [float(part) for part in text.replace(":", "/").split("/")]
    except ValueError:
        parts = []
    if not 2 <= len(parts) <= 3 or min(parts) < 0 or sum(parts) <= 0:
        raise invalid("split-malformed", f"{text!r} is no division.", remedy='Write shares, as in "80/10/10".')
    whole = sum(parts)
    train, val, test = (*(part / whole for part in parts), 0.0)[:3]
    return Shares(train, val, test, by_group)


def divided(items: Iterator[Item], shares: Shares | None) -> Iterator[Item]:
    """With the split that each has, or the one that the shares give it."""
    for item in items:
        yield item if shares is None else replace(item, split=shares.of(item.name))


def once(items: Iterator[Item], report: Report) -> Iterator[Item]:
    """Each name once: the first of it."""
    seen: set[bytes] = set()
    for item in items:
        key = hashlib.sha256(item.name.encode("utf-8", "replace")).digest()[:12]
        if key in seen:
            report.drop("name-twice", item.place or item.name)
            continue
        seen.add(key)
        yield item


def sized(items: Iterator[Item], pictures: Pictures | None) -> Iterator[Item]:
    """With the size of the picture where the file tells none."""
    for item in items:
        if pictures is not None and item.picture and not (item.width_px and item.height_px):
            known = pictures.size(item.picture)
            if known is not None:
                item = replace(item, width_px=known[0], height_px=known[1])
        yield item


def written(
    reading: Reading, form: Form, report: Report, counts: Counts, *, title: str, pictures: Pictures | None = None
) -> Iterator[Out]:
    """The files of the result, one after another."""
    target = Target(reading.classes, report, title)
    writer = form.writer(target)
    fitter = Fitter(form.holds, report)
    for item in sized(once(reading.items, report), pictures):
        if form.needs_picture and not item.picture:
            report.drop("picture-missing", item.place or item.name)
            continue
        if form.needs_size and not (item.width_px and item.height_px):
            report.drop("no-size", item.place or item.name)
            continue
        if item.body is not None and not form.is_text:
            report.drop("no-picture", item.place or item.name)
            continue
        fitted = fitter.item(item)
        counts.items += 1
        counts.objects += sum(len(one.things) for one in fitted.sayings)
        counts.classes_of_items += sum(len(one.classes) for one in fitted.sayings)
        yield from writer.add(fitted)
    yield from writer.end()


def lay(outs: Iterator[Out], source: Files, to: Path, counts: Counts, *, pictures: bool) -> None:
    """Write the files into a folder. A picture is linked where the file system can, else copied."""
    root = to.resolve()
    for one in outs:
        path = root / one.name
        if not path.resolve().is_relative_to(root):
            raise invalid("path-traversal", f"The name {one.name!r} leads out of the folder.", place=one.name)
        if isinstance(one, Picture) and not pictures:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(one, File):
            with path.open("wb") as file:
                for part in one.parts:
                    file.write(part)
            counts.files += 1
            continue
        counts.pictures += 1
        _place(source, one.item.picture, path)


def _place(source: Files, name: str, path: Path) -> None:
    if isinstance(source, Folder):
        try:
            os.link(source.path(name), path)
        except OSError:
            pass
        else:
            return
    with source.open(name) as stream, path.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)


def watched(items: Iterator[Item], each: Callable[[], None]) -> Iterator[Item]:
    for item in items:
        yield item
        each()
