"""Takes away what lies in the store of blobs and no row names: uploads that were imported, files of exports that went,
labels whose transaction never came.

Whoever puts what is there already makes it new again, so that nothing is taken between a put and the row that names it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from cupola.kernel import clock, retention
from cupola.platform.blobs import Blobs, Stored
from cupola.platform.pg.tx import Database, Role
from cupola.platform.sweeping import store
from cupola.platform.sweeping.service import COUNTED, tenants

log = logging.getLogger("cupola.sweep")

[_RULE] = [rule for rule in retention.RULES if rule.files]


async def sweep(db: Database, blobs: Blobs) -> int:
    """One round over every tenant; returns how many files went."""
    before = clock.now() - _RULE.kept
    gone = 0
    async for tenant in tenants(db):
        async for some in _unnamed(db, blobs, tenant, before):
            for one in some:
                gone += await blobs.delete_old(tenant, one.sha256, before)
    if gone:
        log.info("swept: %d %s", gone, _RULE.kind)
    return gone


async def due(db: Database, blobs: Blobs) -> int:
    """How many files are old enough to go and still there; of one tenant at most COUNTED are counted."""
    before = clock.now() - _RULE.kept
    waiting = 0
    async for tenant in tenants(db):
        mine = 0
        async for some in _unnamed(db, blobs, tenant, before):
            mine += len(some)
            if mine >= COUNTED:
                break
        waiting += min(mine, COUNTED)
    return waiting


async def _unnamed(db: Database, blobs: Blobs, tenant: UUID, before: datetime) -> AsyncIterator[list[Stored]]:
    """Files of a tenant that were put before then and that nothing names, some at a time."""
    batch: list[Stored] = []
    async for one in blobs.list(tenant, before=before):
        batch.append(one)
        if len(batch) == retention.BATCH:
            yield await _of(db, tenant, batch)
            batch = []
    if batch:
        yield await _of(db, tenant, batch)


async def _of(db: Database, tenant: UUID, batch: list[Stored]) -> list[Stored]:
    async with db.tx(Role.APP, tenant=tenant) as conn:
        rows = await store.NAMED.all(
            conn, sha256s=[one.sha256 for one in batch], sizes=[one.size_bytes for one in batch]
        )
    named = {row.sha256 for row in rows}
    return [one for one in batch if one.sha256 not in named]
