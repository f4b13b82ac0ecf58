"""YOLO: a zip that a trainer reads as it is.

Boxes as detections, outlines as segments, single choices as a classification folder.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Sequence

from cupola.labels import Ontology, Thing, classes_of, decode_label, kind_of, things_of
from cupola.labels.shapes import of as shape_type
from cupola.labels.shapes.shape import Corner
from cupola.releases.exporters.archive import ZipStream
from cupola.releases.exporters.base import About, Format, Row, Rows
from cupola.releases.exporters.beside import Beside, areas_among, boxes_among, unreadable
from cupola.releases.exporters.naming import ENDINGS, folders, stem

OUTLINES = frozenset({"polygon"})  # shapes that their upright box does not say


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    """Objects: images/train, labels/train and data.yaml. One choice: train/<class>/<picture>.

    Everything is in one split; dividing it is the trainer's decision. files.jsonl says which file is which reference;
    items without a picture of ours, or of a type that trainers pass over, are listed in left_out.jsonl. A turned box
    becomes the upright one around it, cut at the image's edge, for the format knows no angle; points are left out;
    both are told there too. Where a class is drawn as an outline, everything is written as outlines (the format's form
    for segmentation), for trainers do not tell the two apart within a set.
    """
    is_drawn = kind_of(about.ontology).made_of == "things"
    async for part in _detections(rows, about) if is_drawn else _classification(rows, about):
        yield part


async def _detections(rows: Rows, about: About) -> AsyncIterator[bytes]:
    outlined = any(spec.geometry in OUTLINES for spec in about.ontology.classes)
    with contextlib.closing(ZipStream()) as archive, Beside(about.report) as beside:
        yield archive.small("data.yaml", _data_yaml(about))
        async for batch in rows:
            for row in batch:
                if (why := unreadable(row, sized=True)) or row.asset is None:
                    beside.left_out(row, why)
                    continue
                things = things_of(decode_label(row.label))
                kept = areas_among(row, things, beside) if outlined else boxes_among(row, things, beside)
                lines = _lines(kept, row, about.ontology, outlined)
                yield archive.small(f"labels/train/{stem(row.ref)}.txt", lines)
                path = f"images/train/{stem(row.ref)}.{ENDINGS[row.media_type]}"
                beside.file(row, path)
                async for part in archive.entry(path, about.open_asset(row.asset)):
                    yield part
        async for part in _end(archive, beside, about):
            yield part


async def _classification(rows: Rows, about: About) -> AsyncIterator[bytes]:
    named = folders([spec.name for spec in about.ontology.classes])
    with contextlib.closing(ZipStream()) as archive, Beside(about.report) as beside:
        yield archive.small("classes.json", json.dumps(named, ensure_ascii=False, indent=1).encode())
        async for batch in rows:
            for row in batch:
                if (why := unreadable(row, sized=False)) or row.asset is None:
                    beside.left_out(row, why)
                    continue
                [chosen] = classes_of(decode_label(row.label))
                path = f"train/{named[chosen]}/{stem(row.ref)}.{ENDINGS[row.media_type]}"
                beside.file(row, path)
                async for part in archive.entry(path, about.open_asset(row.asset)):
                    yield part
        async for part in _end(archive, beside, about):
            yield part


async def _end(archive: ZipStream, beside: Beside, about: About) -> AsyncIterator[bytes]:
    if about.licence:
        yield archive.small("LICENCE.txt", about.licence.encode())
    async for part in beside.entries(archive):
        yield part
    for part in archive.end():
        yield part


def _data_yaml(about: About) -> bytes:
    # No `path`: trainers then start at this file's own folder.
    names = "".join(f"  {n}: {_quoted(spec.name)}\n" for n, spec in enumerate(about.ontology.classes))
    return (
        f"# {_quoted(f'{about.name} ({about.release})')}\n"
        "# One split: divide it before you train, and point val at the other part.\n"
        f"train: images/train\nval: images/train\nnames:\n{names}"
    ).encode()


def _quoted(text: str) -> str:
    """A text for YAML: as JSON has it, with every character escaped that does not print, for YAML is stricter."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def _lines(things: Sequence[Thing], row: Row, ontology: Ontology, outlined: bool) -> bytes:
    """ "class cx cy w h", or "class x y x y …" for outlines, relative to the picture, a line for each thing."""
    size = (float(row.width_px or 1), float(row.height_px or 1))
    out: list[str] = []
    for thing in things:
        left, top, right, bottom = (float(edge) for edge in shape_type(thing.shape).bounds([thing.shape])[0])
        (x0, y0), (x1, y1) = _share((left, top), size), _share((right, bottom), size)
        if x1 <= x0 or y1 <= y0:
            continue
        if outlined:
            corners = shape_type(thing.shape).outline(thing.shape) or [
                (left, top), (right, top), (right, bottom), (left, bottom),
            ]  # fmt: skip
            numbers = [number for corner in corners for number in _share(corner, size)]
        else:
            numbers = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
        out.append(f"{ontology.class_index[thing.cls]} {' '.join(f'{number:.6f}' for number in numbers)}\n")
    return "".join(out).encode()


def _share(corner: Corner, size: Corner) -> Corner:
    """A place as shares of the picture's width and height, cut at its edge."""
    return min(1.0, max(0.0, corner[0] / size[0])), min(1.0, max(0.0, corner[1] / size[1]))


yolo = Format(
    title="YOLO",
    about={"en": "Folders of pictures and labels that a trainer reads", "zh": "训练程序可直接读取的图片与标签文件夹"},
    extension="zip",
    media_type="application/zip",
    write=_write,
    holds=frozenset({"classes", "things"}),
    areas=True,
    several=False,
)
