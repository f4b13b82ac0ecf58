"""COCO: objects as detections, single and multiple choices as categories of whole images.

Categories are numbered 1 to K in the order of the ontology, so the numbering is stated by the file itself and never by
somebody else's list.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import msgspec

from cupola.labels import Ontology, Thing, classes_of, decode_label, things_of
from cupola.labels.ontology import ClassSpec
from cupola.labels.shapes import of as shape_type
from cupola.releases.exporters.base import About, Format, Row, Rows
from cupola.releases.exporters.beside import ORIENTATION
from cupola.releases.exporters.coco_runs import Runs, runs_of
from cupola.releases.exporters.naming import file_name
from cupola.releases.exporters.parts import several

SEEN = {"visible": 2.0, "occluded": 1.0, "absent": 0.0}  # as COCO writes the state of a keypoint
VISIBLE = SEEN["visible"]
POINT_PX = 1.0  # the side of the box around a point: evaluators and trainers find nothing in a box without area
UNKNOWN = (0.0, 0.0, 0.0, 0.0)  # of a picture whose size is not known; readers want a box of every annotation
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
    ref: str | None = None
    exif_orientation: int | None = None


class CategoryOut(msgspec.Struct, omit_defaults=True):
    id: int
    name: str
    supercategory: str
    keypoints: list[str] | None = None
    skeleton: list[list[int]] | None = None


class AnnotationOut(msgspec.Struct, omit_defaults=True):
    id: int
    image_id: int
    category_id: int
    iscrowd: int  # without a default, so that it is always written: evaluators look for it
    bbox: tuple[float, float, float, float]
    area: float
    segmentation: list[list[float]] | Runs | None = None
    attributes: Mapping[str, Any] = {}
    source: str | None = None
    rotation_rad: float = 0.0
    keypoints: list[float] | None = None
    num_keypoints: int = 0
    confidence: float | None = None  # not `score`: readers take that for what a detector says


class _Waiting:
    """Members of a list in the file that wait, on disk when they are many, until it is their turn."""

    def __init__(self) -> None:
        self._spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  # closed by __exit__

    def __enter__(self) -> _Waiting:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None) -> None:
        self._spool.close()

    def add(self, members: Sequence[Any]) -> None:
        if members:
            # One comma before all but the very first.
            self._spool.write((b"," if self.some else b"") + _encoder.encode(members)[1:-1])

    @property
    def some(self) -> bool:
        return self._spool.tell() > 0

    def parts(self) -> Iterator[bytes]:
        self._spool.seek(0)
        while part := self._spool.read(1 << 20):
            yield part


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    """One JSON file. Boxes: bbox in px, upright; a turned box keeps its corners as `segmentation` and its angle.
    Outlines of several parts are several polygons of one annotation; those with holes, and masks, are run lengths
    where the picture's size is known, else their parts without the holes. A point is a keypoint that is visible, in a
    bbox of one pixel; a skeleton has the keypoints of its category. Lines, which the format does not know, and items
    that are no pictures are in `left_out`.
    """
    ontology = about.ontology
    head = {
        "description": about.name,
        "version": str(about.release),
        "date_created": about.created_at.isoformat(),
    }
    licences = [{"id": 1, "name": about.licence, "url": ""}]
    yield b'{"info":' + _encoder.encode(head) + b',"licenses":' + _encoder.encode(licences) + b',"images":['
    next_id = 1
    first = True
    placed: set[int] = set()  # categories that have keypoints
    with _Waiting() as waiting, _Waiting() as left_out:
        async for batch in rows:
            images = []
            annotations: list[AnnotationOut] = []
            for row in batch:
                if not _is_picture(row):
                    why = several(row) or f"it is no picture ({row.media_type})"
                    left_out.add([{"ref": row.ref, "why": why}])
                    about.report.drop("left-out", f"{row.ref}: {why}")
                    continue
                images.append(_image(row))
                made, lost = _annotations(row, ontology, next_id + len(annotations))
                annotations.extend(made)
                left_out.add([{"ref": row.ref, "why": why} for why in lost])
                for why in lost:
                    about.report.drop("left-out", f"{row.ref}: {why}")
            next_id += len(annotations)
            placed.update(one.category_id for one in annotations if one.keypoints)
            waiting.add(annotations)
            if images:
                yield (b"" if first else b",\n") + _encoder.encode(images)[1:-1]
                first = False
        yield b'],"annotations":['
        for part in waiting.parts():
            yield part
        yield b'],"categories":' + _encoder.encode(_categories(ontology, placed))
        if left_out.some:
            yield b',"left_out":['
            for part in left_out.parts():
                yield part
            yield b"]"
    yield b"}\n"


def _categories(ontology: Ontology, placed: Collection[int]) -> list[CategoryOut]:
    """Readers of keypoints want a list of them of every category, readers of boxes of none."""
    if not placed:
        return [CategoryOut(number, spec.name, "") for number, spec in enumerate(ontology.classes, 1)]
    return [_with_keypoints(number, spec, placed) for number, spec in enumerate(ontology.classes, 1)]


def _with_keypoints(number: int, spec: ClassSpec, placed: Collection[int]) -> CategoryOut:
    if number not in placed:
        return CategoryOut(number, spec.name, "", [], [])
    if spec.skeleton is None:
        return CategoryOut(number, spec.name, "", ["point"], [])
    names = [point.name for point in spec.skeleton.points]
    edges = [[names.index(name) + 1 for name in edge] for edge in spec.skeleton.edges]
    return CategoryOut(number, spec.name, "", names, edges)


def _is_picture(row: Row) -> bool:
    """What is kept elsewhere may be one, where its address does not say what it is."""
    return row.media_type.startswith("image/") or (row.url is not None and row.media_type == "application/octet-stream")


def _image(row: Row) -> ImageOut:
    return ImageOut(
        row.position + 1,
        file_name(row),
        row.width_px,
        row.height_px,
        row.asset.hex() if row.asset is not None else None,
        row.url,
        round(row.confidence, 6),
        row.task,
        row.ref,
        row.metadata.get(ORIENTATION),
    )


def _annotations(row: Row, ontology: Ontology, next_id: int) -> tuple[Sequence[AnnotationOut], list[str]]:
    """The row's annotations, and what of it is not among them."""
    label = decode_label(row.label)
    image, index = row.position + 1, ontology.class_index
    whole = (0.0, 0.0, float(row.width_px), float(row.height_px)) if row.width_px and row.height_px else UNKNOWN
    sure = {unit: round(p, 6) for unit, p in (row.units or {}).items()}
    out = [
        AnnotationOut(next_id + n, image, index[value] + 1, 0, whole, whole[2] * whole[3], confidence=sure.get(value))
        for n, value in enumerate(classes_of(label))
    ]
    things = things_of(label)
    kept = [thing for thing in things if shape_type(thing.shape).extent != "line"]
    out.extend(
        _annotation(thing, next_id + n, image, ontology, whole, sure.get(thing.id))
        for n, thing in enumerate(kept, len(out))
    )
    lost = []
    if lines := len(things) - len(kept):
        lost.append(f"the format knows no lines: {lines} of {len(things)} objects are not written")
    if whole == UNKNOWN and (cut := sum(_needs_runs(thing) for thing in kept)):
        lost.append(f"the picture's size is not known: {cut} objects are written as outlines without holes")
    return out, lost


