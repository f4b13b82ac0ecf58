"""Single items: one file or one text into a dataset, without an import of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from cupola.catalog import service as catalog
from cupola.catalog.media.base import Content, Probe
from cupola.catalog.media.text import check_text
from cupola.catalog.rows import Row, Taken, row_of, store_content
from cupola.catalog.single import store
from cupola.platform.pg.tx import Conn
from cupola.platform.runtime import Runtime


async def prepare(
    run: Runtime,
    tenant: UUID,
    ref: str,
    *,
    content: Content | None = None,
    text: str | None = None,
    name: str = "",
    pre_label: str | None = None,
    metadata: str = "{}",
) -> Row:
    """An item ready to be stored, from a file or from a text. Puts the blob, which `add_items` names.

    pre_label, metadata: JSON text; a member `instruction` of the metadata is what the item's tasks ask.

    Raises Problem (INVALID) for what is neither a picture that can be read nor a text.
    """
    if text is not None:
        body = check_text(text)
        taken = Taken(Probe("text/plain", text=body, characters=len(body)), len(body.encode()), body=body)
    else:
        assert content is not None
        taken = await asyncio.to_thread(_stored, run, tenant, content, name or ref)
    return row_of(ref, taken, metadata=metadata, pre_label=pre_label)


def _stored(run: Runtime, tenant: UUID, content: Content, name: str) -> Taken:
    taken = store_content(run.blobs, tenant, content, name)
    run.blobs.settle_now()
    return taken


async def add_items(conn: Conn, tenant: UUID, dataset: UUID, rows: Sequence[Row]) -> dict[str, UUID]:
    """Store items that are ready; returns {reference: item}, also for references that are there already."""
    await catalog.insert(conn, tenant, dataset, rows)
    known = await store.ITEM_IDS.all(conn, tenant=tenant, dataset=dataset, refs=[row.ref for row in rows])
    return {one.ref: one.id for one in known}
