"""The parts of an item that is made of several, as formats that hold them write them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cupola.catalog.showing import read_parts
from cupola.releases.exporters.base import Row


class PartOut(msgspec.Struct):
    """One part, in the item's order. Exactly one of sha256, url and text; width_px, height_px: as shown."""

    role: str
    sensor: str
    timestamp_ns: int | None
    media_type: str
    sha256: str | None
    url: str | None
    text: str | None
    width_px: int | None
    height_px: int | None
    meta: msgspec.Raw


def parts_of(row: Row) -> Sequence[PartOut]:
    """None at all where the item is its own one part, which the row's own columns tell."""
    return [
        PartOut(
            part.role,
            part.sensor,
            part.timestamp_ns,
            part.media_type,
            part.asset,
            part.url,
            part.body,
            part.facts.width_px,
            part.facts.height_px,
            part.meta,
        )
        for part in read_parts(row.parts)
    ]


def several(row: Row) -> str:
    """Why a format of one picture an item cannot hold this one, or nothing."""
    if row.parts is None:
        return ""
    return f"it is made of {len(read_parts(row.parts))} parts; this format has one picture for each item"
