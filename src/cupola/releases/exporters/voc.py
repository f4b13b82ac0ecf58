"""Pascal VOC: a zip with a picture and an XML file of upright boxes for each item."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Sequence
from xml.sax.saxutils import escape

from cupola.labels import Ontology, Thing, decode_label, things_of
from cupola.labels.shapes import of as shape_type
from cupola.releases.exporters.archive import Lines, ZipStream
from cupola.releases.exporters.base import About, Format, Row, Rows
from cupola.releases.exporters.beside import Beside, boxes_among, unreadable
from cupola.releases.exporters.naming import ENDINGS, stem

# What XML 1.0 cannot hold, not even escaped.
_unfit = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    """JPEGImages/, Annotations/ and ImageSets/Main/trainval.txt. Pixels count from 1, as the format has them.

    labelmap.txt names the classes, for readers that know only those of the contest. A turned box becomes the upright
    one around it; points, and items without a picture of ours or of a type that readers pass over, are not written;
    left_out.jsonl tells of both, and files.jsonl says which file is which reference.
    """
    with contextlib.closing(ZipStream()) as archive, Lines() as names, Beside(about.report) as beside:
        yield _classes(archive, about.ontology)
        async for batch in rows:
            for row in batch:
                if (why := unreadable(row, sized=True)) or row.asset is None:
                    beside.left_out(row, why)
                    continue
                kept = boxes_among(row, things_of(decode_label(row.label)), beside)
                name = stem(row.ref)
                names.add(name)
                yield archive.small(f"Annotations/{name}.xml", _xml(row, kept, name).encode())
                path = f"JPEGImages/{name}.{ENDINGS[row.media_type]}"
                beside.file(row, path)
                async for part in archive.entry(path, about.open_asset(row.asset)):
                    yield part
        async for part in archive.entry("ImageSets/Main/trainval.txt", names.parts()):
            yield part
        async for part in beside.entries(archive):
            yield part
        for part in archive.end():
            yield part


def _classes(archive: ZipStream, ontology: Ontology) -> bytes:
    """The list of classes in the form that the format's readers share, or in another where names do not fit it."""
    names = [_text(spec.name) for spec in ontology.classes]
    if any(":" in name or name.startswith("#") or name != name.strip() or "\n" in name for name in names):
        told = {"label_map": {str(number): name for number, name in enumerate(names)}}
        return archive.small("dataset_meta.json", json.dumps(told, ensure_ascii=False).encode())
    lines = "".join(f"{name}:::\n" for name in names)
    return archive.small("labelmap.txt", f"# label:color_rgb:parts:actions\n{lines}".encode())


def _xml(row: Row, things: Sequence[Thing], name: str) -> str:
    width, height = row.width_px or 0, row.height_px or 0
    objects = []
    for thing in things:
        left, top, right, bottom = (float(edge) for edge in shape_type(thing.shape).bounds([thing.shape])[0])
        x0, y0 = max(1, round(left) + 1), max(1, round(top) + 1)
        x1, y1 = min(width, round(right)), min(height, round(bottom))
        objects.append(
            f"<object><name>{escape(_text(thing.cls))}</name><truncated>0</truncated><difficult>0</difficult>"
            f"<bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{max(x0, x1)}</xmax><ymax>{max(y0, y1)}</ymax></bndbox>"
            f"{_attributes(thing)}</object>"
        )
    return (
        f"<annotation><folder>JPEGImages</folder><filename>{name}.{ENDINGS[row.media_type]}</filename>"
        f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size><segmented>0</segmented>"
        f"{''.join(objects)}</annotation>\n"
    )


def _attributes(thing: Thing) -> str:
    """As tools for annotation add them to the format: the value is a text, what is no text is JSON."""
    told = "".join(
        f"<attribute><name>{escape(_text(name))}</name>"
        f"<value>{escape(_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))}</value>"
        "</attribute>"
        for name, value in thing.attributes.items()
    )
    return f"<attributes>{told}</attributes>" if told else ""


def _text(text: str) -> str:
    return _unfit.sub("\ufffd", text)


voc = Format(
    title="Pascal VOC",
    about={"en": "Pictures, and an XML file of boxes for each", "zh": "图片，每张附一个框的 XML 文件"},
    extension="zip",
    media_type="application/zip",
    write=_write,
    holds=frozenset({"things"}),
    areas=True,
)
