"""The sweeper: tenant by tenant, kind by kind, in small transactions of that tenant's side.

Any number of processes may sweep at a time: each passes over the rows that another one has locked.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from uuid import UUID

from cupola.kernel import clock, retention
from cupola.platform.pg.tx import Database, Role
from cupola.platform.sweeping import store

log = logging.getLogger("cupola.sweep")

_TENANTS = 500  # of one read
_OF_TENANTS = [rule for rule in retention.RULES if not rule.nobodys and not rule.files]
_NOBODYS = [rule for rule in retention.RULES if rule.nobodys]
COUNTED = 10_000  # rows of one kind of one tenant that are counted; more are told as so many


async def tenants(db: Database) -> AsyncIterator[UUID]:
    after = UUID(int=0)
    while True:
        async with db.tx(Role.OPS) as conn:
            rows = await store.TENANTS.all(conn, after=after, limit=_TENANTS)
        for row in rows:
            yield row.id
        if len(rows) < _TENANTS:
            return
        after = rows[-1].id


async def sweep(db: Database) -> Mapping[str, int]:
    """One round over every tenant and kind; returns how many rows of each kind went."""
    gone: Counter[str] = Counter()
    async for tenant in tenants(db):
        for rule in _OF_TENANTS:
            gone[rule.kind] += await _sweep_kind(db, Role.APP, tenant, rule)
    for rule in _NOBODYS:
        gone[rule.kind] += await _sweep_kind(db, Role.OPS, None, rule)
    if gone.total():
        log.info("swept: %s", ", ".join(f"{count} {kind}" for kind, count in sorted(gone.items()) if count))
    return gone


async def _sweep_kind(db: Database, role: Role, tenant: UUID | None, rule: retention.Rule) -> int:
    before = clock.now() - rule.kept
    gone = 0
    for _ in range(retention.MOST_BATCHES):
        async with db.tx(role, tenant=tenant) as conn:
            some = await store.SWEEP.one(conn, kind=rule.kind, before=before, limit=retention.BATCH)
        gone += some
        if some < retention.BATCH:
            break
    return gone


async def due(db: Database) -> Mapping[str, int]:
    """How much of each kind is old enough to go, and still there."""
    now = clock.now()
    waiting: Counter[str] = Counter({rule.kind: 0 for rule in retention.RULES if not rule.files})
    async for tenant in tenants(db):
        await _count(db, Role.APP, tenant, _OF_TENANTS, now, waiting)
    await _count(db, Role.OPS, None, _NOBODYS, now, waiting)
    return waiting


async def _count(
    db: Database, role: Role, tenant: UUID | None, rules: list[retention.Rule], now: datetime, into: Counter[str]
) -> None:
    async with db.tx(role, tenant=tenant) as conn:
        rows = await store.DUE.all(
            conn, kinds=[rule.kind for rule in rules], befores=[now - rule.kept for rule in rules], limit=COUNTED
        )
    for row in rows:
        into[row.kind] += row.due
