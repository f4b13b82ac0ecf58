"""Freezing: a declared release takes what is settled, some rows at a time, is hashed, and its audit is drawn.

A small release is frozen while whoever asks for it waits; a large one by a job that goes on where it stopped, in short
transactions. What either may not do is the same: the seed is revealed when the last row is in and hashed, so nobody
chooses rows by the draw.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import msgspec

from cupola.kernel import clock, ids
from cupola.kernel.errors import Problem, conflict
from cupola.platform import events
from cupola.platform.pg.tx import Conn, Role
from cupola.platform.runtime import Runtime
from cupola.quality import certify
from cupola.releases import model, store

AT_ONCE = 5_000  # rows frozen in one transaction; a release of no more is frozen while its requester waits


@dataclass(frozen=True, slots=True)
class Hashed:
    """What frozen rows are known by: the hash of the lines of rows.jsonl, and what a certificate says of them."""

    items: int
    rows_sha256: bytes
    frozen: certify.Frozen


def seed_of(run: Runtime, tenant: UUID, release: UUID) -> str:
    """The seed of a release's draw: this instance alone can know it before it is used, and it need not be kept."""
    digest = hmac.new(run.settings.derive("audit seed"), f"{tenant}/{release}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def begin(conn: Conn, run: Runtime, tenant: UUID, row: store.ReleaseRow) -> None:
    """Freeze a declared release, which the caller has locked; where there is much to freeze, ask for the job that does.

    Raises Problem(CONFLICT) when nothing is settled.
    """
    settled = await store.SETTLED.one(conn, tenant=tenant, project=row.project)
    if settled > AT_ONCE:
        await store.FREEZING.run(conn, tenant=tenant, id=row.id, of=settled)
        await events.emit(conn, tenant, "release.freeze-requested", row.id, row.project, items=settled)
        return
    while (await _take(conn, tenant, row, -1)).added == AT_ONCE:
        pass
    seed = seed_of(run, tenant, row.id)
    rows = store.ROWS_AFTER.within(conn, tenant, lambda o: {"position": o.position}, position=-1, release=row.id)
    labels = store.LABELS_AFTER.within(conn, tenant, lambda o: {"task": o.task}, task=ids.FIRST, release=row.id)
    hashed = await _hashed(rows, labels, _draw(row, seed))
    await store.ONE_AT_A_TIME.one(conn, tenant=tenant, project=row.project)
    earlier = await store.EARLIER.all(conn, tenant=tenant, release=row.id, project=row.project)
    await _close(conn, tenant, row, seed, hashed, earlier)


async def run_freeze(run: Runtime, tenant: UUID, release: UUID) -> None:
    """Freeze a large release; begun again, it goes on after the rows that are in it.

    Raises Problem: UNAVAILABLE when the database is away; CONFLICT when nothing with a label is settled.
    """
    rank = -1
    while True:
        async with run.db.tx(Role.APP, tenant=tenant, by_index=True) as conn:
            row = await _freezing(conn, tenant, release)
            if row is None:
                return
            taken = await _take(conn, tenant, row, rank)
        if taken.last_rank is None:
            break
        rank = taken.last_rank
    seed = seed_of(run, tenant, release)
    hashed = await _hashed(
        store.ROWS_AFTER.pages(
            run.db, Role.APP, tenant, lambda o: {"position": o.position}, position=-1, release=release
        ),
        store.LABELS_AFTER.pages(run.db, Role.APP, tenant, lambda o: {"task": o.task}, task=ids.FIRST, release=release),
        _draw(row, seed),
    )
    while True:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            earlier = await store.EARLIER.all(conn, tenant=tenant, release=release, project=row.project)
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            now = await _freezing(conn, tenant, release)
            if now is None:
                return
            await store.ONE_AT_A_TIME.one(conn, tenant=tenant, project=row.project)
            audited = await store.AUDITED.one(conn, tenant=tenant, project=row.project)
            if set(audited) == {str(one.release) for one in earlier}:
                await _close(conn, tenant, now, seed, hashed, earlier)
                return
            # another audit was opened since: it counts as one before this


async def fail_freeze(run: Runtime, tenant: UUID, release: UUID, said: str) -> None:
    """Write down that a release could not be frozen, and why. It is declared as before, and may be frozen again."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        if await store.NOT_FROZEN.run(conn, tenant=tenant, id=release, trouble=said):
            await events.emit(conn, tenant, "release.freeze-failed", release)


async def _freezing(conn: Conn, tenant: UUID, release: UUID) -> store.ReleaseRow | None:
    """The release, locked, if it is still freezing."""
    if await store.LOCK.maybe(conn, tenant=tenant, id=release) != "freezing":
        return None
    return await store.RELEASE.one(conn, tenant=tenant, id=release)


async def _take(conn: Conn, tenant: UUID, row: store.ReleaseRow, rank: int) -> store.TakenRow:
    return await store.TAKE.one(conn, tenant=tenant, release=row.id, project=row.project, after=rank, limit=AT_ONCE)


def _draw(row: store.ReleaseRow, seed: str) -> certify.Freezing:
    return certify.Freezing(seed, msgspec.json.decode(row.plan)["items"])


async def frozen(rows: certify.Freezing, labels: AsyncIterator[list[store.LabelRow]]) -> certify.Frozen:
    """The frozen labels as a certificate needs them, read at constant memory."""
    async for batch in labels:
        for one in batch:
            rows.add(str(one.task), msgspec.json.decode(one.label))
    return rows.done()


async def _hashed(
    rows: AsyncIterator[list[store.FrozenRow]], labels: AsyncIterator[list[store.LabelRow]], draw: certify.Freezing
) -> Hashed:
    digest, items = hashlib.sha256(), 0
    async for batch in rows:
        items += len(batch)
        for one in batch:
            digest.update(
                model.row_line(one.position, one.task, one.ref, one.label, one.confidence, one.how, one.settlement)
            )
    if items == 0:
        raise nothing_settled()
    return Hashed(items, digest.digest(), await frozen(draw, labels))


def nothing_settled() -> Problem:
    return conflict(
        "nothing-settled",
        "The project has no settled tasks yet.",
        remedy="Wait until tasks settle; adjudicate the doubtful ones.",
    )


async def _close(
    conn: Conn, tenant: UUID, row: store.ReleaseRow, seed: str, hashed: Hashed, earlier: list[store.EarlierRow]
) -> None:
    """Write down what is frozen and what is drawn. From here on the seed is known."""
    drawn = hashed.frozen.drawn
    if drawn:
        await store.DRAWN_ADD.run(
            conn,
            tenant=tenant,
            release=row.id,
            ids=[ids.uuid7() for _ in drawn],
            draws=list(range(len(drawn))),
            tasks=[UUID(task) for task in drawn],
        )
    shared = [
        {
            "came": one.came,
            "drawn": one.drawn,
            "name": one.name,
            "plan_sha256": one.plan_sha256.hex(),
            "release": str(one.release),
            "rows_sha256": one.rows_sha256.hex(),
            "shared_rows": one.shared_rows,
        }
        for one in earlier
        if one.shared_rows
    ]
    await store.FROZEN.run(
        conn,
        tenant=tenant,
        id=row.id,
        items=hashed.items,
        rows_sha256=hashed.rows_sha256,
        ids_sha256=bytes.fromhex(hashed.frozen.ids_sha256),
        labels_sha256=bytes.fromhex(hashed.frozen.labels_sha256),
        seed=seed.encode(),
        state="auditing" if drawn else "frozen",
        earlier=model.canonical(shared).decode(),
        now=clock.now(),
    )
    await events.emit(
        conn,
        tenant,
        "release.frozen",
        row.id,
        row.project,
        items=hashed.items,
        drawn=len(drawn),
        rows_sha256=hashed.rows_sha256.hex(),
    )
