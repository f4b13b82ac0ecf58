"""JSON Lines: one object a row with everything that is known, down to the judgements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from cupola.releases.exporters.base import About, Format, Records, Row, Rows
from cupola.releases.exporters.parts import PartOut, parts_of

_encoder = msgspec.json.Encoder()


class Sure(msgspec.Struct, frozen=True):
    """How sure one unit of a label is: a list of these, as in Parquet, so that tables have no column per object."""

    unit: str
    confidence: float


class Line(msgspec.Struct):
    """One line of the file; every member stands in every line, for readers take their columns from it."""

    ref: str
    task: UUID
    label: msgspec.Raw
    confidence: float
    how: str
    settlement: UUID
    judgements: Sequence[UUID]
    media_type: str
    sha256: str | None = None
    url: str | None = None
    text: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    metadata: Mapping[str, Any] = {}
    parts: Sequence[PartOut] = ()
    units: Sequence[Sure] = ()


async def _write(rows: Rows, about: About) -> AsyncIterator[bytes]:
    async for batch in rows:
        yield _encoder.encode_lines([line(row) for row in batch])


def line(row: Row) -> Line:
    """A row as it stands in the file."""
    return Line(
        row.ref,
        row.task,
        msgspec.Raw(row.label.encode()),
        round(row.confidence, 6),
        row.how,
        row.settlement,
        row.judgements,
        row.media_type,
        row.asset.hex() if row.asset is not None else None,
        row.url,
        row.body,
        row.width_px,
        row.height_px,
        row.metadata,
        parts_of(row),
        [Sure(unit, round(sure, 6)) for unit, sure in (row.units or {}).items()],
    )


# `confidence` is the posterior probability that the settlement was made with, `units` that of each unit (an object by
# its id, a question, a class) of a label that has several; of a label no single type of field tells.
jsonl = Format(
    title="JSON Lines",
    about={"en": "Every label with its lineage, a line each", "zh": "每行一个标签及其来源"},
    extension="jsonl",
    media_type="application/jsonl",
    write=_write,
    records=Records("application/jsonlines", without=frozenset({"label", "class", "parts", "units"})),
)
