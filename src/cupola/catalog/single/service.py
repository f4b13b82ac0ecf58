"""Single items: one file or one text into a dataset, without an import of its own."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import UUID

import msgspec

from cupola.catalog import store as catalog
from cupola.catalog.intake import Row
from cupola.catalog.probe import check_text, probe
from cupola.catalog.single import store
from cupola.kernel import clock, ids
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime


async def prepare(
    run: Runtime,
    tenant: UUID,
    ref: str,
    *,
    data: bytes | None = None,
    text: str | None = None,
    name: str = "",
    pre_label: str | None = None,
) -> Row:
    """An item ready to be stored, from the bytes of a file or from a text. Puts the blob. pre_label: JSON text.

    Raises Problem (INVALID) for what is neither a picture that can be read nor a text.
    """
    if text is not None:
        body: str | None = check_text(text)
        asset: bytes | None = None
        media_type, size = "text/plain", len(text.encode())
        width = height = None
    else:
        assert data is not None
        known = await asyncio.to_thread(probe, data, name or ref)
        media_type, size, width, height = known.media_type, len(data), known.width_px, known.height_px
        body, asset = known.text, None
        if body is None:
            asset = bytes.fromhex((await run.blobs.put(tenant, data)).sha256)
    content = msgspec.msgpack.encode((media_type, asset, None, body, "{}", pre_label, None, None))
    return Row(
        ids.uuid7(), ref, ref, media_type, asset, None, body, size, width, height, "{}", pre_label, None, None,
        hashlib.sha256(content).digest(),
    )  # fmt: skip


async def add_items(conn: Conn, tenant: UUID, dataset: UUID, rows: Sequence[Row]) -> dict[str, UUID]:
    """Store items that are ready; returns {reference: item}, also for references that are there already."""
    content = msgspec.json.encode(rows).decode()
    now = clock.now()
    if any(row.asset is not None for row in rows):
        await catalog.BLOBS_ADD.run(conn, tenant=tenant, rows=content, now=now)
    await catalog.ITEMS_ADD.all(conn, tenant=tenant, dataset=dataset, rows=content, now=now)
    known = await store.ITEM_IDS.all(conn, tenant=tenant, dataset=dataset, refs=[row.ref for row in rows])
    return {one.ref: one.id for one in known}