def _needs_runs(thing: Thing) -> bool:
    shape = shape_type(thing.shape)
    return shape.of_pixels or any(holes for _, holes in shape.regions(thing.shape) or [])


def _annotation(
    thing: Thing,
    number: int,
    image: int,
    ontology: Ontology,
    whole: tuple[float, float, float, float],
    sure: float | None,
) -> AnnotationOut:
    shape = shape_type(thing.shape)
    category = ontology.class_index[thing.cls] + 1
    left, top, right, bottom = (float(edge) for edge in shape.bounds([thing.shape])[0])
    box = (left, top, right - left, bottom - top)
    if (points := shape.keypoints(thing.shape)) is not None:
        flat, seen = _keypoints(points, ontology.classes[category - 1])
        around = box if box[2] > 0 and box[3] > 0 else _around(left, top, whole)
        return AnnotationOut(
            number, image, category, 0, around, around[2] * around[3], None, thing.attributes, thing.source,
            keypoints=flat, num_keypoints=seen, confidence=sure,
        )  # fmt: skip
    if not shape.covers:
        return AnnotationOut(
            number, image, category, 0, _around(left, top, whole), POINT_PX**2, None, thing.attributes, thing.source,
            keypoints=[left, top, VISIBLE], num_keypoints=1, confidence=sure,
        )  # fmt: skip
    return AnnotationOut(
        number,
        image,
        category,
        0,
        box,
        shape.area(thing.shape),
        _segmentation(thing, box, whole),
        thing.attributes,
        thing.source,
        shape.turn_rad(thing.shape),
        confidence=sure,
    )


def _segmentation(
    thing: Thing, box: tuple[float, float, float, float], whole: tuple[float, float, float, float]
) -> list[list[float]] | Runs | None:
    """Only where the box does not say it already: readers make an object of each."""
    shape = shape_type(thing.shape)
    if whole != UNKNOWN and _needs_runs(thing):
        x, y = math.floor(box[0]), math.floor(box[1])
        w, h = math.ceil(box[0] + box[2]) - x, math.ceil(box[1] + box[3]) - y
        cover = shape.cover(thing.shape, x, y, w, h)
        if cover is not None:
            return runs_of(cover, x, y, int(whole[2]), int(whole[3]))
    regions = shape.regions(thing.shape)
    return None if regions is None else [[number for corner in outer for number in corner] for outer, _ in regions]


def _keypoints(points: Sequence[tuple[str, float, float, str]], spec: ClassSpec) -> tuple[list[float], int]:
    """x, y and state of each in the order of the class, and how many are labelled."""
    said = {name: (x, y, SEEN[state]) if SEEN[state] else (0.0, 0.0, 0.0) for name, x, y, state in points}
    names = [one.name for one in spec.skeleton.points] if spec.skeleton else list(said)
    rows = [said.get(name, (0.0, 0.0, 0.0)) for name in names]
    return [number for row in rows for number in row], sum(state > 0 for _, _, state in rows)


def _around(x: float, y: float, whole: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The pixel at a place, inside of the picture as far as its size is known."""
    _, _, width, height = whole
    left, top = max(0.0, x - POINT_PX / 2), max(0.0, y - POINT_PX / 2)
    if width and height:
        left, top = min(left, width - POINT_PX), min(top, height - POINT_PX)
    return left, top, POINT_PX, POINT_PX


coco = Format(
    title="COCO",
    about={"en": "Objects or choices on images, one JSON file", "zh": "图片上的对象或选择，一个 JSON 文件"},
    extension="json",
    media_type="application/json",
    write=_write,
    holds=frozenset({"classes", "things"}),
    lines=False,
)
