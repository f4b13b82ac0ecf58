"""Parquet: one row an item; a single choice also as a column of its own, labels as JSON text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import cache
from io import RawIOBase
from typing import TYPE_CHECKING

import msgspec

from cupola.kernel.lazy import Lazy
from cupola.labels import Ontology, code_of, decode_label, strategy_of
from cupola.releases.exporters.base import About, Format, Records, Row, Rows
from cupola.releases.exporters.parts import parts_of

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
else:
    pa = Lazy("pyarrow")
    pq = Lazy("pyarrow.parquet")

GROUP_ROWS = 5_000  # rows of one row group, which is what the memory holds
GROUP_BYTES = 16 * 1024 * 1024  # or as much label and text as this


@cache
def _schema() -> pa.Schema:
    """Made when it is first written by: the format is listed without its library."""
    unit = pa.struct([pa.field("unit", pa.string(), nullable=False), pa.field("confidence", pa.float64())])
    return pa.schema(
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
            pa.field("parts", pa.string()),
            pa.field("units", pa.list_(unit), nullable=False),
        ]
    )


class Sink(RawIOBase):
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
    sink = Sink()
    about_file = {"cupola.release": str(about.release), "cupola.name": about.name, "cupola.licence": about.licence}
    writer = pq.ParquetWriter(sink, _schema().with_metadata(about_file), compression="zstd")
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
    single = strategy_of(ontology) == "coded"
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
        "units": [[{"unit": name, "confidence": p} for name, p in (row.units or {}).items()] for row in rows],
        "metadata": [msgspec.json.encode(row.metadata).decode() for row in rows],
        "parts": [msgspec.json.encode(parts_of(row)).decode() if row.parts is not None else None for row in rows],
    }
    return pa.table(columns, schema=_schema())


parquet = Format(
    title="Parquet",
    about={"en": "The same in columns, for analysis", "zh": "同样的内容按列存放，供分析"},
    extension="parquet",
    media_type="application/vnd.apache.parquet",
    write=_write,
    records=Records("application/x-parquet"),
)
