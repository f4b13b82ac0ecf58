"""COCO: objects as detections, single and multiple choices as categories of whole images.

Categories are numbered 1 to K in the order of the ontology, so the numbering is stated by the file itself and never by
somebody else's list.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from cupola.labels import ChoiceLabel, ObjectsLabel, Ontology, decode_label
from cupola.labels.kinds.box import Box, corners
from cupola.releases.exporters.base import About, Export, Row, Rows, unsupported

SPOOL_BYTES = 4 * 1024 * 1024  # annotations wait on disk beyond this, because the file names all images first
_encoder = msgspec.json.Encoder(decimal_format="number")


class ImageOut(msgspec.Struct, omit_defaults=True):
    id: int
    file_name: str
    width: int | None
    height: int | None
    sha256: str | None = None
    coco_url: str | None = None
    confidence: float | None = None
    task: Any = None


class AnnotationOut(msgspec.Struct, omit_defaults=True):
    id: int
    image_id: int
    category_id: int
    iscrowd: int  # without a default, so that it is always written: evaluators look for it
    bbox: tuple[float, ...] | None = None
    area: float | None = None
    segmentation: list[list[float]] | None = None
    attributes: dict[str, Any] = {}
    source: str | None = None
    rotation_rad: float = 0.0


def coco(rows: Rows, about: About) -> Export:
    """One JSON file. Boxes: bbox in px, upright; a turned box keeps its corners as `segmentation` and its angle.

    Raises Problem (UNSUPPORTED) for free text.
    """
    if about.ontology.kind == "text":
        raise unsupported("COCO", "it has no free text.")
    return Export("json", "application/json", _write(rows, about))


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    ontology = about.ontology
    head = {
        "description": about.name,
        "version": str(about.release),
        "date_created": about.created_at.isoformat(),
    }
    licences = [{"id": 1, "name": about.licence, "url": ""}]
    categories = [{"id": n, "name": spec.name, "supercategory": ""} for n, spec in enumerate(ontology.classes, 1)]
    yield (
        b'{"info":' + _encoder.encode(head)
        + b',"licenses":' + _encoder.encode(licences)
        + b',"categories":' + _encoder.encode(categories)
        + b',"images":['
    )  # fmt: skip
    next_id = 1
    first = True
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        async for batch in rows:
            images = []
            annotations: list[AnnotationOut] = []
            for row in batch:
                images.append(_image(row))
                annotations.extend(_annotations(row, ontology, next_id + len(annotations)))
            next_id += len(annotations)
            if annotations:
                # One comma before all but the very first.
                spool.write((b"," if spool.tell() else b"") + _encoder.encode(annotations)[1:-1])
            if images:
                yield (b"" if first else b",\n") + _encoder.encode(images)[1:-1]
                first = False
        yield b'],"annotations":['
        spool.seek(0)
        while part := spool.read(1 << 20):
            yield part
    yield b"]}\n"


def _image(row: Row) -> ImageOut:
    return ImageOut(
        row.position + 1,
        row.ref,
        row.width_px,
        row.height_px,
        row.asset.hex() if row.asset is not None else None,
        row.url,
        round(row.confidence, 6),
        row.task,
    )


def _annotations(row: Row, ontology: Ontology, next_id: int) -> Sequence[AnnotationOut]:
    label = decode_label(row.label)
    image, index = row.position + 1, ontology.class_index
    if isinstance(label, ChoiceLabel):
        return [AnnotationOut(next_id + n, image, index[value] + 1, 0) for n, value in enumerate(label.values)]
    if not isinstance(label, ObjectsLabel):
        return []
    out = []
    for n, thing in enumerate(label.objects):
        box = thing.shape
        outline = [number for point in corners(box) for number in point]
        out.append(
            AnnotationOut(
                next_id + n,
                image,
                index[thing.cls] + 1,
                0,
                upright(box),
                box.w * box.h,
                [outline],
                thing.attributes,
                thing.source,
                box.rotation_rad,
            )
        )
    return out


def upright(box: Box) -> tuple[float, float, float, float]:
    """x, y, w, h in px of the upright rectangle around a box."""
    if not box.rotation_rad:
        return box.x, box.y, box.w, box.h
    xs, ys = zip(*corners(box), strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
