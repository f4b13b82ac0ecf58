"""Items of tasks as models read them: their words, a small picture of them, their metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from cupola.catalog import media
from cupola.catalog.media.base import Content
from cupola.kernel.errors import Kind, Problem
from cupola.models.card import Features
from cupola.models.features import PICTURE_PROVIDERS, Raw
from cupola.models.store import ItemRow
from cupola.platform.runtime import Runtime

LEAST_SIDE_PX = 64


def raw_of(run: Runtime, tenant: UUID, rows: Sequence[ItemRow], features: Features) -> list[Raw]:
    """What a provider reads of items, blocking: for worker threads. Pictures come small, decoded in caged children.

    Raises Problem (UNAVAILABLE) when the store of blobs is away.
    """
    pictures = features.provider in PICTURE_PROVIDERS
    side_px = max(features.side_px or 0, LEAST_SIDE_PX)
    return [
        Raw(
            row.ref,
            row.body,
            _picture(run, tenant, row, side_px) if pictures else None,
            json.loads(row.metadata) if features.provider in ("metadata", "embedding") else {},
        )
        for row in rows
    ]


def _picture(run: Runtime, tenant: UUID, row: ItemRow, side_px: int) -> bytes | None:
    source = row.thumb or row.asset
    if source is None or not row.media_type.startswith("image/"):
        return None
    try:
        with run.blobs.local_file(tenant, source.hex()) as path:
            content = Content(source.hex(), path.stat().st_size, path=path)
            # a small picture is its own thumbnail, and in the form that it came in
            media_type = row.media_type if row.thumb in (None, row.asset) else "image/webp"
            return media.thumbnail(content, media_type, side_px)
    except Problem as problem:
        if problem.kind is Kind.UNAVAILABLE:
            raise
        return None


def embedding_dims(rows: Sequence[ItemRow], key: str = "embedding") -> int | None:
    """How long the embeddings are, where all of these items have one of the same length; else None."""
    lengths = set()
    for row in rows:
        given = json.loads(row.metadata).get(key)
        lengths.add(len(given) if isinstance(given, list) else 0)
    return lengths.pop() if len(lengths) == 1 and 0 not in lengths else None
