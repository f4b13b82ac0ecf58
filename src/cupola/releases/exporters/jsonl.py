"""JSON Lines: one object a row with everything that is known, down to the judgements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from cupola.releases.exporters.base import About, Export, Row, Rows

_encoder = msgspec.json.Encoder()


class Line(msgspec.Struct, omit_defaults=True):
    """One line of the file."""

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


def jsonl(rows: Rows, about: About) -> Export:
    """Every kind of label. confidence: the posterior probability that the settlement was made with."""
    return Export("jsonl", "application/jsonl", _lines(rows))


async def _lines(rows: Rows) -> AsyncIterator[bytes]:
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
    )
