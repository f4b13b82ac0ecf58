"""YOLO: a zip that a trainer reads as it is. Boxes as detections, single choices as a classification folder."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator

from cupola.labels import ChoiceLabel, ObjectsLabel, Ontology, decode_label
from cupola.releases.exporters.archive import ZipStream
from cupola.releases.exporters.base import About, Export, Row, Rows, unsupported
from cupola.releases.exporters.coco import upright

_ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/avif": "avif",
}
_ending = re.compile(r"\.[A-Za-z0-9]{1,5}\Z")
_unfit = re.compile(r"[^A-Za-z0-9_.-]+")
MAX_STEM_CHARS = 80


def yolo(rows: Rows, about: About) -> Export:
    """Objects: images/train, labels/train and data.yaml. One choice: train/<class>/<picture>.

    Everything is in one split; dividing it is the trainer's decision. Items without a picture of ours are listed in
    left_out.jsonl. A turned box becomes the upright one around it, cut at the image's edge, for the format knows no
    angle. Raises Problem (UNSUPPORTED) for text and for several choices.
    """
    ontology = about.ontology
    if ontology.kind == "text":
        raise unsupported("YOLO", "it has no free text.")
    if ontology.multiple:
        raise unsupported("YOLO", "a classification folder has one class for each picture.")
    return Export("zip", "application/zip", _write(rows, about))


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    ontology = about.ontology
    folders = _folders(ontology)
    left_out: list[bytes] = []
    archive = ZipStream()
    try:
        if ontology.kind == "objects":
            yield archive.small("data.yaml", _data_yaml(about))
        else:
            yield archive.small("classes.json", json.dumps(folders, ensure_ascii=False, indent=1).encode())
        if about.licence:
            yield archive.small("LICENCE.txt", about.licence.encode())
        async for batch in rows:
            for row in batch:
                ending = _ENDINGS.get(row.media_type)
                why = "" if row.asset is not None and ending is not None else "no picture of ours"
                label = decode_label(row.label)
                if not why and isinstance(label, ObjectsLabel) and not (row.width_px and row.height_px):
                    why = "the picture's size is not known"
                if why or row.asset is None:
                    left_out.append(json.dumps({"ref": row.ref, "why": why}, ensure_ascii=False).encode() + b"\n")
                    continue
                name = f"{_stem(row.ref)}.{ending}"
                if isinstance(label, ObjectsLabel):
                    path = f"images/train/{name}"
                    yield archive.small(f"labels/train/{_stem(row.ref)}.txt", _lines(label, row, ontology))
                elif isinstance(label, ChoiceLabel):
                    path = f"train/{folders[label.values[0]]}/{name}"
                else:
                    continue
                async for part in archive.entry(path, about.open_asset(row.asset)):
                    yield part
        if left_out:
            yield archive.small("left_out.jsonl", b"".join(left_out))
        for part in archive.end():
            yield part
    finally:
        archive.close()


def _stem(ref: str) -> str:
    """A file name that tells its reference and that no other reference has."""
    plain = _unfit.sub("_", _ending.sub("", ref)).strip("._")[-MAX_STEM_CHARS:]
    return f"{plain or 'item'}-{hashlib.sha256(ref.encode()).hexdigest()[:10]}"


def _folders(ontology: Ontology) -> dict[str, str]:
    """Class name -> folder: the name itself where every file system takes it, and no two alike in any case."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for number, spec in enumerate(ontology.classes):
        plain = _unfit.sub("_", spec.name).strip(".") or "class"
        folder = plain if plain == spec.name and plain.lower() not in taken else f"{plain}-{number}"
        taken.add(folder.lower())
        out[spec.name] = folder
    return out


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


def _lines(label: ObjectsLabel, row: Row, ontology: Ontology) -> bytes:
    """ "class cx cy w h", relative to the picture, a line for each object."""
    width, height = float(row.width_px or 1), float(row.height_px or 1)
    out: list[str] = []
    for thing in label.objects:
        x, y, w, h = upright(thing.shape)
        x0, y0 = max(0.0, x) / width, max(0.0, y) / height
        x1, y1 = min(width, x + w) / width, min(height, y + h) / height
        if x1 > x0 and y1 > y0:
            middle = f"{(x0 + x1) / 2:.6f} {(y0 + y1) / 2:.6f} {x1 - x0:.6f} {y1 - y0:.6f}"
            out.append(f"{ontology.class_index[thing.cls]} {middle}\n")
    return "".join(out).encode()
