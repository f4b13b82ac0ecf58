"""Slow work: running an import, making thumbnails. Each may be run again at any time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from uuid import UUID

from cupola.catalog import media, sealing, service, store
from cupola.catalog.found import Context, Noted
from cupola.catalog.intake import OURS, Intake
from cupola.catalog.media.base import Content
from cupola.catalog.model import Import
from cupola.kernel import limits
from cupola.kernel.errors import Kind, Problem, unforeseen
from cupola.platform import hooks
from cupola.platform.net import Fetcher, Guard
from cupola.platform.pg.tx import Role
from cupola.platform.runtime import Runtime

log = logging.getLogger("cupola.imports")

THUMB_SIDE_PX = 320
SMALL_BYTES = 32 * 1024  # a picture that is small already is its own thumbnail
THUMB_BATCH = 100

NOTHING = Noted(
    "", "the source", "", "nothing-found", "There is nothing in it to import.", "Check that it is the right one."
)

Progress = Callable[[Import], Awaitable[None]]


async def run_import(run: Runtime, tenant: UUID, run_id: UUID, on_progress: Progress | None = None) -> None:
    """Run an import from where it stands to its end.

    The rows, the refusals and the cursor of a chunk are stored in one transaction: killed at any moment and run again
    it loses and doubles nothing. A source that fails, and any exception at all, leaves the run "failed" with a
    sentence, ready to be resumed.
    Raises Problem: UNAVAILABLE when the database or the store is away (then run it again), CONFLICT when another
    process has gone on with it (then there is nothing to do).
    """
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        row = await service.begin(conn, tenant, run_id)
    if row is None:
        return
    cursor = row.cursor
    error: str | None = None
    code: str | None = None
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
            if problem.code in OURS:
                raise
            error = " ".join(part for part in (problem.detail, problem.remedy) if part)
            code = problem.code
        except Exception as trouble:
            # A fault of ours or of a library: the run must end with a reason, or whoever waits waits for ever.
            log.exception("the import %s failed", run_id)
            code = "unforeseen"
            error = f"{unforeseen(trouble)} Resume the import once that is mended."
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        now = await store.IMPORT.one(conn, tenant=tenant, id=run_id)
        if now.accepted >= limits.GROWN_FROM:
            await store.GROWN.run(conn)
        await service.finish(conn, tenant, run_id, now.cursor if error else cursor, error, code)
        ended = await store.IMPORT.one(conn, tenant=tenant, id=run_id)
    if on_progress is not None:
        await on_progress(service.shown_import(ended))


async def fail_import(run: Runtime, tenant: UUID, run_id: UUID, reason: str) -> None:
    """Write down that an import failed, ready to be resumed: for whoever gives it up from outside."""
    async with run.db.tx(Role.APP, tenant=tenant) as conn:
        now = await store.IMPORT.maybe(conn, tenant=tenant, id=run_id)
        if now is not None and now.state in ("waiting", "running"):
            await service.finish(conn, tenant, run_id, now.cursor, reason)


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
            if cursor is None and chunk.last and chunk.cursor is None:
                chunk.notes.append(NOTHING)
            if chunk.cursor is not None or chunk.notes:
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


async def make_thumbnails(run: Runtime, tenant: UUID) -> int:
    """Make every thumbnail that a tenant's pictures lack; the number made."""
    made, after = 0, b""
    while True:
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            rows = await store.BLOBS_UNSEEN.all(conn, tenant=tenant, after=after, limit=THUMB_BATCH)
        if not rows:
            return made
        after = rows[-1].sha256
        thumbs = await asyncio.to_thread(_make_all, run, tenant, rows)
        async with run.db.tx(Role.APP, tenant=tenant) as conn:
            for sha256, thumb in thumbs:
                if thumb is not None:
                    made += await store.THUMB_SET.run(conn, tenant=tenant, sha256=sha256, thumb=thumb)


def _make_all(run: Runtime, tenant: UUID, rows: list[store.Unseen]) -> list[tuple[bytes, bytes | None]]:
    return [(row.sha256, _make(run, tenant, row.sha256, row.media_type)) for row in rows]


def _make(run: Runtime, tenant: UUID, sha256: bytes, media_type: str) -> bytes | None:
    try:
        with run.blobs.local_file(tenant, sha256.hex()) as path:
            size = path.stat().st_size
            if size <= SMALL_BYTES and media_type.startswith("image/"):
                return sha256
            made = media.thumbnail(Content(sha256.hex(), size, path=path), media_type, THUMB_SIDE_PX)
        return None if made is None else bytes.fromhex(run.blobs.put_now(tenant, made).sha256)
    except Problem as problem:
        if problem.kind is Kind.UNAVAILABLE:
            raise
        return None
    except Exception:
        log.exception("no thumbnail of %s could be made", sha256.hex())
        return None
