"""Slow work: running an import, making thumbnails. Each may be run again at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from uuid import UUID

from cupola.catalog import sealing, service, store
from cupola.catalog.found import Context
from cupola.catalog.intake import Intake
from cupola.catalog.model import Import
from cupola.catalog.probe import thumbnail
from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem
from cupola.platform import hooks
from cupola.platform.net import Fetcher, Guard
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime

THUMB_SIDE_PX = 320
SMALL_BYTES = 32 * 1024  # a picture that is small already is its own thumbnail
THUMB_BATCH = 100

# Not the source's fault: the run stays as it stands and is run again.
_OURS = ("import-moved", "import-stopping", "database-unreachable", "busy", "blobs-unreachable", "disk-full")

Progress = Callable[[Import], Awaitable[None]]


async def run_import(run: Runtime, tenant: UUID, run_id: UUID, on_progress: Progress | None = None) -> None:
    """Run an import from where it stands to its end.

    The rows, the refusals and the cursor of a chunk are stored in one transaction: killed at any moment and run again
    it loses and doubles nothing. A source that fails leaves the run "failed" with a sentence, ready to be resumed.
    Raises Problem: UNAVAILABLE when the database or the store is away (then run it again), CONFLICT when another
    process has gone on with it (then there is nothing to do).
    """
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        row = await service.begin(conn, tenant, run_id)
    if row is None:
        return
    cursor = row.cursor
    error: str | None = None
    with ExitStack() as open_files:
        try:
            source = sealing.unseal(run.settings.derive("import secrets"), row.source)
            guard = Guard.of(run.settings.allowed_hosts)
            context = Context(tenant, run.blobs, guard, run.settings.import_roots, open_files)
            entries = hooks.load(hooks.IMPORTERS, str(source["type"]))(source, context, cursor)
            async with Fetcher(guard) as fetcher:
                intake = Intake(
                    entries,
                    context,
                    fetcher,
                    lambda person: run.worker_of(tenant, person),
                    copy=bool(source.get("copy", True)),
                )
                cursor = await _drain(run, tenant, row, intake, on_progress)
        except Problem as problem:
            if problem.code in _OURS:
                raise
            error = " ".join(part for part in (problem.detail, problem.remedy) if part)
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        now = await store.IMPORT.one(conn, tenant=tenant, id=run_id)
        await service.finish(conn, tenant, run_id, now.cursor if error else cursor, error)
        ended = await store.IMPORT.one(conn, tenant=tenant, id=run_id)
    if on_progress is not None:
        await on_progress(service.shown_import(ended))


async def unfinished(run: Runtime) -> list[store.Unfinished]:
    """Imports that wait or were under way: what a worker looks for when it starts, since a job can die with its
    process. Running one that is under way elsewhere does no harm."""
    async with run.db.tx(Role.OPS) as conn:
        return await store.IMPORTS_UNFINISHED.all(conn)


async def _drain(
    run: Runtime, tenant: UUID, row: store.ImportRow, intake: Intake, on_progress: Progress | None
) -> str | None:
    """Store chunk after chunk; the next one is prepared while one is being stored. Returns the last cursor."""
    cursor = row.cursor
    coming = asyncio.ensure_future(intake.next())
    try:
        while True:
            chunk = await coming
            if not chunk.last:
                coming = asyncio.ensure_future(intake.next())
            if chunk.cursor is not None:
                async with run.db.tx(Role.APP, tenant=tenant) as conn:
                    progress = await service.store_chunk(conn, tenant, row.id, row.dataset, chunk, cursor)
                cursor = progress.cursor
                if on_progress is not None:
                    await on_progress(service.shown_import(progress))
            if chunk.last:
                return cursor
    finally:
        # A thread that reads the source must not outlive the files that are closed next.
        intake.stop()
        await asyncio.gather(coming, return_exceptions=True)


async def make_thumbnail(run: Runtime, tenant: UUID, sha256: bytes) -> bool:
    """Make and note the thumbnail of one picture; False when none can be made.

    Raises Problem (UNAVAILABLE) when the store or the database is away.
    """
    thumb = await asyncio.to_thread(_make, run, tenant, sha256)
    if thumb is None:
        return False
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        await store.THUMB_SET.run(conn, tenant=tenant, sha256=sha256, thumb=thumb)
    return True


async def make_thumbnails(run: Runtime, tenant: UUID) -> int:
    """Make every thumbnail that a tenant's pictures lack; the number made."""
    made, after = 0, b""
    while True:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            rows = await store.BLOBS_UNSEEN.all(conn, tenant=tenant, after=after, limit=THUMB_BATCH)
        if not rows:
            return made
        after = rows[-1].sha256
        thumbs = await asyncio.to_thread(_make_all, run, tenant, [row.sha256 for row in rows])
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            for sha256, thumb in thumbs:
                if thumb is not None:
                    made += await store.THUMB_SET.run(conn, tenant=tenant, sha256=sha256, thumb=thumb)


def _make_all(run: Runtime, tenant: UUID, hashes: list[bytes]) -> list[tuple[bytes, bytes | None]]:
    return [(sha256, _make(run, tenant, sha256)) for sha256 in hashes]


def _make(run: Runtime, tenant: UUID, sha256: bytes) -> bytes | None:
    try:
        data = run.blobs.get_now(tenant, sha256.hex())
        if len(data) <= SMALL_BYTES:
            return sha256
        if len(data) > limits.MAX_IMAGE_BYTES:
            return None
        return bytes.fromhex(run.blobs.put_now(tenant, thumbnail(data, THUMB_SIDE_PX)).sha256)
    except Problem as problem:
        if problem.kind is Kind.UNAVAILABLE:
            raise
        return None
