"""What lies beside the pictures of an archive: which file is which reference, and what the format could not hold."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from types import TracebackType

from cupola.formats.report import Report
from cupola.labels import Thing
from cupola.labels.shapes import of as shape_type
from cupola.releases.exporters.archive import Lines, ZipStream
from cupola.releases.exporters.base import Row
from cupola.releases.exporters.naming import ENDINGS
from cupola.releases.exporters.parts import several

# The picture endings that trainers look for, of those that we have; others they pass over in silence.
READ = frozenset({"image/png", "image/jpeg", "image/webp", "image/bmp"})
ORIENTATION = "exif_orientation"  # as an import writes it into an item's metadata


class Beside:
    """files.jsonl and left_out.jsonl of an archive. A context manager, whose lists wait on disk when they are long."""

    def __init__(self, report: Report | None = None) -> None:
        self._files, self._left_out, self._report = Lines(), Lines(), report

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None) -> None:
        self._files.close()
        self._left_out.close()

    def file(self, row: Row, path: str) -> None:
        """A picture was written. One that is stored turned says so, for there are readers that pass over it."""
        turned = {ORIENTATION: row.metadata[ORIENTATION]} if ORIENTATION in row.metadata else {}
        self._files.add(json.dumps({"ref": row.ref, "file": path, **turned}, ensure_ascii=False))

    def left_out(self, row: Row, why: str) -> None:
        """The item, or some of it, was not written."""
        if self._report is not None:
            self._report.drop("left-out", f"{row.ref}: {why}")
        self._left_out.add(json.dumps({"ref": row.ref, "why": why}, ensure_ascii=False))

    async def entries(self, archive: ZipStream) -> AsyncIterator[bytes]:
        """Both lists as entries of the archive, as far as there is something in them."""
        for name, lines in (("files.jsonl", self._files), ("left_out.jsonl", self._left_out)):
            if lines.some:
                async for part in archive.entry(name, lines.parts()):
                    yield part


def unreadable(row: Row, *, sized: bool) -> str:
    """Why a trainer could not read this item's picture, or nothing. sized: the format needs its size."""
    if why := several(row):
        return why
    if row.asset is None or row.media_type not in ENDINGS:
        return "no picture of ours"
    if row.media_type not in READ:
        return f"trainers of this format pass over {row.media_type}"
    if sized and not (row.width_px and row.height_px):
        return "the picture's size is not known"
    return ""


def areas_among(row: Row, things: Sequence[Thing], beside: Beside) -> Sequence[Thing]:
    """Those that have an area; that others are not written is told."""
    kept = [thing for thing in things if shape_type(thing.shape).area(thing.shape) > 0]
    if lost := len(things) - len(kept):
        beside.left_out(row, f"the format has only areas: {lost} of {len(things)} objects are not written")
    pieces = [shape_type(thing.shape).regions(thing.shape) or [] for thing in kept]
    if cut := sum(len(parts) > 1 or any(holes for _, holes in parts) for parts in pieces):
        beside.left_out(row, f"the format has one outline an object: {cut} are the largest of theirs, without holes")
    return kept


def boxes_among(row: Row, things: Sequence[Thing], beside: Beside) -> Sequence[Thing]:
    """Those that a format of upright boxes can hold; what becomes of the others is told."""
    kept = [thing for thing in things if shape_type(thing.shape).area(thing.shape) > 0]
    if lost := len(things) - len(kept):
        beside.left_out(row, f"the format has only boxes: {lost} of {len(things)} objects are not written")
    if shaped := sum(shape_type(thing.shape).outline(thing.shape) is not None for thing in kept):
        beside.left_out(row, f"the format has only upright boxes: {shaped} objects are the boxes around them")
    return kept
