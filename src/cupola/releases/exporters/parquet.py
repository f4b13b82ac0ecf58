"""Parquet: one row an item; a single choice also as a column of its own, labels as JSON text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from io import RawIOBase

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from cupola.labels import Ontology, code_of, decode_label
from cupola.releases.exporters.base import About, Export, Row, Rows

SCHEMA = pa.schema(
    [
        pa.field("ref", pa.string(), nullable=False),
        pa.field("task", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("class", pa.string()),
        pa.field("class_code", pa.int32()),
        pa.field("confidence", pa.float64(), nullable=False),
        pa.field("how", pa.string(), nullable=False),
        pa.field("settlement", pa.string(), nullable=False),
        pa.field("judgements", pa.list_(pa.string()), nullable=False),
        pa.field("media_type", pa.string(), nullable=False),
        pa.field("sha256", pa.string()),
        pa.field("url", pa.string()),
        pa.field("text", pa.string()),
        pa.field("width_px", pa.int32()),
        pa.field("height_px", pa.int32()),
        pa.field("metadata", pa.string(), nullable=False),
    ]
)
GROUP_ROWS = 10_000  # rows of one row group, which is what the memory holds
GROUP_BYTES = 16 * 1024 * 1024  # or as much label and text as this


def parquet(rows: Rows, about: About) -> Export:
    """Every kind of label; compressed with zstd."""
    return Export("parquet", "application/vnd.apache.parquet", _write(rows, about))


class _Sink(RawIOBase):
    """What the writer wrote since the last look."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]  # any buffer, as RawIOBase.write takes
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    sink = _Sink()
    about_file = {"cupola.release": str(about.release), "cupola.name": about.name, "cupola.licence": about.licence}
    writer = pq.ParquetWriter(sink, SCHEMA.with_metadata(about_file), compression="zstd")
    try:
        held: list[Row] = []
        size = 0
        async for batch in rows:
            for row in batch:
                held.append(row)
                size += len(row.label) + len(row.body or "")
                if len(held) >= GROUP_ROWS or size >= GROUP_BYTES:
                    await asyncio.to_thread(writer.write_table, _table(held, about.ontology))
                    held, size = [], 0
                    yield sink.take()
        if held:
            await asyncio.to_thread(writer.write_table, _table(held, about.ontology))
    finally:
        writer.close()
    yield sink.take()


def _table(rows: Sequence[Row], ontology: Ontology) -> pa.Table:
    single = ontology.kind == "choice" and not ontology.multiple
    codes = [code_of(decode_label(row.label), ontology) if single else None for row in rows]
    columns = {
        "ref": [row.ref for row in rows],
        "task": [str(row.task) for row in rows],
        "label": [row.label for row in rows],
        "class": [None if code is None else ontology.classes[code].name for code in codes],
        "class_code": codes,
        "confidence": [row.confidence for row in rows],
        "how": [row.how for row in rows],
        "settlement": [str(row.settlement) for row in rows],
        "judgements": [[str(judgement) for judgement in row.judgements] for row in rows],
        "media_type": [row.media_type for row in rows],
        "sha256": [row.asset.hex() if row.asset is not None else None for row in rows],
        "url": [row.url for row in rows],
        "text": [row.body for row in rows],
        "width_px": [row.width_px for row in rows],
        "height_px": [row.height_px for row in rows],
        "metadata": [msgspec.json.encode(row.metadata).decode() for row in rows],
    }
    return pa.table(columns, schema=SCHEMA)
