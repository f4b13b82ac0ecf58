"""The formats of `cupola.formats` as exports: a zip with their files, the pictures, and what was left out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterable

from cupola.formats.fitting import Fitter
from cupola.formats.form import File, Form, Out, Target
from cupola.formats.labels import classes_from, saying_from
from cupola.formats.model import Classes, Item
from cupola.formats.report import Report
from cupola.formats.table import FORMS
from cupola.labels import decode_label
from cupola.labels.kind import Made
from cupola.labels.shapes import SHAPES
from cupola.releases.exporters.archive import ZipStream
from cupola.releases.exporters.base import About, Format, Row, Rows
from cupola.releases.exporters.beside import Beside
from cupola.releases.exporters.naming import ENDINGS, file_name
from cupola.releases.exporters.parts import several

DROPPED = "dropped.json"
AREAS = frozenset({"box", "polygon", "mask"})
# shape of ours -> any of these words of a format is enough that it is written, in one way or another
_WRITTEN = {"polyline": {"polyline"}, "point": {"point"}, "skeleton": {"skeleton"}}


def of(name: str) -> Format:
    """The export of a format by its name there."""
    form = FORMS[name]
    holds: set[Made] = set()
    if "classes" in form.holds:
        holds.add("classes")
    if shapes_of(form):
        holds.add("things")
    if "text" in form.holds:
        holds.add("words")
    if "answers" in form.holds:
        holds.add("answers")

    async def write(rows: Rows, about: About) -> AsyncIterator[bytes]:
        async for part in _write(form, rows, about):
            yield part

    return Format(
        title=form.title,
        about=form.about,
        extension="zip",
        media_type="application/zip",
        write=write,
        holds=frozenset(holds),
        several="several-classes" in form.holds,
        only_shapes=shapes_of(form),
    )


def shapes_of(form: Form) -> tuple[str, ...]:
    """The shapes of ours of which the format's files say something."""
    return tuple(name for name in SHAPES if form.holds & _WRITTEN.get(name, AREAS | {name}))


async def _write(form: Form, rows: Rows, about: About) -> AsyncIterator[bytes]:
    report = about.report
    classes = classes_from(about.ontology)
    writer = form.writer(Target(classes, report, about.name, about.licence))
    fitter = Fitter(form.holds, report)
    with contextlib.closing(ZipStream()) as archive, Beside() as beside:
        async for batch in rows:
            for row in batch:
                item = _item(row, form, classes, report)
                if item is None:
                    continue
                for out in writer.add(fitter.item(item)):
                    if not isinstance(out, File):
                        beside.file(row, out.name)
                    async for part in _entry(archive, out, about, row):
                        yield part
        for out in writer.end():
            async for part in _entry(archive, out, about, None):
                yield part
        if about.licence:
            yield archive.small("LICENCE.txt", about.licence.encode())
        yield archive.small(DROPPED, json.dumps(report.plain(), ensure_ascii=False, indent=1).encode())
        async for part in beside.entries(archive):
            yield part
        for part in archive.end():
            yield part


async def _entry(archive: ZipStream, out: Out, about: About, row: Row | None) -> AsyncIterator[bytes]:
    if isinstance(out, File):
        async for part in archive.entry(out.name, _later(out.parts)):
            yield part
    elif row is not None and row.asset is not None:
        async for part in archive.entry(out.name, about.open_asset(row.asset)):
            yield part


async def _later(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def _item(row: Row, form: Form, classes: Classes, report: Report) -> Item | None:
    """A released row in the neutral stream; None for one that the format cannot hold, which is told."""
    if several(row) or (row.body is None and not row.media_type.startswith("image/") and row.url is None):
        report.drop("no-picture", row.ref)
        return None
    if row.body is not None and not form.is_text:
        report.drop("no-picture", row.ref)
        return None
    size = (row.width_px, row.height_px) if row.width_px and row.height_px else None
    if form.needs_size and size is None:
        report.drop("no-size", row.ref)
        return None
    has_picture = row.asset is not None and row.media_type in ENDINGS
    if form.needs_picture and not has_picture:
        report.drop("picture-missing", row.ref)
        return None
    split = row.metadata.get("split")
    return Item(
        row.ref if row.body is not None else file_name(row),
        f"{(row.asset or b'').hex()}.{ENDINGS[row.media_type]}" if has_picture else "",
        row.url or "",
        row.body,
        row.width_px,
        row.height_px,
        (saying_from(decode_label(row.label), classes, size, row.ref, report),),
        split if isinstance(split, str) and split in ("train", "val", "test") else "",
        place=row.ref,
    )


coco_panoptic = of("coco-panoptic")
cvat = of("cvat")
datumaro = of("datumaro")
labelme = of("labelme")
labelstudio = of("labelstudio")
masks = of("masks")
openimages = of("openimages")
cityscapes = of("cityscapes")
scalabel = of("scalabel")
groundtruth = of("groundtruth")
yolo_obb = of("yolo-obb")
yolo_pose = of("yolo-pose")
yolo_seg = of("yolo-seg")
